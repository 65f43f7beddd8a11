"""Is something strong asked for, or only named? Judged by the words around it, within one piece of a sentence.

Works on text that ``spelling.plain`` has made plain.
"""

from __future__ import annotations

import re

from moslm.escalation.wishes import against, requests, strong
from moslm.escalation.wishes.clauses import Piece

_BEFORE = 140
_AFTER = 120


def asks(piece: Piece) -> bool:
    """Tell whether this piece of a sentence asks for a strong model or thorough reasoning by itself."""
    text = piece.text
    if against.NOT_TO_US.search(text) or against.NOT_TO_US_BEFORE.search(piece.earlier):
        return False
    if any(_refuses(text[: found.start()]) for found in strong.NOT_THE_SMALL.finditer(text)):
        return True
    if any(_refuses(text[: found.start()]) for found in strong.NOT_ENOUGH.finditer(text)):
        return True
    if any(_told(text[: found.start()], text[found.end() :]) for found in strong.THINK_HARD.finditer(text)):
        return True
    if any(not against.DECLINED_HERE.search(text[: found.start()]) for found in strong.ULTRATHINK.finditer(text)):
        return True
    return any(
        _wanted(text[max(0, found.start() - _BEFORE) : found.start()], text[found.end() :][:_AFTER], piece, name)
        for name, pattern in (("model", strong.MODEL), ("reasoning", strong.REASONING))
        for found in pattern.finditer(text)
    )


def refuses_the_small_one(text: str) -> bool:
    """Tell whether the small model is refused here, so that "the good one" means a model."""
    return any(_refuses(text[: found.start()]) for found in strong.NOT_THE_SMALL.finditer(text))


def set_aside(sentence: str, parts: list[Piece]) -> bool:
    """Tell whether a rule speaks against a wish: declined, asked about, supposed, quoted or part of a name."""
    if any(
        against.NOT_TO_US.search(part.text) or against.QUESTION.search(part.text) for part in parts
    ) or against.PAST.search(sentence):
        return True
    if '"~' in sentence or against.NOT_FOR_A_MODEL.search(sentence):
        return True
    return any(
        against.DECLINED.search(sentence[max(0, found.start() - 60) : found.start()])
        or against.DECLINED_AFTER.search(sentence[found.end() :][:_AFTER])
        or against.PART_OF_A_NAME.search(sentence[found.end() :][:_AFTER])
        or against.SUBJECT_OF_A_FACT.search(sentence[found.end() :][:_AFTER])
        for pattern in (strong.MODEL, strong.REASONING, strong.THINK_HARD)
        for found in pattern.finditer(sentence)
    )


def offers_a_condition(sentence: str) -> bool:
    """Tell "if you have a stronger model, use it" from idle conditions."""
    found = requests.IF_THERE_IS.search(sentence)
    return bool(
        found
        and strong.MODEL.search(sentence, found.start(), found.end() + 60)
        and requests.THEN_USE_IT.search(sentence)
    )


def _refuses(before: str) -> bool:
    return not against.IN_PASSING.search(before) and not against.DECLINED.search(before)


def _told(before: str, after: str) -> bool:
    """Tell an order from a description: nothing but openers and requests may stand before the verb.

    People who type without stops put it at the end ("is it cheaper to pay yearly think hard about it").
    """
    if not after.strip(" .!") and requests.ENDS_UP_AS_AN_ORDER.search(before):
        return True
    return (
        bool(requests.ORDER.search(before))
        and not against.DECLINED.search(before)
        and not against.QUESTION.search(before)
    )


def _wanted(before: str, after: str, piece: Piece, name: str) -> bool:
    if against.DECLINED.search(before) or against.DECLINED_AFTER.search(after) or against.PART_OF_A_NAME.search(after):
        return False
    if against.POLICY.search(after) or against.SUBJECT_OF_A_FACT.search(after):
        return False
    if _alone(before, after, piece, name):
        return True
    appended = requests.APPENDED.search(before)
    if appended and requests.CLOSING.search(after):
        return not against.NOT_IT_ITSELF.search(before[appended.start() :])
    asked = requests.ASKED.search(before)
    if asked:
        return not _passing(before, asked) and (
            not against.LOOSE.search(asked.group()) or not against.A_NOUN_FOLLOWS.search(after)
        )
    if against.QUESTION.search(before) or against.IN_PASSING.search(before):
        return False
    return bool(
        requests.THEN_PLEASE.search(after)
        or (requests.MAY_IT.search(before) and requests.DO_IT.search(after))
        or ((requests.NEEDED.search(after) or requests.SHOULD_DO_IT.search(after)) and requests.OPENING.search(before))
    )


def _passing(before: str, asked: re.Match[str]) -> bool:
    lead = before[: asked.start()]
    if requests.PLEASE_DO.search(lead):
        return bool(against.NOT_IT_ITSELF.search(before[asked.start() :]))
    return bool(
        against.PAST.search(before)
        or against.IN_PASSING.search(lead)
        or against.QUESTION.search(before)
        or against.NOT_IT_ITSELF.search(before[asked.start() :])
    )


def _alone(before: str, after: str, piece: Piece, name: str) -> bool:
    """Tell "advanced reasoning please" and "strongest model: ..." from a subject of a sentence cut at a comma."""
    if not (requests.OPENING.search(before) and requests.CLOSING.search(after)):
        return False
    if against.DECLINED_AFTER.search(piece.later):
        return False
    whole = not piece.before and not piece.after
    return (
        whole
        or bool(after.strip())
        or piece.after in _ANNOUNCES
        or (not piece.after and not before.strip())
        or name == "reasoning"
    )


_ANNOUNCES = frozenset((":", "-", "–", "—", "|", ")", "("))
