"""Does a request ask, in so many words, for advanced reasoning or the strongest model?

A grammar rather than a list of phrases. A sentence counts when a piece of it names something strong ("advanced
reasoning", "your best model", "GPT-4") *and* asks for it ("use", "switch to", "I need", "... please"), when it tells us
to think hard, when it refuses the small model, or when it carries a mark ("/think", "[reasoning: high]"). Naming it in
passing, asking what it is, quoting, supposing, declining it or wanting it for somebody's training does not count. Small
slips of the finger are read through. Where the rules find neither a wish nor a reason against one, a small
fitted scorer decides. English.
"""

from __future__ import annotations

from moslm.escalation.wishes.asking import asks, offers_a_condition, refuses_the_small_one, set_aside
from moslm.escalation.wishes.clauses import pieces, sentences
from moslm.escalation.wishes.markers import marked
from moslm.escalation.wishes.scoring import score
from moslm.escalation.wishes.spelling import plain
from moslm.escalation.wishes.strong import HINT, LISTED, SUBJECT, THE_BIG_ONE

_LONGEST_CLAUSE = 400
_LONGEST_SCORED = 300


def explicit_wish(text: str) -> str | None:
    """Return the clause that asks for advanced reasoning or the strongest model; None when none does.

    Args:
        text: The last user message. Of a long one the first and last 10,000 characters are read.
    """
    found = list(sentences(text))
    for number, (original, blanked) in enumerate(found):
        if _is_wish(plain(blanked), first=number == 0, last=number == len(found) - 1):
            return original[:_LONGEST_CLAUSE].strip()
    return None


def _is_wish(sentence: str, *, first: bool, last: bool) -> bool:
    if not HINT.search(sentence):
        return False
    if marked(sentence, first=first, last=last) or offers_a_condition(sentence):
        return True
    parts = pieces(LISTED.sub(" ", sentence))
    if any(asks(part) for part in parts):
        return True
    if len(parts) > 1 and refuses_the_small_one(sentence) and THE_BIG_ONE.search(sentence):
        return True
    if len(sentence) > _LONGEST_SCORED or not SUBJECT.search(sentence):
        return False
    return not set_aside(sentence, parts) and score(sentence) > 0
