"""How clearly the request belongs to the domain that answered it."""

from __future__ import annotations

from moslm.decision import Signal
from moslm.state import Draft


def classifier_margin(draft: Draft) -> Signal:
    """Return the gap between the probabilities of the answering domain and of the next one; 0 when another leads."""
    found = draft.get("classification")
    if not found:
        return Signal(name="classifier_margin", why="the request was not classified")
    probabilities, domain = found["probabilities"], draft["task"]["domain"]
    rival = max((p for name, p in probabilities.items() if name != domain), default=0.0)
    value = min(max(probabilities.get(domain, 0.0) - rival, 0.0), 1.0)
    return Signal(name="classifier_margin", value=value, why=f"lead of {domain} over the next domain")
