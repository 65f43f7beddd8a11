"""``moslm vault``: seals what placeholders stand for under the current key; and forgetting it."""

from __future__ import annotations

import argparse

from moslm.cli.identity import Identity, add_token, identified
from moslm.cli.settings import add_config, config_file
from moslm.config import load
from moslm.errors import AccessDenied, ConfigError, MoSLMError
from moslm.privacy.at_rest.configured import configured_earlier
from moslm.privacy.pseudonyms import configured_vault
from moslm.privacy.sealed_vault import SealedVault

HELP = "Seal the vault of personal data under the current key, or forget what is in it"
_DAY_S = 86_400.0


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what to do."""
    add_config(parser)
    add_token(parser)
    what = parser.add_subparsers(dest="what", required=True, metavar="rotate | forget")
    rotate = what.add_parser(
        "rotate", help="seal all under the current key; those of the past can go then", allow_abbrev=False
    )
    forget = what.add_parser("forget", help="forget values, at once", allow_abbrev=False)
    for each in (rotate, forget):  # it may stand before the word or behind it
        add_token(each, default=argparse.SUPPRESS)
    forget.add_argument("--tenant", help="of this tenant")
    forget.add_argument("--conversation", metavar="THREAD", help="of this conversation of the tenant")
    forget.add_argument("--older-than", type=float, metavar="DAYS", help="kept longer ago than this")


def run(options: argparse.Namespace) -> int:
    """Do it, and say what was done."""
    named = config_file(options.config)
    config, file = load(named), str(named) if named else None
    identity = identified(config, options.token)
    rotating = options.what == "rotate"
    identity.must("configure") if rotating else identity.must("purge")
    vault = configured_vault(config.privacy, configured_earlier(config, file))
    if vault is None:
        raise ConfigError("names no file", file=file, key="privacy.vault", mend="values in memory need no command")
    try:
        print(_rotated(vault, identity) if rotating else _forgotten(vault, options, identity))
    finally:
        vault.close()
    return 0


def _rotated(vault: SealedVault, identity: Identity) -> str:
    _is_owner(identity, "the vault is sealed anew")
    moved = vault.rotate()
    return f"{moved:,} value{'' if moved == 1 else 's'} sealed anew; keys of the past are not needed here now."


def _forgotten(vault: SealedVault, options: argparse.Namespace, identity: Identity) -> str:
    if options.older_than is not None and options.tenant is None and options.conversation is None:
        _is_owner(identity, "values are forgotten by age")
        return f"{vault.forget_older(options.older_than * _DAY_S):,} values forgotten."
    if options.tenant is None or options.older_than is not None:
        raise MoSLMError("say what to forget: --tenant, with --conversation or without, or --older-than DAYS")
    vault.forget(identity.tenant(options.tenant) or options.tenant, options.conversation)
    return "Forgotten."


def _is_owner(identity: Identity, what: str) -> None:
    """Hold what is done for all tenants together to the machine's owner."""
    if identity.caller is not None:
        raise AccessDenied(f"{what} for all tenants together; the machine's owner does it")
