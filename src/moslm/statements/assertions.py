"""What a text asserts, in pieces that can be compared: content words, numbers, names, and whether it denies.

Lexical and English: it knows no meanings, only that a different number, date, name or "not" makes a different
statement, however alike the sentences look. Shared by the signals that hold one text against another.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

_MOST_CHARS = 20_000
"""What is looked at of a text: an absurdly long one must not cost seconds."""
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_NUMBER = re.compile(r"\d+(?:[,\u202f\u00a0 ]\d{3})+(?!\d)(?:\.\d+)?|\d+(?::\d{2})|\d+(?:\.\d+)?")
_SENTENCE_START = re.compile(r"(?:^|[.!?:;\n\"\u201c(])\s*$")
_NEGATION = re.compile(
    r"\b(?:no|not|never|none|nothing|nobody|neither|nor|without|cannot|forbidden|refused?)\b|n['\u2019]t\b",
    re.IGNORECASE,
)

# fmt: off
_FUNCTION_WORDS = frozenset(
    """a about above after again all also am an and any anyone are as ask at be because been before being below both
    but by can cannot could did do does doing don done each either else for from get give go got had has have
    having he her here him his how i if in into is isn it its just know last let like ll made make many may me
    might mine more most much must my neither need never no nobody none nor not nothing now of off ok on once
    one only or other our out over own per please possible re s same say she should so some still such t than
    that the their them then there these they thing this those through to too under until up upon us use very
    via want was way we well were what when where whether which while who whom whose why will with within
    without would yes yet you your""".split()  # noqa: SIM905
)
_NUMBER_WORDS = {
    word: str(value)
    for value, word in enumerate(
        """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
        seventeen eighteen nineteen twenty""".split()  # noqa: SIM905
    )
} | {"thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "ninety": "90", "hundred": "100"}
_FORMAL_NAMES = frozenset(
    """monday tuesday wednesday thursday friday saturday sunday january february march april june july august september
    october november december""".split()  # noqa: SIM905
)
# fmt: on


@dataclass(frozen=True, slots=True)
class Assertions:
    """The comparable pieces of one text."""

    words: frozenset[str]
    """Stems of its content words, names among them."""
    numbers: frozenset[str]
    """Its numbers, times and amounts as plain digits: ``1500``, ``13.5``, ``14:00``; number words as digits."""
    names: frozenset[str]
    """Stems of its proper names, weekdays and months."""
    denies: bool
    """Whether it holds a negation."""
    has_one: bool
    """Whether the word "one" stands in it, which may be a number or not."""

    def has_number(self, number: str) -> bool:
        """Tell whether a number stands in the text."""
        return number in self.numbers or (number == "1" and self.has_one)


@lru_cache(maxsize=64)  # several signals take the same draft and the same request apart
def assertions(text: str) -> Assertions:
    """Take a text apart.

    Args:
        text: Any text; what lies beyond its first 20,000 characters is not looked at.
    """
    plain = unicodedata.normalize("NFKC", text[:_MOST_CHARS])
    words, names, numbers, one = set[str](), set[str](), set[str](), False
    for match in _WORD.finditer(plain):
        word = match[0].lower().replace("\u2019", "'").removesuffix("'s")
        one = one or word == "one"
        if word in _NUMBER_WORDS and word != "one":
            numbers.add(_NUMBER_WORDS[word])
        elif word not in _FUNCTION_WORDS and len(word) > 1 and not word.endswith("n't"):
            words.add(stem(word))
            if word in _FORMAL_NAMES or _is_name(plain, match):
                names.add(stem(word))
    numbers.update(_plain_number(match[0]) for match in _NUMBER.finditer(plain))
    return Assertions(frozenset(words), frozenset(numbers), frozenset(names), _NEGATION.search(plain) is not None, one)


def together(texts: Iterable[str]) -> Assertions:
    """Take several texts apart as one."""
    return assertions("\n".join(text[:_MOST_CHARS] for text in texts))


def share(part: frozenset[str], whole: frozenset[str]) -> float:
    """Return the share of one set that lies in another; 1 for an empty one."""
    return len(part & whole) / len(part) if part else 1.0


def stem(word: str) -> str:
    """Cut an English ending, crudely: equal stems are nearly always the same word."""
    for ending, least in (("ies", 2), ("ing", 4), ("ed", 4), ("es", 4), ("ly", 4), ("s", 3)):
        if word.endswith(ending) and len(word) - len(ending) >= least and not word.endswith("ss"):
            bare = word[: -len(ending)] + ("y" if ending == "ies" else "")
            return bare[:-1] if len(bare) > 4 and bare[-1] == bare[-2] else bare.removesuffix("e")
    return word.removesuffix("e") if len(word) > 4 else word


def _is_name(text: str, match: re.Match[str]) -> bool:
    before = text[max(0, match.start() - 4) : match.start()]
    return match[0][0].isupper() and not _SENTENCE_START.search(before)


def _plain_number(written: str) -> str:
    digits = re.sub(r"[,\s\u202f\u00a0]", "", written)
    if ":" in digits:
        return digits
    whole, _, fraction = digits.partition(".")
    fraction = fraction.rstrip("0")
    return (whole.lstrip("0") or "0") + (f".{fraction}" if fraction else "")
