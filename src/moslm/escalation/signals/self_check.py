"""Whether the model, asked about its own answer, says that it is right. Costly: it must be asked for."""

from __future__ import annotations

import math

from moslm.decision import Signal
from moslm.state import Draft


def self_check(draft: Draft) -> Signal:
    """Return the probability of "yes" against "no" to the question whether the answer is right."""
    said = (draft.get("opinions") or {}).get("self_check")
    if said is None:
        return Signal(name="self_check", why="the model was not asked about its answer")
    yes = said.get("yes")
    if yes is None or not math.isfinite(yes) or not 0 <= yes <= 1:
        return Signal(name="self_check", why=said.get("error") or "the server listed neither yes nor no")
    return Signal(name="self_check", value=yes, why=f'probability of "yes" by {said["model"]}')
