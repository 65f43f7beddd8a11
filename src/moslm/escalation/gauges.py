"""How a domain's signals become its confidence: by a calibration in force, or by one raw signal that was chosen.

Says by name why a calibration is not in force; the confidence is then unknown, never a guess. Knows no thresholds and
reads no files.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, date, datetime

from moslm.decision import CalibrationUse
from moslm.escalation.calibration.artefact import Calibration
from moslm.escalation.calibration.calibrator import known
from moslm.escalation.confidence import Gauge, Reading, Values
from moslm.escalation.signals import COSTLY


def raw(signal: str, why: str = "the settings name a raw signal as the confidence") -> Gauge:
    """Return the gauge that takes one signal as it is.

    Args:
        signal: Its name.
        why: Why that is so, for the record.
    """
    use = CalibrationUse(state="uncalibrated", why=why)

    def read(values: Values) -> Reading:
        return Reading(values.get(signal), use)

    return read


def missing(why: str) -> Gauge:
    """Return the gauge of a model that was never calibrated: its confidence is unknown."""
    use = CalibrationUse(state="missing", why=why)
    return lambda values: Reading(None, use)


def calibrated(
    calibration: Calibration,
    domain: str,
    model: str,
    revision: str,
    signals: Collection[str],
    today: Callable[[], date] = lambda: datetime.now(UTC).date(),
) -> Gauge:
    """Return the gauge that reads the probability of being right from a calibration, as long as it is in force.

    Args:
        calibration: Any calibration, also one that turns out to be of another model.
        domain: The domain whose drafts are read.
        model: The model that drafts them.
        revision: Its revision.
        signals: Names of the signals that are measured here.
        today: The day, asked at every reading: a process may outlive a calibration.
    """
    unfit = _unfit(calibration, domain, model, revision, signals)

    def read(values: Values) -> Reading:
        use = unfit or _expired(calibration, today())
        if use is not None:
            return Reading(None, use)
        lacking = _lacking(calibration, domain, values)
        value = None if lacking else calibration.probability(domain, values)
        if value is None:
            why = f"the draft lacks {', '.join(lacking)}" if lacking else "the draft lacks what it was fitted on"
            return Reading(None, _use(calibration, "incomplete", why))
        return Reading(value, _use(calibration, "in_force", ""))

    return read


def watched(gauge: Gauge, alarm: Callable[[], str | None]) -> Gauge:
    """Return the gauge whose confidence is unknown once its calibration has drifted.

    Args:
        gauge: A calibrated gauge.
        alarm: Says what has drifted, or None; asked at every reading.
    """

    def read(values: Values) -> Reading:
        reading, why = gauge(values), alarm()
        if why is None or reading.calibration.state not in ("in_force", "incomplete"):
            return reading
        return Reading(None, reading.calibration.model_copy(update={"state": "drifted", "why": why}))

    return read


def _unfit(
    calibration: Calibration, domain: str, model: str, revision: str, signals: Collection[str]
) -> CalibrationUse | None:
    """Return why a calibration can never serve here, or None."""
    if calibration.model != model:
        return _use(calibration, "foreign", f"it is of {calibration.model}, and {model} answers here")
    if domain not in calibration.calibrators:
        return _use(calibration, "foreign", f"it never saw {domain}")
    if calibration.revision != revision:
        return _use(calibration, "stale", f"it is of another revision of {model}")
    gone = [name for name in calibration.signals if name not in signals]
    if gone:
        return _use(calibration, "stale", f"it was fitted on signals that are not measured here: {', '.join(gone)}")
    return None


def _lacking(calibration: Calibration, domain: str, values: Values) -> list[str]:
    """Return the cheap signals that a draft should have and lacks.

    A calibration may be read without its costly signals, which are left unasked for a reason. A cheap one that is
    missing was spoilt (no log-probabilities, say), and a spoilt draft must not be trusted more than a whole one.
    """
    most = calibration.calibrators[domain][0]
    needed = [scale.name for scale in most.scales if scale.name not in COSTLY and not scale.can_lack]
    return [name for name in needed if known(values.get(name)) is None]


def _expired(calibration: Calibration, today: date) -> CalibrationUse | None:
    if today < calibration.expires:
        return None
    return _use(calibration, "stale", f"it has expired on {calibration.expires.isoformat()}")


def _use(calibration: Calibration, state: str, why: str) -> CalibrationUse:
    return CalibrationUse.model_validate({"state": state, "version": calibration.version, "why": why})
