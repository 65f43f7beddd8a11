"""Reads a conversation as a chain of subjects: people mostly stay with one, and sometimes turn to another.

A forward filter over the user's turns (Rabiner, 1989): the belief after one turn, loosened by the chance that the
subject changes, is the prior for the next; a message that says little moves it little. Assistant turns are not read:
what a model or a tool wrote is no evidence of what the person wants. Knows neither texts nor labels, only numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STAY = 0.8
"""Chance that the next message stays with the subject; chosen on MultiDoGO dev conversations."""
_UNDECIDED = 0.6


@dataclass(frozen=True, slots=True)
class Belief:
    """What is believed after the last turn: ``probabilities`` (k), and whether the earlier turns decided it."""

    probabilities: NDArray[np.float64]
    continued: bool


def follow(evidence: Sequence[NDArray[np.float64]], informative: Sequence[float], *, stay: float = STAY) -> Belief:
    """Return the belief after the last turn.

    Args:
        evidence: For each user turn, oldest first, the probabilities (k) its text alone gives.
        informative: For each turn how far it settles its own subject, 0 to 1.
        stay: Chance that a message stays with the subject before it.
    """
    count = len(evidence[-1])
    earlier = np.full(count, 1 / count)
    for alone, weight in zip(evidence[:-1], informative[:-1], strict=True):
        earlier = _updated(_loosened(earlier, stay), alone, weight)
    if len(evidence) == 1:
        return Belief(np.asarray(evidence[-1]), continued=False)
    alone = _updated(np.full(count, 1 / count), evidence[-1], informative[-1])
    belief = _updated(_loosened(earlier, stay), evidence[-1], informative[-1])
    stayed = int(belief.argmax()) == int(earlier.argmax())
    unsaid = alone.max() < _UNDECIDED or int(alone.argmax()) != int(belief.argmax())
    return Belief(belief, continued=bool(stayed and unsaid))


def _loosened(belief: NDArray[np.float64], stay: float) -> NDArray[np.float64]:
    return stay * belief + (1 - stay) / len(belief)


def _updated(prior: NDArray[np.float64], alone: NDArray[np.float64], weight: float) -> NDArray[np.float64]:
    joint = prior * np.maximum(alone, 1e-9) ** weight
    return np.asarray(joint / joint.sum())
