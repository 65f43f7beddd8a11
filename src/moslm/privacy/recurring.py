"""`Recurring`: finds what was found before in a conversation wherever it stands again."""

from __future__ import annotations

import re
from collections.abc import Iterable

from moslm.privacy.recognisers.finding import Finding
from moslm.privacy.recognisers.seams import PART

_SHORTEST = 5
"""Characters of a value that is looked for in any case; shorter ones are too often words."""
_SHORTEST_NAME = 3
_WORDS = frozenset(
    {
        *("will", "mark", "may", "bill", "rich", "grant", "hope", "grace", "faith", "summer", "drew", "chase"),
        *("rose", "dean", "frank", "art", "guy", "jack", "rob", "pat", "sue", "ray", "dale", "glen", "cliff"),
        *("heath", "brook", "page", "case", "long", "short", "young", "king", "bishop", "baker", "cook"),
        *("price", "white", "black", "brown", "green", "gray", "grey", "stone", "wood", "field", "hill"),
        *("lake", "rivers", "banks", "bank", "west", "east", "north", "south", "day", "knight", "major"),
        *("judge", "best", "good", "love", "sharp", "strong", "new", "all", "der", "den", "van", "von", "mit"),
        *("und", "the", "and", "for", "our", "your", "you", "please", "dear", "mister", "miss", "frau"),
        *("herr", "april", "june", "august", "monday", "friday", "sunday"),
    }
)
"""Names that are words: alone they are hidden only where a recogniser finds them."""
_LEFT_ALONE = ("LITERAL", "ENCODED")
_ALTERNATIVES = 500
"""Values in one expression."""


class Recurring:
    """A recogniser of values that are known.

    Args:
        values: Kind and text of each.
    """

    def __init__(self, values: Iterable[tuple[str, str]]) -> None:
        exact: dict[str, str] = {}
        loose: dict[str, str] = {}
        for kind, text in values:
            if kind in _LEFT_ALONE or kind.endswith(PART):
                continue
            if kind == "PERSON":
                exact.update((part, kind) for part in _parts_of_name(text))
            if len(text) >= _SHORTEST:
                loose[" ".join(text.split()).casefold()] = kind
        self._kinds = {**exact, **loose}
        self._expressions = [*_expressions(exact, re.NOFLAG), *_expressions(loose, re.IGNORECASE)]

    def find(self, text: str) -> list[Finding]:
        """Return where known values stand."""
        return [
            Finding(*match.span(), self._kind(match.group()), 0.5)
            for expression in self._expressions
            for match in expression.finditer(text)
        ]

    def _kind(self, text: str) -> str:
        return self._kinds.get(text) or self._kinds.get(" ".join(text.split()).casefold(), "PERSON")


def _parts_of_name(name: str) -> list[str]:
    parts = re.findall(r"[^\W\d_]+(?:['’-][^\W\d_]+)*", name)
    return [
        each for each in parts if len(each) >= _SHORTEST_NAME and each[0].isupper() and each.casefold() not in _WORDS
    ]


def _expressions(values: dict[str, str], flags: re.RegexFlag) -> list[re.Pattern[str]]:
    longest_first = sorted(values, key=len, reverse=True)
    batches = [longest_first[at : at + _ALTERNATIVES] for at in range(0, len(longest_first), _ALTERNATIVES)]
    return [re.compile(rf"(?<![^\W_])(?:{'|'.join(map(_spaced, batch))})(?![^\W_])", flags) for batch in batches]


def _spaced(value: str) -> str:
    return r"\s+".join(map(re.escape, value.split()))
