"""A stranger's signal: hedging words speak against a draft."""

from __future__ import annotations

from moslm import Signal

HEDGES = ("perhaps", "maybe", "i think", "probably", "not sure")


def hedging(draft) -> Signal:
    found = [word for word in HEDGES if word in draft["text"].lower()]
    return Signal(name="hedging", value=0.2 if found else 0.95, why=f"hedges: {', '.join(found) or 'none'}")
