"""Does what a lookup returned say that there is nothing?

Reads the words alone, because tools of strangers (MCP) answer in words too: an empty value, or a sentence that begins
by saying so. English only.
"""

from __future__ import annotations

import re

_NOTHING = re.compile(
    r"""\s*(?:
        | \[\s*\] | \{\s*\} | null | none\.? | ""
        | (?:sorry,?\s)?(?:there\ (?:is|are|was|were)\ no\b | no\ [\w ]{1,40}\b(?:fits?|found|matche[sd]|exists?)\b
            | nothing\ (?:was\ )?found | not\ found\b | the\ handbook\ says\ nothing ).*
    )\s*""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_LOOKED_AT = 400


def found_nothing(returned: str) -> bool:
    """Tell whether a tool's result is empty, or begins by saying that nothing was found."""
    return _NOTHING.fullmatch(returned[:_LOOKED_AT]) is not None
