"""What a draft must be worth to stand: second opinions, the promise, drift, and drafts stopped early."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from moslm.config.models import ModelSettings
from moslm.config.settings import Settings


class SecondOpinionSettings(Settings):
    """What may be asked about a draft where the cheap signals leave doubt; see docs/guides/confidence.md."""

    ask: list[Literal["self_check", "agreement"]] = []
    """Costly signals that may be asked for, in this order. Only signals that the calibration was fitted with can
    change a confidence; others are never asked for."""
    model: ModelSettings | None = None
    """Another small model for ``agreement``; by default another sample of the domain's own."""
    temperature: float = Field(default=0.7, ge=0, le=2)
    """For another sample of the domain's own model."""
    usd_per_second: float = Field(default=0.0005, ge=0)
    """What a second of the user's waiting is worth, US dollars. With 0 only the tokens of asking count."""


class GuaranteeSettings(Settings):
    """The promise that chooses the thresholds: "at most ``risk`` of the answers kept local are wrong".

    With this section the calibration's own thresholds for this very promise take the place of every ``threshold``. A
    domain for which it cannot be kept keeps nothing local.
    """

    risk: float = Field(default=0.05, gt=0, lt=1)
    """Largest share of wrong answers among those kept local."""
    delta: float = Field(default=0.1, gt=0, lt=1)
    """Chance that the promise does not hold."""


class DriftSettings(Settings):
    """Whether what is served is watched for drift; an alarm ends a calibration, see docs/guides/calibrating.md."""

    watch: bool = True
    """Compare each draft's signals with those of the answers the calibration was fitted on."""
    alpha: float = Field(default=0.01, gt=0, lt=1)
    """Chance that a calibration is ever called drifted though nothing has changed, however long it is in use."""


class EarlyEscalationSettings(Settings):
    """Whether a draft is stopped while it is written, once it has to go up; see docs/guides/confidence.md."""

    stop: bool = True
    """Stop a draft that declines, or whose confidence can no longer reach its threshold whatever is still written."""
    false_stops: float = Field(default=0.0, ge=0, le=0.5)
    """Share of the drafts that would reach the threshold which may be stopped all the same. With more than 0 a draft is
    also stopped where it runs lower than labelled ones did; this needs a calibration that has seen drafts run."""
