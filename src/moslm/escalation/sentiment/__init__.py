"""How does whoever asks feel: upset, or in a position in which they must be treated with care?

*Vulnerable* is what a service must not answer by routine: bereavement, illness, hints of self-harm, minors, violence,
hardship. A small fitted scorer over hashed n-grams and the sentence vector of the classifier's encoder. It measures and
judges nothing; English.
"""

from __future__ import annotations

import re

from moslm.escalation.sentiment.scoring import SHIPPED, read_scorer

MOODS = ("upset", "vulnerable")
_SENTENCE = re.compile(r"(?<=[.!?\n])\s+")
_WHOLE, _SHORT, _LONGEST = 200, 80, 400
"""Characters up to which a text is read as a whole, up to which sentences are taken together, and that are read of one:
what is said in one sentence of a letter is lost among the others, and half of a short message is not what it says."""


def moods(text: str) -> dict[str, float]:
    """Return how surely whoever wrote a text reads as upset, and as vulnerable.

    Args:
        text: The last user message. A long one is read sentence by sentence, and the surest counts.

    Returns:
        A number between 0 and 1 for each mood; 0.5 is where the share of ordinary requests that was allowed when the
        scorer was fitted would be taken for it.

    Raises:
        ConfigError: The shipped artefact is damaged or was fitted on other features.
    """
    found = read_scorer(SHIPPED).probabilities(pieces(text))
    return {mood: round(float(value), 6) for mood, value in zip(MOODS, found, strict=True)}


def pieces(text: str) -> list[str]:
    """Return a short text as it is, a long one in its sentences, the shortest taken together; at least one piece."""
    if len(text) <= _WHOLE:
        return [text.strip()]
    found = [""]
    for sentence in _SENTENCE.split(text.strip()):
        together = f"{found[-1]} {sentence[:_LONGEST]}".strip()
        if len(together) <= _SHORT or not found[-1]:
            found[-1] = together
        else:
            found.append(sentence[:_LONGEST])
    return found
