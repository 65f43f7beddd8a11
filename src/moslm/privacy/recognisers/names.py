"""Names of people where the words around say that one stands there. Others are Presidio's to find."""

from __future__ import annotations

import re

from moslm.privacy.recognisers.pattern import Pattern

_PARTICLE = r"(?:von|van|der|den|de|del|della|di|da|dos|la|le|du|zu|al|el|bin|ben|y|e|ter|ten)"
_PART = r"[A-ZÀ-ÖØ-ÞĀ-ŽА-Я](?:[^\W\d_]|['’](?=[^\W\d_])|-(?=[^\W\d_])){0,24}"
_INITIAL = r"[A-ZÀ-ÖØ-Þ]\."
_NAME = rf"(?:{_PART}|{_INITIAL})(?:[ _](?:{_PARTICLE}[ _]){{0,3}}(?:{_PART}|{_INITIAL})){{0,3}}"
_FULL = rf"{_PART}(?:[ _](?:{_PARTICLE}[ _]){{0,3}}(?:{_PART}|{_INITIAL})){{1,3}}"
_TITLE = (
    r"(?i:mr|mrs|ms|miss|mx|dr|prof|sir|madam|herrn?|frau|fräulein|monsieur|madame|mademoiselle|mme|mlle|señora?|"
    r"sra?|srta|don|doña|sig|signora?|dott|professor|doctor|captain|officer)"
)


def _pattern(before: str, name: str, after: str = "", score: float = 0.8) -> Pattern:
    return Pattern("PERSON", re.compile(rf"(?<![^\W_]){before}(?P<value>{name})(?![^\W_]){after}"), score)


NAMES = (
    _pattern(rf"(?:{_TITLE}\.?[ ]){{1,2}}", _NAME),
    _pattern(
        r"(?i:my name is|name's|i am called|this is|speaking with|mein name ist|ich heiße|ich bin|je m['’]appelle|"
        r"mon nom est|"
        r"me llamo|mi nombre es|mi chiamo|mijn naam is|ik heet|jag heter|name of|named|namens|called)[ ]",
        _FULL,
    ),
    _pattern(r"(?i:my name is|mein name ist|ich heiße|je m['’]appelle|me llamo|mi nombre es|mi chiamo)[ ]", _PART),
    _pattern(
        r"(?i:dear|hi|hello|hey|hallo|liebe[r]?|bonjour|cher|chère|hola|estimad[oa]|querid[oa]|ciao|gentile)[ ]"
        rf"(?:{_TITLE}\.?[ ])?",
        _NAME,
        r"(?=\s{0,2}[,!:\n])",
    ),
    _pattern(
        r"(?i:(?:kind |best |warm )?regards|best|cheers|sincerely|yours(?: truly| sincerely)?|thanks|thank you|"
        r"mit freundlichen grüßen|viele grüße|gruß|cordialement|bien à vous|saludos|un saludo|atentamente|"
        r"cordiali saluti)[,.!]?\s{1,4}",
        _NAME,
        r"(?=\s{0,3}(?:$|\n))",
    ),
    # a field of a form, a table, JSON or a mail's head
    _pattern(
        r"(?i:(?:full|first|last|given|family|middle|sur|maiden|customer|employee|account|card ?holder|contact|patient|"
        r"legal|display|vor|nach|famili?en)?[ _-]?(?:name|nombre|nom|nome|naam)|apellidos?|prénom|"
        r"kontoinhaber(?:in)?|titular|"
        r"account holder|card ?holder|holder|inhaber|empfänger|beneficiary|from|to|cc|von|an|signed(?: by)?|author|"
        r"customer|employee|patient|tenant|contact|manager|assignee|reporter|kunde|mitarbeiter|cliente)"
        r"[\"'`]{0,2}\s?[:=]\s{0,8}[\"'`]{0,2}",
        _NAME,
        r"(?![^\W_]|@|\()",
        0.7,
    ),
)
