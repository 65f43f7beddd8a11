"""Does a text look as if it named a person's data? The cheap half of an answer; it errs towards yes.

Patterns of English requests: addresses of mail, long numbers, account numbers, and people who say who they are. What
it misses (a bare name, a street) is why it can be replaced: `Memory` takes any such test.
"""

from __future__ import annotations

import re

_MOST_CHARS = 50_000
_PERSONAL = re.compile(
    r"\S@[^\s@]{1,255}?\.\w"
    r"|(?<![\w.])\+?\d(?:[ ()/.-]{0,2}\d){6,30}(?!\w)"  # phones, cards, social security and customer numbers
    r"|\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,8}"  # IBAN
    r"|\b(?:my (?:full |first |last )?name is|i am called|date of birth|born on|passport|social security|my address)\b"
    r"|\b(?i:password|passphrase|api[ _-]?key|token|secret) ?(?:is|[:=]) ?\S",
    re.IGNORECASE,
)


def looks_personal(text: str) -> bool:
    """Tell whether a text seems to hold somebody's data."""
    return len(text) > _MOST_CHARS or _PERSONAL.search(text) is not None
