"""What the signals of a draft can still become, however it goes on: the ground on which it may be stopped for certain.

A bound, not a guess. Tokens that are still to come may have any probability up to 1 and be as many as the model may
write; of the text, only what no later word can change is held against it. A signal that is not known here may become
anything. Knows no threshold.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from moslm.escalation.calibration.calibrator import ANYTHING, Reach
from moslm.escalation.confidence import Values
from moslm.escalation.signals import SIGNALS, SignalFunction, tokens
from moslm.escalation.signals.brevity import brevity
from moslm.escalation.signals.entropy import entropy
from moslm.escalation.signals.grounding import invented
from moslm.escalation.signals.margin import margin
from moslm.state import Draft

_SETTLED_BY_NOW = frozenset({"retrieval", "tool_outcomes", "classifier_margin", "familiarity"})
"""Signals that the text of the draft has no part in: they are what they are before its first word."""
_JOINS = frozenset("'\u2019-")
"""What may stand inside a word."""


def reaches(
    draft: Draft, left: int | None, signals: Mapping[str, SignalFunction], now: Values
) -> dict[str, Reach | None]:
    """Return what each signal can still become.

    Args:
        draft: The draft so far. Its tools, passages and evidence stand; its text and log-probabilities are a beginning.
        left: Tokens that may still come; None where there is no limit.
        signals: The signals by name.
        now: What they are at the moment.
    """
    found: dict[str, Reach | None] = dict.fromkeys(signals, ANYTHING)
    shipped = {name for name, signal in signals.items() if SIGNALS.get(name) is signal}
    for name in _SETTLED_BY_NOW & shipped:
        value = now.get(name)
        found[name] = None if value is None else Reach(value, value, may_lack=False)
    for name in _KNOWN.keys() & shipped:
        found[name] = _KNOWN[name](draft, left)
    return found


def settled(text: str) -> str:
    """Return the part of a text that more text cannot change: without its last word, and numbers that it may go on."""
    end = _back(text, len(text), lambda each: not each.isalpha())
    end = _back(text, end, lambda each: each.isalpha() or each in _JOINS)
    return text[: _back(text, end, lambda each: not each.isalpha())]


def _back(text: str, end: int, while_: Callable[[str], bool]) -> int:
    while end and while_(text[end - 1]):
        end -= 1
    return end


def _minimum(draft: Draft, left: int | None) -> Reach:
    own, _ = tokens.own(draft)
    return Reach(0.0, min(math.exp(min(own)), 1.0)) if own else ANYTHING


def _mean(draft: Draft, left: int | None) -> Reach:
    own, _ = tokens.own(draft)
    if not own or left is None:
        return ANYTHING
    return Reach(0.0, min(math.exp(sum(own) / (len(own) + left)), 1.0))


def _brevity(draft: Draft, left: int | None) -> Reach:
    return Reach(0.0, brevity(draft).value or 0.0)


def _shared(signal: SignalFunction) -> Callable[[Draft, int | None], Reach]:
    """Return the reach of a mean over the tokens: those to come pull it up or down, all of them at one end."""

    def reach(draft: Draft, left: int | None) -> Reach:
        rows, _ = tokens.alternatives(draft)
        value = signal(draft).value
        if not rows or value is None or left is None:
            return ANYTHING
        own = value * len(rows) / (len(rows) + left)
        return Reach(own, min(own + left / (len(rows) + left), 1.0))

    return reach


def _grounding(draft: Draft, left: int | None) -> Reach:
    certain = Draft(task=draft["task"], model=draft["model"], text=settled(draft["text"]))
    certain["evidence"] = draft.get("evidence") or []
    return Reach(0.0, 0.0) if certain["evidence"] and invented(certain) else ANYTHING


_KNOWN: Mapping[str, Callable[[Draft, int | None], Reach]] = {
    "minimum": _minimum,
    "mean": _mean,
    "entropy": _shared(entropy),
    "margin": _shared(margin),
    "brevity": _brevity,
    "grounding": _grounding,
}
"""Signals of which something is known before the draft is finished."""
