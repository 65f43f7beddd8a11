"""Which answers may be remembered at all: those that the same words would get again.

Read from the closed record, so that nothing is remembered that the record does not vouch for.
"""

from __future__ import annotations

from moslm.decision import Decision

UNCHANGING = frozenset({"search_handbook"})
"""Tools that read nothing but what is part of the partition: the handbook."""


def repeatable(decision: Decision) -> bool:
    """Tell whether the same words would get the same answer: no tool, no person, no cap and no notice had a part."""
    used = {use.name for draft in decision.drafts for use in draft.tools}
    return (
        decision.outcome in ("answered", "escalated")
        and decision.answered_by != "person"
        and used <= UNCHANGING
        and not decision.reviews
        and not decision.calls
        and (decision.budget is None or decision.budget.at_cap is None)
    )


def of_one_small_model(decision: Decision) -> bool:
    """Tell whether a single draft is the whole answer, so that its model can be asked again."""
    return decision.outcome == "answered" and len(decision.drafts) == 1 and decision.drafts[0].accepted
