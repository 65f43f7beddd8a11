"""`Crossing`: whether escalating was needed, against whether it was done."""

from __future__ import annotations

from collections.abc import Sequence

from moslm.evals.figures import Figure
from moslm.evals.metrics.escalation_precision import escalation_precision
from moslm.evals.metrics.escalation_recall import escalation_recall
from moslm.evals.metrics.escalation_share import escalation_share
from moslm.evals.metrics.needed import needed, with_graded_drafts
from moslm.evals.metrics.scope import asked, judged, went_up
from moslm.evals.outcomes import Outcome
from moslm.evals.reporting.part import Part


class Crossing(Part):
    """One system; counts of requests whose draft was graded."""

    system: str
    needed_up: int
    """The draft would not have done, and was not shown."""
    needed_stayed: int
    """It would not have done, and was shown."""
    fine_up: int
    """It would have done, and was not shown."""
    fine_stayed: int
    ungraded_up: int
    """Went up, and nobody knows what the draft was worth: none was made, or it could not be graded."""
    ungraded_stayed: int
    share: Figure
    precision: Figure
    recall: Figure
    why: str = ""
    """Why the table is empty."""


def crossing(system: str, outcomes: Sequence[Outcome]) -> Crossing:
    """Return the table of one system."""
    graded = with_graded_drafts(outcomes)
    others = [each for each in asked(outcomes) if judged(each) and each.draft_score is None]
    counts = {(need, up): 0 for need in (True, False) for up in (True, False)}
    for each in graded:
        counts[needed(each), went_up(each)] += 1
    ungraded_up = sum(map(went_up, others))
    return Crossing(
        system=system,
        needed_up=counts[True, True],
        needed_stayed=counts[True, False],
        fine_up=counts[False, True],
        fine_stayed=counts[False, False],
        ungraded_up=ungraded_up,
        ungraded_stayed=len(others) - ungraded_up,
        share=escalation_share(outcomes),
        precision=escalation_precision(outcomes),
        recall=escalation_recall(outcomes),
        why="" if graded else "no draft of the small models was graded",
    )
