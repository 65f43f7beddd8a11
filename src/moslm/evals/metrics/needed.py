"""Whether escalating was needed: the small model's draft, kept or not, was graded too, and it was not good enough."""

from __future__ import annotations

from collections.abc import Sequence

from moslm.evals.metrics.scope import asked, judged
from moslm.evals.outcomes import Outcome

ENOUGH = 0.5
"""Points from which on a draft would have done."""


def with_graded_drafts(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the outcomes whose draft was graded: only of these it is known whether escalating was needed."""
    return [each for each in asked(outcomes) if each.draft_score is not None and judged(each)]


def needed(outcome: Outcome) -> bool:
    """Tell whether the draft would not have done."""
    return outcome.draft_score is not None and outcome.draft_score < ENOUGH


UNKNOWN = "no draft was graded"
