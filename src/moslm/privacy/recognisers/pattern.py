"""`Pattern`: a recogniser made of one regular expression, and a check of what it matched where there is one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from moslm.privacy.recognisers.finding import Finding


@dataclass(frozen=True, slots=True)
class Pattern:
    """Finds one kind by its form.

    Attributes:
        kind: Kind of what is found.
        regex: The form. Where it has a group named ``value``, that is the finding and the rest is its surroundings.
        score: How sure a match is.
        check: Judges the finding's text, such as a checksum; None takes every match.
    """

    kind: str
    regex: re.Pattern[str]
    score: float = 0.9
    check: Callable[[str], bool] | None = None

    def find(self, text: str) -> list[Finding]:
        """Return every match that passes the check."""
        found = []
        for match in self.regex.finditer(text):
            # an alternative of the form may do without surroundings
            group: str | int = "value" if match.groupdict().get("value") else 0
            if match.group(group) and (self.check is None or self.check(match.group(group))):
                found.append(Finding(*match.span(group), self.kind, self.score))
        return found


def named(words: str, value: str, *, gap: int = 24) -> re.Pattern[str]:
    """Return the form of a value that is personal only behind a word that names it.

    Args:
        words: Alternatives of the naming word, as a regular expression; a space in it may be an underscore or hyphen.
        value: The value, as a regular expression.
        gap: Most characters between them; they hold no digit and no end of a sentence.
    """
    words = re.sub(r"(?<!\[) ", "[ _-]", words)
    return re.compile(
        rf"(?<![^\W\d_])(?:{words})(?![^\W\d_])[^\d.!?;\n]{{0,{gap}}}?(?<![^\W_])(?P<value>{value})(?![^\W_])",
        re.IGNORECASE,
    )
