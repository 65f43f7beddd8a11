"""`Summary`: every figure of one system, on all suites together and on each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from moslm.evals.figures import Figure
from moslm.evals.metrics import METRICS, Metric, figures
from moslm.evals.outcomes import Outcome
from moslm.evals.reporting.part import Part, by_suite, by_system


class Summary(Part):
    """One system on one suite, or on all of them."""

    system: str
    suite: str | None = None
    """None where all suites are taken together."""
    outcomes: int
    endings: dict[str, int]
    """How the cases ended, the most frequent first."""
    figures: dict[str, Figure]


def summaries(outcomes: Sequence[Outcome], metrics: Mapping[str, Metric] = METRICS) -> tuple[Summary, ...]:
    """Return for each system its figures on all suites, then, where there are several, on each."""
    found = []
    for system, theirs in by_system(outcomes).items():
        found.append(_summary(system, None, theirs, metrics))
        suites = by_suite(theirs)
        if len(suites) > 1:
            found += [_summary(system, suite, part, metrics) for suite, part in suites.items()]
    return tuple(found)


def _summary(system: str, suite: str | None, outcomes: Sequence[Outcome], metrics: Mapping[str, Metric]) -> Summary:
    endings = Counter(each.ending for each in outcomes).most_common()
    return Summary(
        system=system,
        suite=suite,
        outcomes=len(outcomes),
        endings={str(ending): count for ending, count in endings},
        figures=figures(outcomes, metrics),
    )
