"""A calibration as a value and as one JSON file that names its model, its data and its own hash.

`read_calibration` refuses a file that is truncated, altered or of another format. Whether a calibration may be used
today, with this model and these signals, is asked of the value; what follows from a "no" is decided elsewhere. Knows
nothing of how calibrators are fitted.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from moslm.errors import ConfigError
from moslm.escalation.calibration.calibrator import Calibrator, Reaches, first_word
from moslm.escalation.calibration.drift import Reference
from moslm.escalation.calibration.guarantee import Guarantee
from moslm.escalation.calibration.tracks import Track

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Counts:
    """How many labelled answers there were."""

    right: int
    wrong: int


@dataclass(frozen=True, slots=True)
class FittedOn:
    """The data of a calibration; the rows themselves are not kept.

    Attributes:
        sha256: Hash over every row, independent of their order.
        groups: How many groups the rows fell into; splits never cut one.
        counts: Right and wrong answers by domain.
    """

    sha256: str
    groups: int
    counts: dict[str, Counts]

    @property
    def right(self) -> int:
        """Right answers over all domains."""
        return sum(each.right for each in self.counts.values())

    @property
    def wrong(self) -> int:
        """Wrong answers over all domains."""
        return sum(each.wrong for each in self.counts.values())


@dataclass(frozen=True, slots=True)
class Figures:
    """How good the probabilities were on answers they were not fitted on; None where the rows do not allow a figure.

    Attributes:
        answers: How many answers were judged.
        judged_on: ``held_out`` rows of their own, or the fitted rows ``cross_fitted`` by group.
        accuracy: Share of right answers.
        auroc: Chance that a right answer gets a higher probability than a wrong one.
        calibration_error: Expected calibration error over bins of equal mass.
        calibration_error_equal_width: The same over ten bins of equal width.
        brier: Mean squared distance between probability and outcome.
        aurc: Area under the risk-coverage curve.
    """

    answers: int
    judged_on: str
    accuracy: float | None
    auroc: float | None
    calibration_error: float | None
    calibration_error_equal_width: float | None
    brier: float | None
    aurc: float | None


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a model's signals are worth, by domain.

    Attributes:
        model: Id of the model whose answers were labelled.
        revision: Its revision; a calibration of another revision is foreign.
        signals: Names of the signals, cheapest first.
        calibrators: By domain, those that use the most signals first: one for every prefix of ``signals``, so that
            the dear ones need only be asked where the cheap ones leave doubt.
        fitted_on: Hash and counts of the labelled answers.
        figures: What was measured when it was made: over all domains under ``""``, and by domain.
        guarantee: Thresholds that keep a stated risk, if one was asked for.
        created: Day it was made.
        expires: First day on which it must not be used any more.
        references: By domain, how the probability and the cheap signals were spread over the labelled answers; what is
            served is compared with it (`moslm.escalation.calibration.drift`). Files of earlier releases have none.
        tracks: By domain, how the labelled answers ran before they ended (`moslm.escalation.calibration.tracks`). Files
            of earlier releases have none.
        version: Hash of everything above, in twelve letters.
    """

    model: str
    revision: str
    signals: tuple[str, ...]
    calibrators: dict[str, tuple[Calibrator, ...]]
    fitted_on: FittedOn
    figures: dict[str, Figures]
    guarantee: Guarantee | None
    created: date
    expires: date
    references: dict[str, tuple[Reference, ...]] = field(default_factory=dict)
    tracks: dict[str, tuple[Track, ...]] = field(default_factory=dict)
    version: str = field(default="")

    def probability(self, domain: str, values: Mapping[str, float | None]) -> float | None:
        """Return the probability that an answer with these signals is right.

        Args:
            domain: The domain that answered.
            values: Signals by name; one that is absent, None or not finite counts as missing, others are ignored.

        Returns:
            The probability; None, which every reader takes for low, when the domain was not calibrated or when no
            calibrated combination of signals is there.
        """
        return first_word(self.calibrators.get(domain, ()), values)

    def best(self, domain: str, reaches: Reaches) -> float:
        """Return the largest probability of an answer whose signals are known in part; 0 where nothing judges it."""
        found = [each.best(reaches) for each in self.calibrators.get(domain, ())]
        return max((each for each in found if each is not None), default=0.0)

    def threshold(self, domain: str) -> float | None:
        """Return the probability from which answers of a domain are kept under the guarantee; None without one."""
        return self.guarantee.threshold(domain) if self.guarantee is not None else None

    def unusable(self, model: str, revision: str, today: date) -> str | None:
        """Return why this calibration must not be used: ``foreign`` (other model or revision), ``stale``, or None."""
        if (model, revision) != (self.model, self.revision):
            return "foreign"
        return "stale" if today >= self.expires else None


_CALIBRATION = TypeAdapter(Calibration)


def versioned(calibration: Calibration) -> Calibration:
    """Return the calibration under the version that its content gives it."""
    return replace(calibration, version=_hash(_content(calibration))[:12])


def write_calibration(path: Path, calibration: Calibration) -> Calibration:
    """Write a calibration, in one step, and return it under its version.

    Raises:
        ConfigError: The file cannot be written.
    """
    calibration = versioned(calibration)
    content = _content(calibration)
    about = {"format": FORMAT, "sha256": _hash(content), "version": calibration.version, "calibration": content}
    text = json.dumps(about, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}", file=str(path)) from None
    return calibration


def read_calibration(path: Path) -> Calibration:
    """Read a calibration.

    Raises:
        ConfigError: The file is missing, truncated, altered, or of another format.
    """
    mend = "run moslm calibrate again"
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=str(path), mend=mend) from None
    except ValueError:
        raise ConfigError("is no calibration, or only part of one", file=str(path), mend=mend) from None
    if not isinstance(about, dict) or not isinstance(about.get("calibration"), dict):
        raise ConfigError("is no calibration", file=str(path), mend=mend)
    if about.get("format") != FORMAT:
        problem = f"is of format {about.get('format')!r}; this release reads format {FORMAT}"
        raise ConfigError(problem, file=str(path), mend=mend)
    digest = _hash(about["calibration"])
    if digest != about.get("sha256") or digest[:12] != about.get("version"):
        raise ConfigError("was altered after it was written", file=str(path), mend=mend)
    try:
        found = _CALIBRATION.validate_python({**about["calibration"], "version": digest[:12]})
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        raise ConfigError("does not hold a calibration", file=str(path), key=where, mend=mend) from None
    return found


def _content(calibration: Calibration) -> dict[str, Any]:
    found = _CALIBRATION.dump_python(replace(calibration, version=""), mode="json")
    return {key: value for key, value in found.items() if key != "version"}


def _hash(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
