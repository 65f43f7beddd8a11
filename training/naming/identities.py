"""Draws people and addresses: names in the forms people write them, of many countries, some invented."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections import defaultdict
from pathlib import Path
from random import Random

from naming.words import words

_COMMON = (
    *("en_US", "en_GB", "en_IE", "en_NZ", "en_IN", "de_DE", "de_AT", "de_CH", "fr_FR", "fr_BE", "fr_CA", "es_ES"),
    *("es_MX", "es_CL", "es_CO", "it_IT", "nl_NL", "nl_BE", "pt_BR", "pt_PT", "pl_PL", "sv_SE", "da_DK", "no_NO"),
    *("fi_FI", "is_IS", "cs_CZ", "sk_SK", "hu_HU", "hr_HR", "sl_SI", "ro_RO", "tr_TR", "vi_VN", "ja_JP", "en_NG"),
    *("ig_NG", "yo_NG", "ha_NG", "zu_ZA", "tw_GH", "en_KE", "en_PK", "id_ID", "et_EE", "zh_pinyin", "ko_roman"),
    *("ar_roman", "fr_DZ", "uz_UZ", "az_AZ", "lt_LT", "lv_LV", "en_TH", "ga_IE", "sw"),
)
"""Locales that are drawn five times as often as the others."""
_PARTICLES = words("particles")
_PREFIXES = ("O'", "Mc", "Mac", "D'", "Fitz", "De", "Van", "El-", "Al-", "Ben-")


class Names:
    """The lists, without the parts that are held out, or of them alone.

    Args:
        file: What `naming.lists` collected.
        unseen: Draw held-out parts alone.
    """

    def __init__(self, file: Path, unseen: bool = False) -> None:
        lists = json.loads(file.read_text(encoding="utf-8"))
        self.countries: list[str] = lists.pop("countries")["town"]
        self.towns = sorted({town for each in lists.values() for town in each["town"]})
        self.first, self.last, self.weights = [], [], []
        self._chains: dict[int, dict[str, list[str]]] = {}
        self._unseen = unseen
        for locale, each in sorted(lists.items()):
            first, last = ([part for part in each[kind] if held_out(part) == unseen] for kind in ("first", "last"))
            if len(first) < 2 or len(last) < 1:
                continue
            self.first.append(first)
            self.last.append(last)
            code, script = locale.split(":")
            self.weights.append(1.0 if script == "own" else 10.0 if code in _COMMON else 2.0)

    def locale(self, chance: Random) -> int:
        """Draw a locale."""
        return chance.choices(range(len(self.first)), self.weights)[0]

    def given(self, chance: Random, locale: int | None = None) -> str:
        """Draw a given name."""
        return self._part(chance, self.first, self.locale(chance) if locale is None else locale, 0)

    def family(self, chance: Random, locale: int | None = None) -> str:
        """Draw a surname, now and then one of two, or with a particle."""
        locale = self.locale(chance) if locale is None else locale
        name, roll = self._part(chance, self.last, locale, 1), chance.random()
        if roll < 0.04:
            return f"{name}-{self._part(chance, self.last, locale, 1)}"
        if roll < 0.08:
            return f"{chance.choice(_PARTICLES)} {name}"
        if roll < 0.10 and name.isascii():
            return chance.choice(_PREFIXES) + name
        return name

    def _part(self, chance: Random, lists: list[list[str]], locale: int, which: int) -> str:
        if not self._unseen and chance.random() < 0.15:
            invented = self._invented(chance, lists[locale], 2 * locale + which)
            if invented and not held_out(invented):
                return invented
        return chance.choice(lists[locale])

    def _invented(self, chance: Random, names: list[str], key: int) -> str:
        """Return a word that is spelled as the names are: each letter follows on the two before as it does there."""
        if key not in self._chains:
            chain: dict[str, list[str]] = defaultdict(list)
            for name in names:
                padded = f"^^{name}$"
                for at in range(len(padded) - 2):
                    chain[padded[at : at + 2]].append(padded[at + 2])
            self._chains[key] = chain
        text = "^^"
        while len(text) < 18:
            letter = chance.choice(self._chains[key][text[-2:]])
            if letter == "$":
                break
            text += letter
        return text[2:] if 3 <= len(text) - 2 <= 14 and " " not in text else ""


def held_out(part: str) -> bool:
    """Tell whether a part of a name is kept from the training: one of ten."""
    return hashlib.sha256(unaccented(part).lower().encode()).digest()[0] < 26


def unaccented(text: str) -> str:
    """Return a text without accents, as long as it was."""
    return "".join(unicodedata.normalize("NFD", letter)[0] for letter in text)


def person(names: Names, chance: Random, full: bool = False) -> str:
    """Draw a person in one of the forms that people are named in."""
    locale = names.locale(chance)
    other = names.locale(chance) if chance.random() < 0.15 else locale
    first, last = names.given(chance, locale), names.family(chance, other)
    return cased(_form(names, chance, locale, (first, last), full), chance)


def _form(names: Names, chance: Random, locale: int, name: tuple[str, str], full: bool) -> str:
    """Return a given name and a surname as they may stand together, or one of them."""
    (first, last), roll = name, chance.random()
    if roll < 0.16 and not full:
        return first if roll < 0.12 else last
    if roll < 0.36:
        return _with_more(names, chance, locale, name, roll)
    if roll < 0.43:
        return f"{last}, {first}" if roll < 0.40 else f"{last} {first}"
    if roll < 0.45:
        return f"{last.upper()} {first}" if chance.random() < 0.5 else f"{first} {last.upper()}"
    if roll < 0.47:
        return f"{first} {last} {names.family(chance, locale)}"
    return f"{first} {last} {chance.choice(('Jr.', 'Sr.', 'III', 'II'))}" if roll < 0.48 else f"{first} {last}"


def _with_more(names: Names, chance: Random, locale: int, name: tuple[str, str], roll: float) -> str:
    """Return a name with a second given name, or with initials."""
    first, last = name
    if roll < 0.22:
        return f"{first} {names.given(chance, locale)} {last}"
    if roll < 0.29:
        return f"{first} {names.given(chance, locale)[0]}{chance.choice(('. ', ' '))}{last}"
    return f"{first[0]}. {last}" if roll < 0.34 else f"{first[0]}.{names.given(chance, locale)[0]}. {last}"


def cased(text: str, chance: Random) -> str:
    """Now and then write a name in lower case, in capitals or without accents."""
    roll = chance.random()
    if roll < 0.10:
        return text.lower()
    if roll < 0.14:
        return text.upper()
    return unaccented(text) if roll < 0.24 else text
