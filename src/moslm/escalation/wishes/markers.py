"""Wishes written as marks rather than sentences: "/think", "#bigmodel", "[reasoning: high]", "Mode: deep think".

Patterns for text that ``spelling.plain`` has made plain.
"""

from __future__ import annotations

from moslm.escalation.wishes.phrases import compiled

_STRONG = (
    r"(?:strong(?:est|er)?|big(?:gest|ger)?|larg(?:est|e|er)|best|smart(?:est|er)?|expert|pro|premium"
    r"|heavy|top|deep(?:est|er)?"
    r"|advanced|full|max(?:imum)?|high(?:est)?|frontier|reason(?:ing)?|think(?:ing|er)?|ultra|extended"
    r"|powerful|super|galaxy|genius)"
)
_MIND = (
    r"(?:model|brain|ai|llm|reason(?:ing)?|think(?:ing|er)?|thought|mode|effort|expert|hard(?:er)?|deep(?:ly)?"
    r"|gpt|bot|engine)"
)
_TAG = (
    rf"(?:(?:use[\s_:-]*)?{_STRONG}[\s_:-]*(?:{_MIND}[\s_-]*)?{_MIND}|(?:use[\s_:-]+){_STRONG}"
    rf"|ultra[\s_-]?think|think(?:ing)?|reason(?:ing)?|expert|escalate[\s_:-]+{_MIND}"
    rf"|{_MIND}[\s_]*[:=][\s_]*(?:{_STRONG}|on|yes)|(?:think(?:ing)?|reason(?:ing)?|expert)[\s_]+(?:mode[\s_]+)?on)"
)
_MARKED = compiled(
    rf"^\W*(?:(?<!\w)(?:[/#@!%~]|--){_TAG}|[\[<({{]\s*/?{_TAG}\s*[\])}}>]|(?:::|!!|\*\*|__|--|==|>>"
    rf"|\$\$){_TAG}(?:::|!!|\*\*|__|--|==|<<|\$\$)?)(?![\w/.-])"
    rf"|(?:^|\s)[/#@]{_TAG}[\s.!]*$|[\[<({{]{_TAG}[\])}}>]\s*$"
)
_FIELD = compiled(
    r"(?:^|[|/;\[(<{]\s*|^--)(?:(?:requested|preferred|desired|prompt|answer|ai|bot|response|assistant"
    r"|reply|llm|target|chosen|wished)\s+)?(?:"
    r"(?:reasoning|thinking|effort|reasoning\s+effort|thinking\s+effort|ai|ai\s+tier|llm|tier\s+of\s+ai"
    r"|model\s+tier|answer\s+quality|answered?\s+by|model\s+to\s+use|use\s+model|brain|model\s+size"
    r"|intelligence)\s*[:=]\s*"
    rf"(?:the\s+|your\s+)?{_STRONG}(?:[\s-]+(?:{_MIND}|tier|level|quality|available|possible|please))*"
    rf"|(?:mode|model|option|quality|handling|style|depth|level|tier|route|routing"
    rf"|setting)\s*[:=]\s*(?:(?:the\s+|use\s+|your\s+|most\s+)*{_STRONG}[\s-]+{_MIND}|expert|strongest"
    rf"|biggest|largest|large|best|big|deep|thinking|reasoning|think|ultrathink))[\s.!\])>}}]*(?:$|\])"
)


def marked(sentence: str, *, first: bool, last: bool) -> bool:
    """Tell whether a sentence carries such a mark; tags count at either end of the message only."""
    return bool((first or last) and _MARKED.search(sentence)) or bool(_FIELD.search(sentence))
