"""Which outcomes a metric is about: those that were put to a model, those that were routed, those that went up."""

from __future__ import annotations

from collections.abc import Sequence

from moslm.evals.cases import ROUTING
from moslm.evals.outcomes import Outcome


def only_routed(outcome: Outcome) -> bool:
    """Tell whether an outcome is of a case that was judged and put to no model."""
    return outcome.tags.get("grader") == ROUTING


def asked(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the outcomes of cases that were put to somebody."""
    return [each for each in outcomes if not only_routed(each)]


def groups(outcomes: Sequence[Outcome]) -> list[str]:
    """Return the group of each outcome, which is one within its suite."""
    return [f"{each.suite}/{each.group}" for each in outcomes]


def went_up(outcome: Outcome) -> bool:
    """Tell whether a request left the small models: for the large one, or for a person.

    Of a case that was only routed, what was ordered says so.
    """
    if only_routed(outcome):
        return outcome.tags.get("ordered") in ("escalate", "review")
    return outcome.way in ("escalated", "handed_over")


def judged(outcome: Outcome) -> bool:
    """Tell whether it was decided at all which way a request goes: not where it was refused, or nothing came."""
    return only_routed(outcome) or outcome.way not in ("refused", "none")
