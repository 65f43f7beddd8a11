"""From signals to one confidence, which may be unknown. Knows no threshold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from moslm.decision import CalibrationUse, Signal
from moslm.escalation.signals import SignalFunction
from moslm.state import Draft

Values = Mapping[str, float | None]
"""Signals by name; None where one could not be measured."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a gauge makes of a draft's signals."""

    value: float | None
    """Confidence between 0 and 1; None when unknown, which every reader must take for low."""
    calibration: CalibrationUse
    """What stands behind it."""


Gauge = Callable[[Values], Reading]
"""How one domain's signals become its confidence; `moslm.escalation.gauges` makes them."""


@dataclass(frozen=True, slots=True)
class Confidence:
    """What a draft's signals say, taken together."""

    value: float | None
    """Between 0 and 1; None when unknown, which every reader must take for low."""
    signals: tuple[Signal, ...]
    calibration: CalibrationUse | None
    """What stands behind the value; None where nothing was measured (failed, empty or stopped early)."""


def measure(draft: Draft, signals: Mapping[str, SignalFunction], gauge: Gauge) -> Confidence:
    """Measure every signal of a draft and read its confidence from them.

    Args:
        draft: A draft.
        signals: The signals by name.
        gauge: How the signals of its domain become a confidence.

    Returns:
        The confidence; unknown when the draft failed, is empty or was stopped early: its signals would be those of a
        fragment.
    """
    if draft.get("error") or draft.get("stopped") or not draft["text"].strip():
        return Confidence(None, (), None)
    # recorded under the name it is listed by, which is the one a calibration knows
    measured = {name: _named(name, signal(draft)) for name, signal in signals.items()}
    reading = gauge({name: signal.value for name, signal in measured.items()})
    return Confidence(reading.value, tuple(measured.values()), reading.calibration)


def _named(name: str, signal: Signal) -> Signal:
    return signal if signal.name == name else signal.model_copy(update={"name": name})


def lowest(values: Iterable[float | None]) -> float | None:
    """Return the lowest of several confidences; None when one of them is unknown, or there is none."""
    known = list(values)
    if not known or any(value is None for value in known):
        return None
    return min(value for value in known if value is not None)
