"""``moslm budget``: how every cap stands, and what was spent."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

from moslm.budgets.money import dollars
from moslm.budgets.purchases import Payer, Standing
from moslm.budgets.stores import Total
from moslm.budgets.wording import amount, moment
from moslm.cli.identity import add_token, identified
from moslm.cli.settings import add_config, config_file, settings
from moslm.cli.style import style_for
from moslm.cli.table import columns
from moslm.graph.parts import build_parts

HELP = "Say how every cap stands and what was spent"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add whose caps are looked at."""
    add_config(parser)
    add_token(parser)
    parser.add_argument("--tenant", help="whose caps (default, or the token's)")
    parser.add_argument("--user", help="the caps of this user of the tenant too")
    parser.add_argument("--conversation", metavar="THREAD", help="the caps of this conversation too")
    parser.add_argument("--domain", help="the caps of this domain too")
    parser.add_argument("--model", help="the caps on this model; by default on the large one")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(options: argparse.Namespace) -> int:
    """Show the caps and the sum of all that was bought."""
    identity = identified(settings(options.config), options.token)
    identity.must("read_budget")
    tenant = identity.tenant(options.tenant) or "default"
    parts = build_parts(config_file(options.config))
    ledger, large = parts.ledger, parts.large_model
    payer = Payer(tenant, options.user, options.conversation, "", options.domain)
    standings = ledger.standings(payer, options.model or (large.name if large else ""))
    standings = [each for each in standings if each.per != "request" and _was_named(each, options)]
    # the sum is that of all tenants, so it is the owner's alone
    total = ledger.total() if identity.caller is None else None
    print(_json(total, standings) if options.json else _told(total, standings))
    ledger.close()
    return 0


def _was_named(standing: Standing, options: argparse.Namespace) -> bool:
    asked = {"user": options.user, "conversation": options.conversation, "domain": options.domain}
    return asked.get(standing.per, True) is not None


def _told(total: Total | None, standings: Sequence[Standing]) -> str:
    spent = "" if total is None else _spent(total)
    if not standings:
        return "\n".join(filter(None, [spent, "No caps are configured; see docs/guides/budgets.md."]))
    rows = [[each.cap, amount(each.taken, each.unit), amount(each.left, each.unit), _frees(each)] for each in standings]
    table = columns(["cap", "taken", "left", "room again"], rows, style_for(), right="taken left")
    return "\n\n".join(filter(None, [table, spent]))


def _spent(total: Total) -> str:
    held = f", ${dollars(total.held_nanos):,.4g} set aside" if total.held_nanos else ""
    unknown = f" ({total.unknown:,} without the provider's count)" if total.unknown else ""
    return f"Spent so far: ${dollars(total.nanos):,.4f}, {total.calls:,} calls{unknown}{held}."


def _frees(standing: Standing) -> str:
    return "–" if standing.frees is None else moment(standing.frees)


def _json(total: Total | None, standings: Sequence[Standing]) -> str:
    caps = [
        {
            "cap": each.cap,
            "per": each.per,
            "every": each.every,
            "unit": each.unit,
            "limit": dollars(each.limit) if each.unit == "usd" else each.limit,
            "taken": dollars(each.taken) if each.unit == "usd" else each.taken,
            "left": dollars(each.left) if each.unit == "usd" else each.left,
            "frees_at": moment(each.frees) if each.frees else None,
        }
        for each in standings
    ]
    if total is None:
        return json.dumps({"caps": caps}, indent=2)
    spent = {
        "spent_usd": dollars(total.nanos),
        "tokens": total.tokens,
        "calls": total.calls,
        "calls_without_count": total.unknown,
        "set_aside_usd": dollars(total.held_nanos),
    }
    return json.dumps({"caps": caps, "total": spent}, indent=2)
