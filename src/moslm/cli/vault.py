"""``moslm vault``: seals what placeholders stand for under the current key; and forgetting it."""

from __future__ import annotations

import argparse

from moslm.cli.settings import add_config, config_file
from moslm.config import load
from moslm.errors import ConfigError, MoSLMError
from moslm.privacy.at_rest.configured import configured_earlier
from moslm.privacy.pseudonyms import configured_vault

HELP = "Seal the vault of personal data under the current key, or forget what is in it"
_DAY_S = 86_400.0


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what to do."""
    add_config(parser)
    what = parser.add_subparsers(dest="what", required=True, metavar="rotate | forget")
    what.add_parser("rotate", help="seal all under the current key; those of the past can go then", allow_abbrev=False)
    forget = what.add_parser("forget", help="forget values, at once", allow_abbrev=False)
    forget.add_argument("--tenant", help="of this tenant")
    forget.add_argument("--conversation", metavar="THREAD", help="of this conversation of the tenant")
    forget.add_argument("--older-than", type=float, metavar="DAYS", help="kept longer ago than this")


def run(options: argparse.Namespace) -> int:
    """Do it, and say what was done."""
    named = config_file(options.config)
    config, file = load(named), str(named) if named else None
    vault = configured_vault(config.privacy, configured_earlier(config, file))
    if vault is None:
        raise ConfigError("names no file", file=file, key="privacy.vault", mend="values in memory need no command")
    try:
        if options.what == "rotate":
            moved = vault.rotate()
            print(f"{moved:,} value{'' if moved == 1 else 's'} sealed anew; keys of the past are not needed here now.")
        elif options.older_than is not None and options.tenant is None and options.conversation is None:
            print(f"{vault.forget_older(options.older_than * _DAY_S):,} values forgotten.")
        elif options.tenant is not None and options.older_than is None:
            vault.forget(options.tenant, options.conversation)
            print("Forgotten.")
        else:
            raise MoSLMError("say what to forget: --tenant, with --conversation or without, or --older-than DAYS")
    finally:
        vault.close()
    return 0
