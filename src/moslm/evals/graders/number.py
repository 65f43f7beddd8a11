"""``number``: a number, however it is written: separators, percent, thousands and millions, units, brackets for minus.

``expected`` is a number, or a text that holds one. Options: ``tolerance`` (how far off is still right), ``relative``
(the same as a share of the number), ``scale`` (``percent``, ``thousand``, ``million``, ``billion``: what the expected
number counts in; an answer may be given in it or in full) and ``currency`` (a symbol or code; an answer in another one
is wrong). The number behind an "answer:" counts, else the last one. Several where one is asked for are ``unparsed``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from moslm.evals.cases import Case
from moslm.evals.graders.graded import Grade, Graded, points, unparsed
from moslm.evals.graders.said import marked

_SCALES = {
    "thousand": 1e3, "thousands": 1e3, "k": 1e3, "million": 1e6, "millions": 1e6, "mn": 1e6, "mm": 1e6, "m": 1e6,
    "billion": 1e9, "billions": 1e9, "bn": 1e9, "b": 1e9, "trillion": 1e12, "trillions": 1e12,
}  # fmt: skip
_CURRENCIES = {"$": "usd", "us$": "usd", "usd": "usd", "dollar": "usd", "dollars": "usd", "€": "eur", "eur": "eur",
               "euro": "eur", "euros": "eur", "£": "gbp", "gbp": "gbp", "pound": "gbp", "pounds": "gbp"}  # fmt: skip
_MONEY = r"us\$|[$€£]|usd\b|eur\b|gbp\b"
_DIGITS = r"\d+(?:[ \u00a0\u202f'’]\d{3})+(?![\d])(?:[.,]\d+)?|\d[\d.,]*\d|\d"
_NUMBER = re.compile(
    rf"(?P<open>\(\s*)?(?P<sign>[-+\u2212\u2013])?\s?(?P<before>{_MONEY})?\s?(?P<inner>[-\u2212])?"
    rf"(?<![\w.])(?P<digits>{_DIGITS}|\.\d+)(?:[eE](?P<exponent>[-+]?\d{{1,2}})(?![\w]))?"
    r"(?P<close>\s*\))?(?P<percent>\s*(?:%|per\s?cent\b|percent\b|percentage points?\b))?"
    r"\s?(?P<scale>thousands?\b|millions?\b|billions?\b|trillions?\b|mn\b|mm\b|bn\b|[kmb](?![a-z0-9'’]))?"
    rf"(?:\s?(?P<after>{_MONEY}|dollars?\b|euros?\b|pounds?\b))?",
    re.IGNORECASE,
)
_PARTED = re.compile(r"^\W*(?:or|to)\W*$|^\s*[\u2013\u2014/~-]\s*$", re.IGNORECASE)
_RANGE = re.compile(r"\bbetween\W*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it was written."""

    value: float
    """Without its scale."""
    scale: float | None
    """What it counts in; None where it did not say."""
    percent: bool
    currency: str | None
    start: int
    end: int


def number(case: Case) -> Grade:
    """Return the grade of a case."""
    wanted, scale, percent = _expected(case)
    tolerance = max(_size(case, "tolerance", 1e-6), abs(wanted) * _size(case, "relative", 0.0))
    currency = case.options.get("currency")
    if currency is not None and str(currency).lower() not in _CURRENCIES:
        raise ValueError(f"the currency {currency!r} is none of {', '.join(sorted(_CURRENCIES))}")
    money = _CURRENCIES[str(currency).lower()] if currency is not None else None

    def grade(answer: str) -> Graded:
        found = _the_number(answer)
        if isinstance(found, str):
            return unparsed(found)
        if money and found.currency and found.currency != money:
            return points(0.0, f"{found.value:g} is in another currency")
        right = any(abs(each - wanted) <= tolerance for each in _readings(found, scale, percent))
        return points(1.0 if right else 0.0, "" if right else f"{found.value:g}, expected {wanted:g}")

    return grade


