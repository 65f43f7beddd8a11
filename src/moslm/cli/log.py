"""``moslm log``: the decisions that were made, the newest first."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import get_args

from moslm.cli.asking import probability
from moslm.cli.identity import add_token, identified
from moslm.cli.settings import add_config, audit_log, settings
from moslm.cli.style import style_for
from moslm.cli.table import columns
from moslm.decision import Action, Decision, Outcome
from moslm.governance.audit import Filters
from moslm.governance.wording import dollars, number, printable

HELP = "List the decisions that were made"

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the filters."""
    add_config(parser)
    add_token(parser)
    parser.add_argument("--tenant", help="only this tenant's")
    parser.add_argument("--domain", help="only this domain's")
    parser.add_argument("--outcome", choices=get_args(Outcome), help="only those that ended so")
    parser.add_argument("--action", choices=get_args(Action), help="only those with this last order")
    parser.add_argument("--trigger", metavar="NAME", help="only those where this trigger fired")
    parser.add_argument("--since", type=moment, metavar="WHEN", help="2026-11-23, 2026-11-23T14:00, or 90m, 12h, 7d")
    parser.add_argument("--until", type=moment, metavar="WHEN", help="before this moment")
    parser.add_argument(
        "--below", type=probability, metavar="X", help="only drafts of unknown confidence or one below X"
    )
    parser.add_argument(
        "-n", "--limit", type=_count, metavar="N", default=20, help="the newest so many (20); 0 lists all"
    )
    parser.add_argument("--json", action="store_true", help="one whole record a line")


def run(options: argparse.Namespace) -> int:
    """List the decisions that pass the filters."""
    config = settings(options.config)
    identity = identified(config, options.token)
    identity.must("read_audit")
    log = audit_log(config, options.config)
    found = log.list(
        Filters(
            tenant=identity.tenant(options.tenant),
            domain=options.domain,
            outcome=options.outcome,
            action=options.action,
            trigger=options.trigger,
            since=options.since,
            until=options.until,
            below_confidence=options.below,
            limit=options.limit or None,
        )
    )
    if options.json:
        for decision in found:
            print(json.dumps(decision.plain(), ensure_ascii=False))
    elif found:
        print(_table(found))
    else:
        print(f"No decisions in {log.path} that fit.")
    return 0


def moment(text: str) -> datetime:
    """Read a moment: ISO 8601, UTC where it names no zone, or so long ago (``90m``, ``12h``, ``7d``, ``2w``).

    Raises:
        argparse.ArgumentTypeError: It is neither.
    """
    if ago := re.fullmatch(r"(\d{1,6})([mhdw])", text):
        return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no moment; write 2026-11-23, 2026-11-23T14:00 or 12h") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _count(text: str) -> int:
    if not re.fullmatch(r"\d{1,9}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no count; write 20, or 0 for all")
    return int(text)


def _table(decisions: Sequence[Decision]) -> str:
    header = ["closed (UTC)", "id", "tenant", "domain", "outcome", "conf.", "cost", "fired"]
    return columns(header, [_row(each) for each in decisions], style_for(), right="conf. cost")


def _row(decision: Decision) -> list[str]:
    confidence = "–" if decision.confidence is None else number(decision.confidence)
    return [
        printable(decision.closed_at)[:16].replace("T", " "),
        printable(decision.id)[:8],
        printable(decision.tenant),
        printable(decision.domain or "–"),
        decision.outcome,
        confidence,
        dollars(decision.cost.spent_usd),
        ", ".join(dict.fromkeys(printable(each.trigger) for each in decision.reasons)),
    ]
