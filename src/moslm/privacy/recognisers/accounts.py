"""Where money is kept: IBANs and payment cards by their check digits, other accounts behind a word that names them."""

from __future__ import annotations

import re

from moslm.privacy.recognisers.finding import Finding
from moslm.privacy.recognisers.pattern import Pattern, named

_LENGTHS = {
    **dict.fromkeys(("NO",), 15),
    **dict.fromkeys(("BE",), 16),
    **dict.fromkeys(("DK", "FI", "FO", "GL", "NL", "SD"), 18),
    **dict.fromkeys(("MK", "SI"), 19),
    **dict.fromkeys(("AT", "BA", "EE", "KZ", "LT", "LU", "XK"), 20),
    **dict.fromkeys(("CH", "HR", "LI", "LV"), 21),
    **dict.fromkeys(("BG", "BH", "CR", "DE", "GB", "GE", "IE", "ME", "RS", "VA"), 22),
    **dict.fromkeys(("AE", "GI", "IL", "IQ", "TL"), 23),
    **dict.fromkeys(("AD", "CZ", "ES", "MD", "PK", "RO", "SA", "SE", "SK", "TN", "VG"), 24),
    **dict.fromkeys(("LY", "PT", "ST"), 25),
    **dict.fromkeys(("IS", "TR"), 26),
    **dict.fromkeys(("BI", "DJ", "FR", "GR", "IT", "MC", "MR", "SM"), 27),
    **dict.fromkeys(("AL", "AZ", "BY", "CY", "DO", "GT", "HU", "LB", "NI", "PL", "SV"), 28),
    **dict.fromkeys(("BR", "EG", "PS", "QA", "UA"), 29),
    **dict.fromkeys(("JO", "KW", "MU"), 30),
    **dict.fromkeys(("MT", "SC"), 31),
    **dict.fromkeys(("LC",), 32),
    **dict.fromkeys(("RU",), 33),
}
"""Characters of an IBAN by country (SWIFT's registry)."""

_SEPARATOR = r"[ \t\u00a0.\-–—_/]{0,2}"


class Ibans:
    """Finds IBANs, with or without spaces; the check digits must be right, unless the word IBAN stands before."""

    _start = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[ -]?\d[ ]?\d(?=[ .\-_/]{0,2}[A-Za-z0-9])")
    _letters = re.compile(rf"(?:{_SEPARATOR}[A-Za-z0-9])")

    def find(self, text: str) -> list[Finding]:
        """Return the IBANs of a text."""
        found = []
        for start in self._start.finditer(text):
            length = _LENGTHS.get(start.group()[:2].upper())
            end = self._end(text, start.start(), length) if length else None
            if end is None:
                continue
            sure = _mod97(text[start.start() : end])
            if sure or re.search(r"iban\W{0,20}$", text[max(0, start.start() - 24) : start.start()], re.IGNORECASE):
                found.append(Finding(start.start(), end, "IBAN_CODE", 1.0 if sure else 0.6))
        return found

    def _end(self, text: str, start: int, length: int) -> int | None:
        end, left = start, length
        while left and (letter := self._letters.match(text, end)):
            end, left = letter.end(), left - 1
        return None if left or (end < len(text) and text[end].isascii() and text[end].isalnum()) else end


def _mod97(text: str) -> bool:
    plain = re.sub(r"[^A-Za-z0-9]", "", text).upper()
    return int("".join(str(int(each, 36)) for each in plain[4:] + plain[:4])) % 97 == 1


class Cards:
    """Finds payment cards by issuer, length and the Luhn digit, however their digits are grouped."""

    _run = re.compile(r"(?<!\d)\d(?:[ \t\u00a0.\-–—_/·]{0,2}\n?\d){11,47}(?!\d)")
    _words = re.compile(
        r"(?:card|cc|credit|debit|visa|mastercard|amex|karte|carte|tarjeta|carta|kreditkarte)\b[^\d\n]{0,32}$",
        re.IGNORECASE,
    )

    def find(self, text: str) -> list[Finding]:
        """Return the card numbers of a text."""
        found: list[Finding] = []
        for run in self._run.finditer(text):
            places = [at for at in range(*run.span()) if text[at].isdigit()]
            digits = "".join(text[at] for at in places)
            spans = list(_cards(digits, _starts_of_groups(places)))
            found.extend(Finding(places[a], places[b - 1] + 1, "CREDIT_CARD", 1.0) for a, b in spans)
            if (
                not spans
                and 13 <= len(digits) <= 19
                and self._words.search(text, max(0, run.start() - 48), run.start())
            ):
                found.append(Finding(*run.span(), "CREDIT_CARD", 0.6))
        return found


def _starts_of_groups(places: list[int]) -> set[int]:
    """Return at which digits a group begins; inside an unbroken run longer than a card any digit may begin one."""
    starts = {0} | {i for i in range(1, len(places)) if places[i] - places[i - 1] > 1}
    ends = [*sorted(starts)[1:], len(places)]
    for first, end in zip(sorted(starts), ends, strict=True):
        if end - first > 19:
            starts |= set(range(first, end - 12))
    return starts


def _cards(digits: str, starts: set[int]) -> list[tuple[int, int]]:
    found = []
    for start in sorted(starts):
        for length in (19, 18, 17, 16, 15, 14, 13, 12):
            number = digits[start : start + length]
            if len(number) == length and length in _lengths(number) and _luhn(number):
                found.append((start, start + length))
                break
    return found


def _lengths(number: str) -> tuple[int, ...]:
    """Return how long a card of this issuer may be; nothing where there is no such issuer."""
    two, four = int(number[:2]), int(number[:4])
    if number[0] == "4":
        return (13, 16, 19)
    if two in (34, 37):
        return (15,)
    if two in (36, 38, 39) or 300 <= int(number[:3]) <= 305:
        return (14, 16, 17, 18, 19)
    if 51 <= two <= 55 or 2221 <= four <= 2720 or 3528 <= four <= 3589:
        return (16, 17, 18, 19) if number[0] == "3" else (16,)
    if four in (1800, 2131):
        return (15,)
    if two in (50, 56, 57, 58, 59) or number[0] == "6":
        return (12, 13, 14, 15, 16, 17, 18, 19)
    return ()


def _luhn(number: str) -> bool:
    total = 0
    for i, digit in enumerate(reversed(number)):
        doubled = int(digit) * (1 + i % 2)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


OTHER_ACCOUNTS = (
    Pattern(
        "BANK_ACCOUNT",
        named(
            r"account(?: number| no\.?| nr\.?)?|acct|a/c|routing(?: number)?|aba|sort code|konto(?:nummer)?|blz|"
            r"bankleitzahl|compte|cuenta|bsb",
            r"\d(?:[ -]?\d){5,16}",
        ),
        0.6,
    ),
)
