"""A stranger's trigger: legal requests that name a court go up, whatever the model thinks of them."""

from __future__ import annotations

from moslm import Evidence, Reason


def names_a_court(evidence: Evidence) -> Reason | None:
    if evidence.classification.domain != "legal" or evidence.drafts:
        return None
    return Reason(trigger="names_a_court", detail="legal requests are read by the large model here")
