"""Is a draft that is still being written worth finishing?

It is not where it has to go up however it ends: it began by declining, or nothing that could still come would bring its
confidence to the threshold. Nor, where the settings allow a share of false stops, where it runs lower than labelled
drafts did that reached the threshold. Where the confidence of the finished draft would be unknown it is finished all
the same: its signals are what a person needs to mend that. Asks no model.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from moslm.decision import Stopped
from moslm.escalation.calibration.calibrator import Reaches
from moslm.escalation.calibration.tracks import Floor, is_look, running
from moslm.escalation.confidence import Gauge, Values
from moslm.escalation.reach import reaches, settled
from moslm.escalation.signals import SignalFunction
from moslm.state import Draft
from moslm.statements.declining import declined_for_good

FINISHED_ANYWAY = 0.1
"""Share of drafts that are finished though they run low: drift is watched on these alone, once a draft was stopped."""

Lookout = Callable[[str, int, Callable[[], Draft]], Stopped | None]
"""(text so far, its tokens, what returns the draft so far) -> why it is not worth finishing, or None. Asked with every
piece; the draft itself is made for the looks alone."""


class Lookouts(Protocol):
    """Makes the lookout over one message of a draft; see `Prospects.lookout`."""

    def __call__(self, threshold: float, at_most: int | None, *, may_call: bool, finish: bool) -> Lookout | None:
        """Return the lookout; None where nothing could stop the draft."""


@dataclass(frozen=True, slots=True)
class Prospects:
    """What is known of a domain's drafts before they are finished."""

    signals: Mapping[str, SignalFunction]
    """Those that the gauge reads."""
    gauge: Gauge
    best: Callable[[Reaches], float] | None
    """The largest confidence that signals may have which are known in part; None where that cannot be told."""
    floor: Callable[[float], Floor | None]
    """Threshold -> below which running confidence a draft is given up; None for never."""

    def lookout(self, threshold: float, at_most: int | None, *, may_call: bool, finish: bool) -> Lookout | None:
        """Return the lookout over one message of a draft.

        Args:
            threshold: The confidence it needs.
            at_most: Tokens it may have.
            may_call: Whether the model may still call tools: its words are then perhaps no answer yet, and nothing can
                be said of them for certain.
            finish: Whether it is one of those drafts that are finished unless they decline.

        Returns:
            None where nothing could stop the draft, so that nobody need look.
        """
        if may_call and (finish or self.floor(threshold) is None):
            return None
        return _Lookout(self, threshold, at_most, may_call, finish)


def running_values(draft: Draft, signals: Mapping[str, SignalFunction]) -> dict[str, float | None]:
    """Return the signals of a draft that is being written, its last word left aside: half a name is an invented one."""
    so_far = Draft({**draft, "text": settled(draft["text"])})
    return {name: signal(so_far).value for name, signal in signals.items()}


def finishes(request: str, part: str) -> bool:
    """Tell whether a draft is one of those that are finished anyway: a tenth, by lot, the same whoever asks."""
    digest = hashlib.sha256(f"finished anyway\n{request}\n{part}".encode()).digest()
    return int.from_bytes(digest[:7], "big") / 2**56 < FINISHED_ANYWAY


class _Lookout:
    """Looks at one message as it grows."""

    def __init__(
        self, prospects: Prospects, threshold: float, at_most: int | None, may_call: bool, finish: bool
    ) -> None:
        self._prospects, self._threshold, self._at_most = prospects, threshold, at_most
        self._may_call, self._finish = may_call, finish
        self._tokens, self._looks = 0, list[float]()

    def __call__(self, text: str, tokens: int, so_far: Callable[[], Draft]) -> Stopped | None:
        before, self._tokens = self._tokens, tokens
        if not self._may_call and declined_for_good(text.strip()):
            return self._stopped("declined")
        if self._finish or not is_look(before, tokens):
            return None
        draft = so_far()
        values = running_values(draft, self._prospects.signals)
        confidence = self._prospects.gauge(values).value
        if confidence is None:
            return None
        self._looks.append(confidence)
        return self._out_of_reach(draft, values) or self._running_low()

    def _out_of_reach(self, draft: Draft, values: Values) -> Stopped | None:
        best = self._prospects.best
        if best is None or self._may_call:
            return None
        left = None if self._at_most is None else max(0, self._at_most - self._tokens)
        most = best(reaches(draft, left, self._prospects.signals, values))
        return self._stopped("out_of_reach", most, self._threshold) if most < self._threshold else None

    def _running_low(self) -> Stopped | None:
        floor, now = self._prospects.floor(self._threshold), running(self._looks)
        if floor is None or now is None or now >= min(floor.least, self._threshold):
            return None
        return self._stopped("running_low", now, floor.least)

    def _stopped(self, rule: str, confidence: float | None = None, least: float | None = None) -> Stopped:
        about = {"rule": rule, "token": self._tokens, "at_most": self._at_most, "confidence": confidence}
        return Stopped.model_validate({**about, "least": least})
