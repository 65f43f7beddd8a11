"""``moslm ask``: one request, its answer on stdout."""

from __future__ import annotations

import argparse
import json
import sys
import uuid

from moslm.cli.asking import add_caller, answered, caller, compiled, deciding
from moslm.cli.decision_view import outcome
from moslm.cli.flow import fitted
from moslm.cli.settings import add_config
from moslm.cli.stdin import tell_who_types, typed
from moslm.cli.style import safe, style_for
from moslm.cli.table import items
from moslm.decision import Decision
from moslm.governance.wording import dollars, milliseconds

HELP = "Answer one request"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the request and who asks."""
    parser.add_argument("text", metavar="TEXT", help="the request; - reads it from stdin")
    add_config(parser)
    parser.add_argument("--json", action="store_true", help='print {"reply": ..., "decision": {...}}')
    add_caller(parser)


def run(options: argparse.Namespace) -> int:
    """Ask, and print the reply."""
    text = _from_stdin() if options.text == "-" else options.text
    context, identity = caller(options)
    graph = compiled(options.config)
    decide = deciding(identity, sys.stdin.isatty() and not options.json)
    reply, record = answered(graph, text, context, str(uuid.uuid4()), decide, identity)
    if options.json:
        print(json.dumps({"reply": reply, "decision": record}, ensure_ascii=False))
        return 0
    print(fitted(safe(reply)))
    if sys.stderr.isatty():
        print(style_for(sys.stderr).dim(_footer(Decision.model_validate(record))), file=sys.stderr)
    return 0


def _from_stdin() -> str:
    tell_who_types()
    return typed(sys.stdin.read)


def _footer(decision: Decision) -> str:
    time, price = milliseconds(decision.total_ms), dollars(decision.cost.spent_usd)
    return items([outcome(decision), price, time, f"moslm explain {decision.id[:8]}"])
