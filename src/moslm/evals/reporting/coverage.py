"""`Coverage`: the share of kept drafts that is wrong, however many are kept, and where the threshold stands."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from moslm.escalation.calibration.judging import aurc, risk_coverage
from moslm.evals.figures import Figure, share
from moslm.evals.metrics.needed import needed
from moslm.evals.outcomes import Outcome
from moslm.evals.reporting.drafts import right, said, too_few, with_confidence
from moslm.evals.reporting.part import Part

_SHOWN = 120
_STEADY = 10
"""Kept drafts from which on the curve is drawn: before, one draft moves it by more than it says."""


class CoveragePoint(Part):
    """So many drafts kept, the most confident first."""

    coverage: float
    """Share of the drafts that is kept."""
    risk: float
    """Share of the kept that is wrong; of equal confidence, as many as in the mean."""
    low: float
    high: float
    """Wilson's 95 % interval of it, which takes drafts for independent."""


class Kept(Part):
    """One choice of which drafts are kept."""

    coverage: Figure
    risk: Figure


class Coverage(Part):
    """One system."""

    system: str
    drafts: int
    points: tuple[CoveragePoint, ...] = ()
    area: float | None = None
    """Under the curve: the mean risk over all coverages; lower is better."""
    thresholds: tuple[float, ...] = ()
    """Those in force, the lowest first; domains may have their own."""
    at_threshold: Kept | None = None
    """If nothing but the threshold decided; None where no outcome states one."""
    in_fact: Kept | None = None
    """What was kept: other triggers send drafts up too."""
    why: str = ""
    """Why there is no curve."""


def coverage(system: str, outcomes: Sequence[Outcome]) -> Coverage:
    """Return risk against coverage of one system."""
    found = with_confidence(outcomes)
    if why := too_few(len(found)):
        return Coverage(system=system, drafts=len(found), why=why)
    probabilities, fine = said(found), right(found)
    covered, risk = risk_coverage(probabilities, fine)
    places = np.unique(np.linspace(_STEADY - 1, len(found) - 1, _SHOWN).round().astype(np.intp))
    stated = [each for each in found if each.threshold is not None]
    passing = [each for each in stated if (each.confidence or 0.0) >= (each.threshold or 0.0)]
    return Coverage(
        system=system,
        drafts=len(found),
        points=tuple(_point(int(place) + 1, float(covered[place]), float(risk[place])) for place in places),
        area=aurc(probabilities, fine),
        thresholds=tuple(sorted({each.threshold for each in found if each.threshold is not None})),
        at_threshold=_kept(passing, len(stated)) if len(stated) == len(found) else None,
        in_fact=_kept([each for each in found if each.way == "local"], len(found)),
    )


def _point(kept: int, covered: float, risk: float) -> CoveragePoint:
    around = share(min(kept, round(risk * kept)), kept)
    # of a tie only a part is kept, so the counted share may lie a little beside the mean
    low, high = min(around.low or 0.0, risk), max(around.high or 0.0, risk)
    return CoveragePoint(coverage=covered, risk=risk, low=low, high=high)


def _kept(outcomes: Sequence[Outcome], of: int) -> Kept:
    return Kept(
        coverage=share(len(outcomes), of),
        risk=share(sum(map(needed, outcomes)), len(outcomes)),
    )
