"""Does a draft decline to answer?

A model that says it does not know has done right, and has not answered: the request goes up whatever the probability of
its words. English only; a model of another language declines unnoticed and is judged by its confidence alone.
"""

from __future__ import annotations

import re

_DECLINES = re.compile(
    r"^\W*((sorry|unfortunately|yes|no|well),? (but )?)?"
    r"((i|we) (do not|don['\u2019]t) (know|have (that|this|the|any|enough) (information|details))\b"
    r"|(i|we)( am|['\u2019]m| are|['\u2019]re) not (sure|able to (say|tell|answer))\b"
    r"|(i|we) (cannot|can['\u2019]t|can not) (say|tell|answer)\b"
    r"|the (notes|handbook|passages?) (do|does) not (say|mention|tell))",
    re.IGNORECASE,
)

_LONGEST = 200
"""Words that decline stand within so many characters."""


def declines(text: str) -> bool:
    """Tell whether a draft begins by saying that it cannot answer."""
    return _DECLINES.match(text) is not None


def declined_for_good(text: str) -> bool:
    """Tell whether a draft that is still being written declines however it goes on.

    What follows the words must have begun: "I do not know" may yet become "I do not knowingly ...".
    """
    found = _DECLINES.match(text[:_LONGEST])
    return found is not None and found.end() < len(text)
