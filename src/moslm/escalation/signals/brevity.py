"""How short the draft is: small models that ramble are seldom right."""

from __future__ import annotations

import math

from moslm.decision import Signal
from moslm.state import Draft

_SCALE = 30
"""Words after which the value has fallen to 1/e."""
_LONG = 2000
"""Words beyond which nothing is counted: the value is 0 to four digits long before."""


def brevity(draft: Draft) -> Signal:
    """Return ``exp(-words / 30)``; 0 for an answer that was cut off at its longest length, or is empty."""
    words = len(draft["text"].split(maxsplit=_LONG))
    if draft.get("cut_off"):
        return Signal(name="brevity", value=0.0, why="the answer was cut off at its longest length")
    if not words:
        return Signal(name="brevity", value=0.0, why="the answer is empty")
    return Signal(name="brevity", value=math.exp(-(words - 1) / _SCALE), why=f"{words} words")
