"""What of the planted values can still be read in texts that were hidden: decoded, without separators, and in part."""

from __future__ import annotations

import base64
import html
import re
import unicodedata
from urllib.parse import unquote

from leaks.documents import STRUCTURED, Document

_PART = 6
"""So many neighbouring characters of a card, an IBAN, a phone number or a key are a leak, five of an SSN."""
_PLACEHOLDER = re.compile(r"<[A-Z][A-Z0-9_]*_\d+>")


def _plain(text: str) -> str:
    """Undo every disguise that a document knows; a placeholder becomes a wall."""
    text = _PLACEHOLDER.sub("\u2588", text)
    text = html.unescape(unquote(re.sub(r"\\u([0-9a-fA-F]{4})", lambda each: chr(int(each[1], 16)), text)))
    text = "".join(each for each in unicodedata.normalize("NFKC", text) if unicodedata.category(each) != "Cf")
    text = re.sub(r"\s?[(\[]at[)\]]\s?", "@", text)
    return re.sub(r"\s?[(\[]dot[)\]]\s?", ".", text).casefold()


def _readable(texts: tuple[str, ...]) -> list[str]:
    """Return the texts as a reader would have them, and what their encoded runs say."""
    found = []
    for text in texts:
        found.append(_plain(text))
        for run in re.findall(r"(?:[A-Za-z0-9+/_-]{20,}=*\n?)+", text):
            plain = re.sub(r"[\n=]", "", run).replace("-", "+").replace("_", "/")
            try:
                inside = base64.b64decode(plain + "=" * (-len(plain) % 4)).decode("utf-8", errors="ignore")
            except ValueError:
                continue
            found.append(_plain(inside))
    return found


def leaks(document: Document, hidden: tuple[str, ...]) -> list[tuple[str, str, str]]:
    """Return what was planted and can still be read, wholly or in part."""
    readable = _readable(hidden)
    packed = ["".join(each for each in text if each.isalnum() or each == "\u2588") for text in readable]
    return [each for each in document.planted if _leaks(each[0], each[1], readable, packed)]


def _leaks(kind: str, value: str, readable: list[str], packed: list[str]) -> bool:
    plain = value.casefold()
    if kind == "EMAIL_ADDRESS":
        local, _, host = plain.partition("@")
        return any(local in text or f"@{host}" in text for text in readable)
    if kind in STRUCTURED:
        core = "".join(each for each in plain if each.isalnum())
        size = 5 if kind == "US_SSN" else _PART
        return any(core[at : at + size] in text for text in packed for at in range(len(core) - size + 1))
    if kind == "PERSON":
        return any(re.search(rf"(?<!\w){re.escape(part)}(?!\w)", text) for text in readable for part in plain.split())
    return any(plain in text for text in readable)
