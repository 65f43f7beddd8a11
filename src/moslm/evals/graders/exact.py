"""``exact``: the answer is the expected text, in any case and whatever stands at its edges.

``expected`` is a text, or a list of texts any of which will do. With ``options = {"words": true}`` an answer that
shares words with the expected one gets a part of the points (F1 of its words, as SQuAD counts them).
"""

from __future__ import annotations

from collections import Counter

from moslm.evals.cases import Case
from moslm.evals.graders.graded import Grade, Graded, points, unparsed
from moslm.evals.graders.said import marked, normalised


def exact(case: Case) -> Grade:
    """Return the grade of a case."""
    wanted = [case.expected] if isinstance(case.expected, str) else case.expected
    if not isinstance(wanted, list) or not wanted or not all(isinstance(each, str) for each in wanted):
        raise ValueError("expects a text, or a list of texts")
    texts = [_compared(str(each)) for each in wanted]
    if not all(texts):
        raise ValueError("expects a text that holds anything")
    by_words = bool(case.options.get("words"))

    def grade(answer: str) -> Graded:
        said = _compared(marked(answer) or answer)
        if not said:
            return unparsed("the answer holds no words")
        if said in texts:
            return points(1.0)
        shared = max(_f1(said, text) for text in texts) if by_words else 0.0
        return points(shared, f"expected {texts[0][:80]!r}")

    return grade


def _compared(text: str) -> str:
    """Return a text as it is compared; one of brackets or signs alone is compared as it stands."""
    return normalised(text) or " ".join(text.split())


def _f1(said: str, text: str) -> float:
    ours, theirs = Counter(said.split()), Counter(text.split())
    both = sum((ours & theirs).values())
    # the same words in another order are not the same text
    return min(2 * both / (sum(ours.values()) + sum(theirs.values())), 0.99)
