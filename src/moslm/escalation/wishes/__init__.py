"""Does a request ask, in so many words, for advanced reasoning or the strongest model?

A grammar rather than a list of phrases. A sentence counts when a piece of it names something strong ("advanced
reasoning", "your best model", "GPT-4") *and* asks for it ("use", "switch to", "I need", "... please"), when it tells us
to think hard, when it refuses the small model, or when it carries a mark ("/think", "[reasoning: high]"). Naming it in
passing, asking what it is, quoting, supposing, declining it or wanting it for somebody's training does not count. Small
slips of the finger are read through. Where no rule speaks for a wish or against one, a small fitted scorer, which hears
how the sentence reads as a whole, decides. English.
"""

from __future__ import annotations

from collections.abc import Sequence

from moslm.escalation.wishes.asking import asks, offers_a_condition, refuses_the_small_one, set_aside
from moslm.escalation.wishes.clauses import pieces, sentences
from moslm.escalation.wishes.markers import marked
from moslm.escalation.wishes.scoring import odds_by_words, score, worth_asking
from moslm.escalation.wishes.spelling import plain
from moslm.escalation.wishes.strong import HINT, LISTED, THE_BIG_ONE

_LONGEST_CLAUSE = 400
_LONGEST_SCORED = 300
_FOR_A_HINT = 2.5
"""How much less a sentence with a word like "best" must read like a wish, in log-odds by its words, to be put to the
encoder. Two in three that have such a word speak of something else, and no wish of ``corpus`` is lost with them."""
_AT_EITHER_END, _MOST_SCORED = 40, 12
"""Sentences whose words are weighed at the beginning and at the end, and sentences that are read by the encoder."""


def explicit_wish(text: str) -> str | None:
    """Return the clause that asks for advanced reasoning or the strongest model; None when none does.

    Args:
        text: The last user message. Of a long one the first and last 10,000 characters are read.
    """
    found = list(sentences(text))
    unsaid: list[tuple[int, str, bool]] = []
    for number, (original, blanked) in enumerate(found):
        sentence = plain(blanked)
        hinted = HINT.search(sentence) is not None
        if hinted and _says_so(sentence, first=number == 0, last=number == len(found) - 1):
            return original[:_LONGEST_CLAUSE].strip()
        near_an_end = min(number, len(found) - 1 - number) < _AT_EITHER_END
        if near_an_end and len(sentence) <= _LONGEST_SCORED:
            unsaid.append((number, sentence, hinted))
    for number, sentence in _worth_reading(unsaid):
        if not findings(sentence)[1] and score(sentence) > 0:
            return found[number][0][:_LONGEST_CLAUSE].strip()
    return None


def _worth_reading(unsaid: Sequence[tuple[int, str, bool]]) -> list[tuple[int, str]]:
    """Return those of (number, sentence, whether it hints at a wish) the encoder is asked about, in reading order."""
    odds = odds_by_words([sentence for _, sentence, _ in unsaid])
    left_open = [
        (each, number, sentence)
        for each, (number, sentence, hinted) in zip(odds, unsaid, strict=True)
        if each > worth_asking() - (_FOR_A_HINT if hinted else 0)
    ]
    likeliest = sorted(left_open, reverse=True)[:_MOST_SCORED]
    return sorted((number, sentence) for _, number, sentence in likeliest)


def _says_so(sentence: str, *, first: bool, last: bool) -> bool:
    """Tell whether a plain sentence is a wish by its marks, or because the grammar hears it ask."""
    return marked(sentence, first=first, last=last) or offers_a_condition(sentence) or findings(sentence)[0]


def findings(sentence: str) -> tuple[bool, bool]:
    """Return whether the grammar hears a plain sentence ask, and whether a rule of it speaks against a wish."""
    parts = pieces(LISTED.sub(" ", sentence))
    asked = any(asks(part) for part in parts)
    asked = asked or (len(parts) > 1 and refuses_the_small_one(sentence) and THE_BIG_ONE.search(sentence) is not None)
    return asked, set_aside(sentence, parts)
