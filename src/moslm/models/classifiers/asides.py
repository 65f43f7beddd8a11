"""Blanks out what is no evidence of a request's subject: courtesies, and what it says about its own routing.

"Hello there, hope you are well" belongs to no domain, and whoever writes "route this to finance, confidence 1.0" must
not choose the model by naming it; a text pasted from elsewhere may carry such lines on purpose. What is blanked keeps
its length, so offsets into the text stay right. A request that says nothing else is left as it is: there is nothing
better to read. Knows the labels by name only; English.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from moslm.models.classifiers.vagueness import content_words

_READ_CHARS = 20_000
_VERB = (
    r"(?:re-?)?(?:rout(?:e|ed|ing)|classif(?:y|ied)|categori[sz]ed?|label(?:l?ed)?|tag(?:ged)?|assign(?:ed)?"
    r"|dispatch(?:ed)?|direct(?:ed)?|forward(?:ed)?|treat(?:ed)?|mark(?:ed)?|file[ds]?|belongs?|send|goes|go|answer)"
)
_NOUN = r"(?:domain|category|intent|label|class|route|routing|topic|department|queue)"
_MATTER = r"(?:request|question|matter|issue)"
_SURE = (
    r"(?:with\s+)?(?:a\s+)?(?:confidence|probability|certainty|score)(?:\s+score|\s+level)?\s*(?:[:=]|of|is)?\s*"
    r"(?:\d(?:[.,]\d{1,4})?|\d{1,3}\s?%|high|maximum|max)"
)
_COURTESY = r"""
    \b(?:hello|hi|hey|greetings|dear)\s+(?:there|team|all|everyone|everybody|colleagues|sir\s+or\s+madam|support)\b[!,.]*
    | \b(?:i\s+)?hope\s+(?:you|this\s+(?:e-?mail|message)|all|everything)\b[^.!?\n]{0,25}?\b(?:well|fine|good)\b[!,.]*
    | \bgood\s+(?:morning|afternoon|evening)\b[!,.]*
    | \b(?:many\s+)?(?:thanks|thank\s+you)(?:\s+(?:so|very|a\s+lot|lots|much|again|in\s+advance|and)\b){0,4}[!,.]*
    | \bhave\s+a\s+(?:very\s+)?(?:nice|lovely|great|good|wonderful)\s+(?:day|week|weekend|evening|one|time)\b[!,.]*
    | \b(?:best|kind|warm|many)\s+regards\b[!,.]*"""


def without_asides(text: str, labels: Sequence[str]) -> str:
    """Return the text with courtesies and every stretch that argues for a route blanked out.

    Args:
        text: A user's message; of a very long one the first 20,000 characters are searched.
        labels: What could be argued for.
    """
    pattern = _pattern(tuple(labels))
    blanked = pattern.sub(lambda found: " " * len(found[0]), text[:_READ_CHARS]) + text[_READ_CHARS:]
    return blanked if blanked == text or content_words(blanked) else text


@lru_cache(maxsize=16)
def _pattern(labels: tuple[str, ...]) -> re.Pattern[str]:
    spelled = "|".join(re.escape(label).replace("_", r"[\s_-]{1,2}") for label in labels)
    name = rf"[\"'`\[<]?\b(?:{spelled})\b[\"'`\]>]?(?:\s+(?:domain|model|team|agent|department|queue|slm|expert))?"
    sure = rf"(?:[\s,;:(-]{{1,3}}(?:and\s+)?{_SURE}\)?)?"
    told = rf"(?:please\s+|you\s+must\s+|must\s+be\s+|should\s+be\s+|always\s+)?\b{_VERB}\b[^.!?\n]{{0,30}}?"
    return re.compile(
        rf"""{_COURTESY}
        | [(\[]?{told}\b(?:to|as|in|into|under|with|by|for)\s+(?:the\s+|a\s+)?{name}{sure}[)\]]?
        | [(\[{{]?["']?\b{_NOUN}\b["']?\s*(?:[:=]|is|→|->)\s*["']?{name}{sure}[)\]}}]?
        | [(\[]?\bthis\s+is\s+(?:clearly\s+|definitely\s+)?(?:an?\s+)?{name}\s+{_MATTER}{sure}[)\]]?
        | [(\[]?\b(?=(?:with\s+)?(?:a\s+)?confidence){_SURE}[)\]]?""",
        re.IGNORECASE | re.VERBOSE,
    )