def numbers_in(text: str) -> list[Number]:
    """Return the numbers of a text, in order; what cannot be read as one way of writing a number is left out."""
    found = []
    for match in _NUMBER.finditer(text):
        value = _read(match["digits"])
        if value is None:
            continue
        if match["exponent"]:
            value *= 10.0 ** int(match["exponent"])
        bracketed = match["open"] is not None and match["close"] is not None and match["sign"] is None
        # a dash behind a word or a number is a hyphen or a range
        hyphen = match["sign"] is not None and match.start("sign") > 0 and _joins(text, match.start("sign"))
        minus = (match["sign"] in ("-", "\u2212") and not hyphen) or match["inner"] is not None or bracketed
        money = match["before"] or match["after"]
        found.append(
            Number(
                -value if minus else value,
                _SCALES[match["scale"].lower()] if match["scale"] else None,
                match["percent"] is not None,
                _CURRENCIES.get(money.lower()) if money else None,
                match.start("digits"),
                match.end(),
            )
        )
    return found


def _joins(text: str, at: int) -> bool:
    return text[at - 1].isalnum() or text[at - 1] in "%)"


def _the_number(answer: str) -> Number | str:
    """Return the number that answers, or why there is none."""
    behind = marked(answer)
    if behind is not None:
        found = numbers_in(behind)
        if found:
            return found[0] if len({(n.value, n.scale, n.percent) for n in found}) == 1 else "several numbers"
    found = numbers_in(answer)
    if not found:
        return "no number stands in the answer"
    last = found[-1]
    if len(found) > 1:
        before = found[-2]
        between = answer[before.end : last.start]
        both = between.strip().casefold() in ("and", "&") and _RANGE.search(answer[: before.start])
        if (both or _PARTED.match(between)) and before.value != last.value:
            return f"{before.value:g} or {last.value:g}"
    return last


def _read(digits: str) -> float | None:
    """Read one number; None where its separators fit no way of writing."""
    plain = re.sub(r"[ \u00a0\u202f'’]", "", digits).rstrip(".,")
    if not plain.strip(".,"):
        return None
    if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", plain) or re.fullmatch(r"\d*\.?\d+", plain):
        return float(plain.replace(",", ""))
    if re.fullmatch(r"\d{1,3}(\.\d{3}){2,}(,\d+)?|\d{1,3}(\.\d{3})+,\d+", plain):
        return float(plain.replace(".", "").replace(",", "."))
    if re.fullmatch(r"\d{1,2}(,\d{2})+,\d{3}(\.\d+)?", plain):  # as in India
        return float(plain.replace(",", ""))
    return float(plain.replace(",", ".")) if re.fullmatch(r"\d+,\d{1,2}", plain) else None


def _readings(found: Number, scale: float | None, percent: bool) -> list[float]:
    """Return what an answer may mean, in the unit of the expected number."""
    if percent:
        if found.percent:
            return [found.value]
        return [found.value, found.value * 100] if found.scale is None else []
    if found.percent:  # a share that is expected as a fraction
        return [found.value / 100]
    if scale is None:
        return [found.value * (found.scale or 1.0)]
    if found.scale is None:
        return [found.value, found.value / scale]
    return [found.value * found.scale / scale]


def _expected(case: Case) -> tuple[float, float | None, bool]:
    named = str(case.options.get("scale") or "").lower()
    if named not in ("", "percent", *_SCALES):
        raise ValueError(f"the scale {named!r} is none of percent, thousand, million, billion")
    scale, percent = _SCALES.get(named), named == "percent"
    if isinstance(case.expected, int | float) and not isinstance(case.expected, bool):
        return float(case.expected), scale, percent
    found = numbers_in(case.expected) if isinstance(case.expected, str) else []
    if len(found) != 1:
        raise ValueError("expects one number")
    only = found[0]
    if only.scale and scale is None:
        return only.value * only.scale, None, percent or only.percent
    return only.value, scale, percent or only.percent


def _size(case: Case, name: str, default: float) -> float:
    value = case.options.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise ValueError(f"{name} is {value!r}, and must be a number that is not negative")
    return float(value)
