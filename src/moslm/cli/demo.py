"""``moslm demo``: six requests of a made-up company, one after the other, and how each was decided."""

from __future__ import annotations

import argparse
import json
import sys
import time
import uuid

from moslm.cli.asking import answered, compiled, nobody
from moslm.cli.decision_view import decision_table
from moslm.cli.identity import add_token, identified
from moslm.cli.settings import add_config, settings
from moslm.cli.style import WIDTH, safe, style_for
from moslm.cli.table import paragraphs
from moslm.context import MoSLMContext
from moslm.decision import Decision
from moslm.governance.wording import counted, dollars, listed

HELP = "Answer six requests and show how each was decided"

REQUESTS = (
    ("finance", "How often is anti-money-laundering training?"),
    ("IT support", "After how many years is a laptop replaced?"),
    ("customer service", "When does the refund come after a return?"),
    ("two domains at once", "My laptop does not start. And who approves a supplier's invoice of 12,000 euros?"),
    (
        "advanced reasoning",
        "Use advanced reasoning: should we lease or buy our next three delivery vans?",
    ),
    ("nobody was trained for it", "Which telescope shows the rings of Saturn best?"),
)
"""What each request is there to show, and its words."""


# what is shown is how each was decided, however often the demonstration was run before
_ANEW = MoSLMContext(tenant="demo", remember=False)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_config(parser)
    add_token(parser)
    parser.add_argument("--json", action="store_true", help='one {"request", "reply", "decision"} a line')


def run(options: argparse.Namespace) -> int:
    """Answer the six requests."""
    started = time.perf_counter()
    identity = identified(settings(options.config), options.token)
    context = _ANEW if identity.caller is None else identity.context(MoSLMContext(remember=False))
    graph = compiled(options.config)
    if not options.json:
        print(style_for().dim(f"Ready after {time.perf_counter() - started:.1f} s."), flush=True)
    decisions = []
    for number, (shows, text) in enumerate(REQUESTS, 1):
        reply, record = answered(graph, text, context, str(uuid.uuid4()), nobody, identity)
        decisions.append(Decision.model_validate(record))
        if options.json:
            print(json.dumps({"request": text, "reply": reply, "decision": record}, ensure_ascii=False))
        else:
            _show(f"{number} of {len(REQUESTS)} · {shows}", text, reply, decisions[-1])
        sys.stdout.flush()
    if not options.json:
        print(_summary(decisions))
    return 0


def _show(heading: str, text: str, reply: str, decision: Decision) -> None:
    style = style_for()
    print(f"\n{style.bold(heading)} {style.dim('─' * (WIDTH - len(heading) - 1))}")
    print(paragraphs(f"> {text}"))
    print(f"\n{paragraphs(safe(reply))}\n")
    print(decision_table(decision, style))


def _summary(decisions: list[Decision]) -> str:
    ends = {"answered": "answered by small models", "escalated": "by the large model", "handed_over": "handed over"}
    counts = [(sum(each.outcome == name for each in decisions), words) for name, words in ends.items()]
    rest = len(decisions) - sum(count for count, _ in counts)
    told = listed([f"{count} {words}" for count, words in [*counts, (rest, "otherwise")] if count])
    spent, baseline = sum(each.cost.spent_usd for each in decisions), sum(each.cost.baseline_usd for each in decisions)
    return "\n" + paragraphs(
        f"{counted(len(decisions), 'request')}: {told}. They cost {dollars(spent)}; {decisions[0].cost.baseline_model}"
        f" would have cost {dollars(baseline)} for those that were answered."
        f" {sum(each.total_ms for each in decisions) / 1000:.1f} s in all."
        f"\nWhy, in sentences: moslm explain {decisions[-1].id[:8]} · all of them: moslm log --tenant demo"
    )
