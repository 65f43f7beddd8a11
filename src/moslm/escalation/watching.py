"""Watches what is served for drift away from the answers a calibration was fitted on.

One watch a domain. It reads each closed Decision once, so that a run that is repeated counts once, and remembers where
it may (`moslm.escalation.drift_file`). What an alarm means for a confidence is `moslm.escalation.gauges`'s.
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from pydantic import TypeAdapter, ValidationError

from moslm.decision import Decision, DraftRecord
from moslm.escalation.calibration.artefact import Calibration
from moslm.escalation.calibration.drift import PROBABILITY, Martingale, limit, martingale, place_of
from moslm.escalation.drift_file import DriftFile
from moslm.escalation.signals import cheap
from moslm.escalation.stopping import finishes

_log = logging.getLogger("moslm.escalation")
_SETTLE_SECONDS = 1.0
"""Drafts that come faster than this are taken in together: the file is then written once for all of them."""
_RECENT = 256
"""So many requests are remembered by their hash: one that is repeated, in a demonstration say, tells nothing new."""


@dataclass(frozen=True, slots=True)
class _State:
    """What is remembered: the play on each value, and the alarm once there was one."""

    plays: dict[str, Martingale]
    alarm: str | None = None
    recent: tuple[str, ...] = ()
    thinned: bool = False
    """Whether drafts were stopped early: those that are left are then not all there were, and a lot decides instead."""


_STATE = TypeAdapter(_State)


@dataclass(frozen=True, slots=True)
class _Noticed:
    """A draft that waits to be taken in."""

    asked: str | None
    places: dict[str, int]
    drawn: bool


class Watch:
    """Compares the drafts of one domain with the reference of its calibration, one after the other.

    Args:
        calibration: The calibration in force; without a reference for the domain nothing is ever noticed.
        domain: The domain.
        alpha: Chance that the calibration is ever called drifted, in any of its domains, though nothing has changed.
        file: Where to remember; by default nowhere but in this process.
        settle_s: For how long drafts may wait to be taken in together.
    """

    def __init__(
        self,
        calibration: Calibration,
        domain: str,
        alpha: float,
        file: DriftFile | None = None,
        settle_s: float = _SETTLE_SECONDS,
    ) -> None:
        self.version = calibration.version
        self._calibration, self._domain, self._file, self._settle_s = calibration, domain, file, settle_s
        self._references = {each.name: each for each in calibration.references.get(domain, ())}
        self._limit = limit(tuple(self._references.values()), len(calibration.references), alpha)
        self._using = threading.Lock()
        self._waiting: list[_Noticed] = []
        self._stopped = False
        self._settled = float("-inf")
        self._state = _State({name: martingale(each) for name, each in self._references.items()})
        self._remember()

    @property
    def alarm(self) -> str | None:
        """What has drifted, in words; None as long as nothing has."""
        return self._state.alarm

    @property
    def watches(self) -> bool:
        """Whether there is anything to compare with."""
        return bool(self._references)

    def stopped(self) -> None:
        """Take note that a draft was stopped for running low: from now on those alone count that none could stop.

        Of the others only the better ones are left, which is not how the labelled answers were.
        """
        with self._using:
            if not self._state.thinned and self._references:
                self._stopped = True
                self._settle()

    def notice(self, signals: Mapping[str, float | None], asked: str | None = None, *, drawn: bool = True) -> None:
        """Take in the signals of one draft; a watch that cannot remember goes on in this process.

        Args:
            signals: By name; those that are missing count as missing.
            asked: What the draft answers, as a hash: what was answered a short while ago is not taken in again.
            drawn: Whether it would have been finished whatever it said.
        """
        values = cheap(signals)
        values[PROBABILITY] = self._calibration.probability(self._domain, values)
        with self._using:
            if self.alarm is not None or not self._references:
                return
            places = {name: place_of(each, values.get(name)) for name, each in self._references.items()}
            self._waiting.append(_Noticed(asked, places, drawn))
            if time.monotonic() - self._settled >= self._settle_s:
                self._settle()
                self._settled = time.monotonic()
            if self.alarm is not None:
                words = "%s keeps nothing local from now on, because its calibration has drifted: %s"
                _log.warning(words, self._domain, self.alarm)

    def _settle(self) -> None:
        """Take in what waits, on top of what other processes have seen by now."""
        try:
            if self._file is not None:
                self._file.exchange(self.version, self._domain, self._advance)
        except (sqlite3.Error, OSError) as error:
            self._alone(error)
        if self._waiting or self._stopped:
            self._advance(None)

    def _advance(self, text: str | None) -> str:
        state = self._read(text) or self._state
        waiting, self._waiting = self._waiting, []
        thinned, self._stopped = state.thinned or self._stopped, False
        for each in waiting:
            if state.alarm is None and each.asked not in state.recent and (each.drawn or not thinned):
                recent = (*state.recent, each.asked)[-_RECENT:] if each.asked else state.recent
                state = _State(state.plays, self._played(state.plays, each.places), recent)
        self._state = state = replace(state, thinned=thinned)
        return _STATE.dump_json(state).decode()

    def _played(self, plays: Mapping[str, Martingale], places: Mapping[str, int]) -> str | None:
        for name, place in places.items():
            play = plays[name]
            play.play(place, _lot(self.version, self._domain, name, play.seen))
        richest = max(plays, key=lambda name: plays[name].capital)
        if plays[richest].capital < self._limit:
            return None
        what = "the probability of being right" if richest == PROBABILITY else richest
        how, drafts = plays[richest].finding(), plays[richest].seen
        return f"after {drafts} drafts, {what} is {how} than in the answers it was fitted on; run: moslm calibrate"

    def _read(self, text: str | None) -> _State | None:
        """Return what is remembered, or None where it is nothing that could stand for these references."""
        if text is None:
            return None
        try:
            found = _STATE.validate_json(text)
        except ValidationError:
            return None
        return found if _shape(found) == _shape(self._state) else None

    def _remember(self) -> None:
        try:
            text = self._file.read(self.version, self._domain) if self._file is not None else None
        except (sqlite3.Error, OSError) as error:
            self._alone(error)
            return
        self._state = self._read(text) or self._state

    def _alone(self, error: Exception) -> None:
        path = self._file.path if self._file else ""
        _log.warning("%s cannot be used (%s): drift of %s is watched in this process alone", path, error, self._domain)
        self._file = None


def watch_drafts(watches: Mapping[str, Watch], decision: Decision) -> None:
    """Let each draft of a closed decision be noticed, if a calibration was asked what it is worth.

    A draft that declined goes up whatever its confidence and was not among the answers that were labelled.
    """
    for draft in decision.drafts:
        watch = watches.get(draft.domain)
        if watch is None:
            continue
        if draft.stopped is not None and draft.stopped.rule != "declined":
            watch.stopped()
        elif _counts(draft, watch.version):
            asked = f"{decision.request_sha256[:16]} {draft.part}"
            drawn = finishes(decision.id, draft.part)
            watch.notice({signal.name: signal.value for signal in draft.signals}, asked, drawn=drawn)


def _counts(draft: DraftRecord, version: str) -> bool:
    use = draft.calibration
    asked = use is not None and use.state in ("in_force", "incomplete") and use.version == version
    return asked and draft.error is None and not draft.declined


def _shape(state: _State) -> dict[str, tuple[int, int, int]]:
    return {name: (play.before, len(play.counts), len(play.wealth)) for name, play in state.plays.items()}


def _lot(*about: object) -> float:
    """Return a number between 0 and 1 that is the same every time and owes nothing to what it is drawn for."""
    digest = hashlib.sha256("\n".join(map(str, about)).encode()).digest()
    return int.from_bytes(digest[:7], "big") / 2**56
