"""``choice``: one or several of the choices that stand in the question, by letter or by words.

``expected`` is a letter (``"B"``, ``"(B)"``), a list of letters, or the words of one of
``options = {"choices": [...]}``. Choices with ``letters = false`` are named by their words alone, such as the classes
of a ticket. An answer that names no choice, or several where it does not say which one it means, is ``unparsed``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from moslm.evals.cases import Case
from moslm.evals.graders.graded import Grade, Graded, points, unparsed
from moslm.evals.graders.said import marked, normalised

_LETTER = r"[A-Z]"
_BRACKETED = re.compile(rf"^\W*\(({_LETTER})\)(?:\W+(?:and\W+)?\(({_LETTER})\))*\W*$")
_LIST = re.compile(
    rf"^\W*(?:options?|choices?|answers?)?\W*({_LETTER}(?:\s*(?:[,;/&+]|\band\b|\s)\s*{_LETTER})*)(?=\W*$|[).:]|\s*\n)"
)
_TOGETHER = re.compile(rf"^\W*({_LETTER}{{2,8}})\W*$")
_NAMED = re.compile(rf"\(({_LETTER})\)|\b(?:[Oo]ption|[Cc]hoice|[Aa]nswer(?:\s+is)?:?)\s+\(?\**({_LETTER})\b(?!')")
_SAYS = re.compile(r"answers?\s+(?:is|are|would be|must be)\W+(?:option|choice)?\s*(.{1,40})", re.IGNORECASE)


def choice(case: Case) -> Grade:
    """Return the grade of a case."""
    choices = _choices(case)
    by_letter = case.options.get("letters", True) is not False
    wanted = _expected(case, choices, by_letter)
    most = len(choices) if choices else 26

    def grade(answer: str) -> Graded:
        said = _letters(answer, most) if by_letter else None
        if not said and choices:
            said = _by_words(answer, choices)
        if not said:
            return unparsed("names no choice, or leaves open which one")
        right = frozenset(said) == wanted
        named = ", ".join(sorted(said))
        return points(1.0 if right else 0.0, "" if right else f"{named}, expected {', '.join(sorted(wanted))}")

    return grade


def _letters(answer: str, most: int) -> frozenset[str] | None:
    """Return the letters an answer means, or None where that cannot be told."""
    behind = marked(answer)
    if behind is None and (said := _SAYS.findall(answer)):
        behind = said[-1]
    found = _meant(behind or answer, behind is not None)
    return found if found and all(ord(each) - 65 < most for each in found) else None


def _meant(text: str, told: bool) -> frozenset[str] | None:
    """Return the letters of a text; several in passing are no answer unless the text is known to be one."""
    listed, named = _listed(text), _named(text)
    if listed is not None:
        return listed if told or not named or named <= listed else None
    return named if told or (named and len(named) == 1) else None


def _listed(text: str) -> frozenset[str] | None:
    """Return the letters of a text that begins with them, as ``B``, ``(B)``, ``B. OSPF`` and ``C, D and F`` do."""
    together = _TOGETHER.match(text)
    if together and len(set(together[1])) == len(together[1]) and list(together[1]) == sorted(together[1]):
        return frozenset(together[1])
    if _BRACKETED.match(text):
        return frozenset(re.findall(rf"\(({_LETTER})\)", text))
    match = _LIST.match(text)
    if match is None:
        return None
    found = frozenset(re.findall(_LETTER, re.sub(r"(?i)^\W*(?:options?|choices?|answers?)", "", match[0])))
    return found or None


def _named(text: str) -> frozenset[str] | None:
    return frozenset(a or b for a, b in _NAMED.findall(text)) or None


def _by_words(answer: str, choices: Sequence[str]) -> frozenset[str] | None:
    """Return the one choice whose words an answer holds; a choice inside a longer one does not count beside it."""
    said = _words(marked(answer) or answer)
    held = [i for i, words in enumerate(choices) if _words(words) in said]
    longest = [i for i in held if not any(j != i and normalised(choices[i]) in normalised(choices[j]) for j in held)]
    return frozenset(chr(65 + longest[0])) if len(longest) == 1 else None


def _words(text: str) -> str:
    plain = re.sub(r"[^\w%.-]+", " ", normalised(text))
    return f" {plain.strip()} "


def _choices(case: Case) -> list[str]:
    found = case.options.get("choices") or []
    if not isinstance(found, list) or not all(isinstance(each, str) and each.strip() for each in found):
        raise ValueError("choices must be a list of texts")
    if len(found) > 26:
        raise ValueError(f"has {len(found)} choices, and the most is 26")
    return found


def _expected(case: Case, choices: Sequence[str], by_letter: bool) -> frozenset[str]:
    given = case.expected if isinstance(case.expected, list) else [case.expected]
    words, found = [normalised(each) for each in choices], set()
    for each in given:
        text = each.strip() if isinstance(each, str) else ""
        letter = re.fullmatch(rf"\(?({_LETTER})\)?", text) if by_letter else None
        if letter:
            found.add(letter[1])
        elif text and normalised(text) in words:
            found.add(chr(65 + words.index(normalised(text))))
        else:
            raise ValueError(f"expects {each!r}, which is no letter and none of the choices")
    if not found:
        raise ValueError("expects a letter")
    if choices and max(ord(each) - 64 for each in found) > len(choices):
        raise ValueError(f"expects {max(found)}, and there are {len(choices)} choices")
    return frozenset(found)
