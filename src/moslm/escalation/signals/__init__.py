"""One number for or against a draft, one file each.

A signal is a pure function of the draft, with the evidence it carries, that returns a `Signal`: a value between 0 and
1, or None with the reason why it cannot be measured. It never decides and never asks: what costs a model call is
fetched by the answer step where it is worth it (`moslm.escalation.second_opinion`) and stands in the draft. To add
one: a file here, its name in `SIGNALS`, a test; then calibrate anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from moslm.decision import Signal
from moslm.escalation.signals.agreement import agreement
from moslm.escalation.signals.brevity import brevity
from moslm.escalation.signals.classifier_margin import classifier_margin
from moslm.escalation.signals.entropy import entropy
from moslm.escalation.signals.familiarity import familiarity
from moslm.escalation.signals.grounding import grounding
from moslm.escalation.signals.margin import margin
from moslm.escalation.signals.mean import mean
from moslm.escalation.signals.minimum import minimum
from moslm.escalation.signals.retrieval import retrieval
from moslm.escalation.signals.self_check import self_check
from moslm.escalation.signals.substance import substance
from moslm.escalation.signals.tool_outcomes import tool_outcomes
from moslm.state import Draft

SignalFunction = Callable[[Draft], Signal]

SIGNALS: Mapping[str, SignalFunction] = MappingProxyType(
    {
        "mean": mean,
        "minimum": minimum,
        "entropy": entropy,
        "margin": margin,
        "grounding": grounding,
        "retrieval": retrieval,
        "tool_outcomes": tool_outcomes,
        "brevity": brevity,
        "substance": substance,
        "classifier_margin": classifier_margin,
        "familiarity": familiarity,
        "agreement": agreement,
        "self_check": self_check,
    }
)
COSTLY: frozenset[str] = frozenset({"agreement", "self_check"})
"""Signals that a model must be asked for."""


def cheap(values: Mapping[str, float | None]) -> dict[str, float | None]:
    """Return the signals that are always measured: the costly ones are asked for where the others leave doubt."""
    return {name: value for name, value in values.items() if name not in COSTLY}
