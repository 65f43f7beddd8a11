"""Which outcomes say something of a confidence: those whose draft was graded and whose confidence is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from moslm.evals.metrics.needed import needed, with_graded_drafts
from moslm.evals.outcomes import Outcome

LEAST = 20
"""Fewer drafts draw no curve: chance alone would."""


def with_confidence(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the outcomes with a graded draft and a known confidence in it."""
    return [each for each in with_graded_drafts(outcomes) if each.confidence is not None]


def said(outcomes: Sequence[Outcome]) -> NDArray[np.float64]:
    """Return the confidence of each."""
    return np.array([each.confidence for each in outcomes], dtype=np.float64)


def right(outcomes: Sequence[Outcome]) -> NDArray[np.bool_]:
    """Return whether each draft would have done."""
    return np.array([not needed(each) for each in outcomes], dtype=bool)


def too_few(count: int) -> str:
    """Return why nothing is drawn from so many drafts; empty where they are enough."""
    if count == 0:
        return "no draft was graded that had a confidence"
    return f"only {count} graded drafts had a confidence, and {LEAST} are the least" if count < LEAST else ""
