"""`Reliability`: the confidence that was said beside the share of drafts that were right, in bins of equal mass."""

from __future__ import annotations

from collections.abc import Sequence

from moslm.escalation.calibration.judging import equal_mass_bins
from moslm.evals.figures import Figure, share
from moslm.evals.metrics.calibration_error import calibration_error
from moslm.evals.outcomes import Outcome
from moslm.evals.reporting.drafts import right, said, too_few, with_confidence
from moslm.evals.reporting.part import Part

_BINS, _IN_A_BIN = 10, 10


class ReliabilityBin(Part):
    """Drafts of about the same confidence."""

    said: float
    """Their mean confidence."""
    right: Figure
    """The share of them that was right; Wilson's interval, which takes drafts for independent."""


class Reliability(Part):
    """One system."""

    system: str
    drafts: int
    """Graded drafts with a confidence."""
    bins: tuple[ReliabilityBin, ...] = ()
    error: Figure
    """The expected calibration error."""
    why: str = ""
    """Why there are no bins."""


def reliability(system: str, outcomes: Sequence[Outcome]) -> Reliability:
    """Return the reliability of one system's confidence."""
    found = with_confidence(outcomes)
    error, why = calibration_error(outcomes), too_few(len(found))
    if why:
        return Reliability(system=system, drafts=len(found), error=error, why=why)
    bins = equal_mass_bins(said(found), right(found), min(_BINS, len(found) // _IN_A_BIN))
    made = [
        ReliabilityBin(said=each.probability, right=share(round(each.right * each.answers), each.answers))
        for each in bins
    ]
    return Reliability(system=system, drafts=len(found), bins=tuple(made), error=error)
