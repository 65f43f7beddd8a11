"""When two texts are one value: the same name in another case, the same number with other spaces. Pure functions."""

from __future__ import annotations

import re
import unicodedata

from moslm.privacy.recognisers.readings import decoded

_EXACT = frozenset({"LITERAL", "ENCODED", "SECRET", "URL"})
_NUMBERS = frozenset(
    {
        *("CREDIT_CARD", "IBAN_CODE", "PHONE_NUMBER", "US_SSN", "NATIONAL_ID", "PASSPORT", "DRIVER_LICENSE"),
        *("BANK_ACCOUNT", "MAC_ADDRESS", "LICENSE_PLATE"),
    }
)
_SPELLED_AT = re.compile(
    r"\s*[(\[{<]?\s?(?:\bat\b|\bät\b|@|\barroba\b|\barobase\b|\bchiocciola\b)\s?[)\]}>]?\s*", re.IGNORECASE
)
_SPELLED_DOT = re.compile(
    r"\s*[(\[{<]\s?(?:dot|punkt|punto|point|\.)\s?[)\]}>]\s*|\s(?:dot|punkt|punto|point)\s", re.IGNORECASE
)


def sameness(kind: str, value: str) -> str:
    """Return what equal values of a kind have in common; values of different sameness get different placeholders."""
    if kind in _EXACT or kind.endswith("_PART"):
        return value
    reading = decoded(value)
    plain = " ".join(unicodedata.normalize("NFKC", reading.text if reading else value).casefold().split())
    if kind in _NUMBERS:
        return "".join(each for each in plain if each.isalnum() or each == "+") or plain
    if kind == "EMAIL_ADDRESS":
        return _SPELLED_DOT.sub(".", _SPELLED_AT.sub("@", plain, count=1))
    return plain
