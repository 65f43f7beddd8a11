"""One number for or against a draft, one file each.

A signal is a pure function of the draft that returns a `Signal`: a value between 0 and 1, or None with the reason why
it cannot be measured. It never decides: thresholds live in `moslm.escalation.triggers`. To add one: a file here, its
name in `SIGNALS`, a test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from moslm.decision import Signal
from moslm.escalation.signals.entropy import entropy
from moslm.escalation.signals.margin import margin
from moslm.escalation.signals.mean import mean
from moslm.escalation.signals.minimum import minimum
from moslm.state import Draft

SignalFunction = Callable[[Draft], Signal]

SIGNALS: Mapping[str, SignalFunction] = MappingProxyType(
    {"mean": mean, "minimum": minimum, "entropy": entropy, "margin": margin}
)
