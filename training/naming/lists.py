"""Collects the lists that identities are drawn from: names and towns by locale, as Faker (MIT) ships them."""

from __future__ import annotations

import importlib
import json
import pkgutil
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from naming.words import words

_MORE = {
    "zh_pinyin": (words("pinyin_first"), words("pinyin_last")),
    "ko_roman": (words("korean_first"), words("korean_last")),
    "ar_roman": (words("arabic_first"), words("arabic_last")),
}


def collected() -> dict[str, dict[str, list[str]]]:
    """Return given names, surnames and towns by locale; a locale with two scripts stands there twice."""
    import faker.providers.address as address
    import faker.providers.person as person

    lists: dict[str, dict[str, list[str]]] = {}
    for locale in sorted(each.name for each in pkgutil.iter_modules(person.__path__)):
        provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
        first, last = set(_values(provider, "first")), set(_values(provider, "last"))
        for script in ("latin", "own"):
            kept = [sorted(each for each in names if _is_latin(each) == (script == "latin")) for names in (first, last)]
            if len(kept[0]) >= 10 and len(kept[1]) >= 6:
                lists[f"{locale}:{script}"] = {"first": kept[0], "last": kept[1], "town": []}
    for name, (given, family) in _MORE.items():
        lists[f"{name}:latin"] = {"first": [*given], "last": [*family], "town": []}
    for locale in sorted(each.name for each in pkgutil.iter_modules(address.__path__)):
        provider = importlib.import_module(f"faker.providers.address.{locale}").Provider
        towns = sorted(each for each in _strings(getattr(provider, "cities", ())) if _is_latin(each))
        if towns:
            lists.setdefault(f"{locale}:latin", {"first": [], "last": [], "town": []})["town"] = towns[:400]
    english = importlib.import_module("faker.providers.address.en").Provider
    lists["countries"] = {"first": [], "last": [], "town": sorted(set(_strings(english.countries)))}
    return lists


def _values(provider: Any, word: str) -> Iterator[str]:
    for key in dir(provider):
        value = getattr(provider, key)
        if word in key and (isinstance(value, tuple | list) or hasattr(value, "keys")):
            yield from _strings(value)


def _strings(values: Any) -> Iterator[str]:
    for each in values:
        parts = each if isinstance(each, tuple | list) else (each,)
        for part in parts:
            text = unicodedata.normalize("NFC", str(part)).strip()
            if 1 < len(text) < 30 and not any(letter in "{}%#0123456789" for letter in text):
                yield text


def _is_latin(text: str) -> bool:
    return all("LATIN" in unicodedata.name(each, "") for each in text if each.isalpha())


if __name__ == "__main__":
    import sys

    lists = collected()
    Path(sys.argv[1]).write_text(json.dumps(lists, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    print(len(lists), sum(len(each["first"]) + len(each["last"]) for each in lists.values()))
