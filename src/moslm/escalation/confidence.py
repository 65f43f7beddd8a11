"""From signals to one confidence, which may be unknown.

Knows no threshold. A later release calibrates; here the confidence is one of the signals, named in the settings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from moslm.decision import Signal
from moslm.escalation.signals import SignalFunction
from moslm.state import Draft


@dataclass(frozen=True, slots=True)
class Confidence:
    """What a draft's signals say, taken together."""

    value: float | None
    """Between 0 and 1; None when unknown, which every reader must take for low."""
    signals: tuple[Signal, ...]


def measure(draft: Draft, signals: Mapping[str, SignalFunction], deciding: str) -> Confidence:
    """Measure every signal of a draft.

    Args:
        draft: A finished draft.
        signals: The signals by name.
        deciding: Name of the signal that is the confidence.

    Returns:
        The value of the deciding signal; None when it could not be measured or the draft failed.
    """
    if draft.get("error") or not draft["text"].strip():
        return Confidence(None, ())
    measured = {name: signal(draft) for name, signal in signals.items()}
    return Confidence(measured[deciding].value, tuple(measured.values()))


def lowest(values: Iterable[float | None]) -> float | None:
    """Return the lowest of several confidences; None when one of them is unknown, or there is none."""
    known = list(values)
    if not known or any(value is None for value in known):
        return None
    return min(value for value in known if value is not None)
