"""``moslm recall``: what is remembered and what that saved; and forgetting it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

from moslm.cli.identity import Identity, add_token, identified
from moslm.cli.settings import add_config, audit_log, config_file
from moslm.cli.style import style_for
from moslm.cli.table import columns
from moslm.config import Config, load
from moslm.errors import AccessDenied, MoSLMError
from moslm.governance.wording import dollars
from moslm.graph.remembering import recall_store
from moslm.recall.stores import OwnStore, Which
from moslm.recall.tallies import Tally

HELP = "Say what is remembered and what it saved, or forget it"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what to do, and of which answers."""
    add_config(parser)
    add_token(parser)
    what = parser.add_subparsers(dest="what", required=True, metavar="stats | purge")
    stats = what.add_parser("stats", help="what is remembered, by domain", allow_abbrev=False)
    stats.add_argument("--json", action="store_true", help="one JSON object")
    purge = what.add_parser("purge", help="forget answers, at once", allow_abbrev=False)
    for each in (stats, purge):  # it may stand before the word or behind it
        add_token(each, default=argparse.SUPPRESS)
    purge.add_argument("--tenant", help="of this tenant")
    purge.add_argument("--domain", help="of this domain")
    purge.add_argument("--decision", metavar="ID", help="the answer that this decision gave")
    purge.add_argument("--all", action="store_true", help="all of them")
    purge.add_argument("--checks", action="store_true", help="count anew whether hits are wrong, so that closed opens")


def run(options: argparse.Namespace) -> int:
    """Show or forget what the file holds; a LangGraph store is its own program's."""
    named = config_file(options.config)
    config = load(named)
    identity = identified(config, options.token)
    identity.must("purge" if options.what == "purge" else "read_budget")
    kept = recall_store(config, str(named) if named else None)
    try:
        if options.what == "stats":
            print(_stats(kept, config, identity.tenant(None), options.json))
        else:
            print(_purged(kept, config, options, identity))
    finally:
        kept.close()
    return 0


def _purged(kept: OwnStore, config: Config, options: argparse.Namespace, identity: Identity) -> str:
    tenant = identity.tenant(options.tenant)
    if options.checks and tenant is not None and identity.caller is not None:
        raise AccessDenied("the checks are counted for all tenants together; the machine's owner counts them anew")
    narrowed = options.tenant or options.domain or options.decision
    if options.all == bool(narrowed) and not (options.checks and not options.all):
        raise MoSLMError("say what to forget: --tenant, --domain, --decision, or --all of it")
    said = []
    if narrowed or options.all:
        decision = _origin(config, options, tenant) if options.decision else None
        gone = kept.purge(Which(tenant, options.domain, decision))
        said.append(f"{gone:,} remembered answer{'' if gone == 1 else 's'} forgotten.")
    if options.checks:
        anew = kept.forget_checks(options.domain)
        said.append(f"Checks are counted anew in {anew} domain{'' if anew == 1 else 's'}.")
    return " ".join(said)


def _origin(config: Config, options: argparse.Namespace, tenant: str | None) -> str:
    """Return the decision that an answer came from first: a user names the one that they saw."""
    found = audit_log(config, options.config).get(options.decision, tenant)
    return found.recalled.decision if found.recalled else found.id


def _stats(kept: OwnStore, config: Config, tenant: str | None, as_json: bool) -> str:
    if tenant is None:
        return _json(kept, config) if as_json else _told(kept, config)
    # hits, savings and checks are counted for all tenants together: those are the owner's to see
    held = kept.held(tenant)
    if as_json:
        return json.dumps({"tenant": tenant, "held": {name or None: count for name, count in held.items()}}, indent=2)
    if not held:
        return f"Nothing of {tenant} is remembered."
    return columns(["domain", "held"], [[name or "–", f"{n:,}"] for name, n in held.items()], style_for(), right="held")


def _told(kept: OwnStore, config: Config) -> str:
    rows = [_row(tally, held, config) for tally, held in _counted(kept)]
    if not rows:
        return f"Nothing is remembered in {kept.place}."
    names = ["domain", "held", "exact", "semantic", "saved", "checked", "wrong", "at most", "similar requests"]
    return columns(names, rows, style_for(), right="held exact semantic saved checked wrong")


def _row(tally: Tally, held: int, config: Config) -> list[str]:
    counts = [f"{each:,}" for each in (held, tally.exact, tally.semantic)]
    checked = [f"{tally.checked:,}", f"{tally.wrong:,}", f"{tally.bound:.1%}" if tally.checked else "–"]
    return [tally.domain or "–", *counts, dollars(tally.saved_usd), *checked, _standing(tally, config)]


def _standing(tally: Tally, config: Config) -> str:
    if not (config.recall.enabled and config.recall.semantic):
        return "off"
    return "closed" if tally.closed(config.recall.max_false_rate) else "open"


def _counted(kept: OwnStore) -> Sequence[tuple[Tally, int]]:
    tallies, held = {each.domain: each for each in kept.tallies()}, kept.held()
    return [(tallies.get(name, Tally(name)), held.get(name, 0)) for name in sorted({*tallies, *held})]


def _json(kept: OwnStore, config: Config) -> str:
    domains = [
        {
            "domain": tally.domain or None,
            "held": held,
            "exact": tally.exact,
            "semantic": tally.semantic,
            "saved_usd": tally.saved_usd,
            "checked": tally.checked,
            "wrong": tally.wrong,
            "wrong_at_most": tally.bound if tally.checked else None,
            "similar_requests": _standing(tally, config),
        }
        for tally, held in _counted(kept)
    ]
    return json.dumps({"kept_in": kept.place, "domains": domains}, indent=2)
