"""Draws postal addresses in the forms of a dozen countries, on one line or over several."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from string import ascii_uppercase

from naming.identities import Names, cased
from naming.words import words

_STREETS = words("streets")
_TREES = words("street_names")
_STATES = words("states")
_FLATS = words("flats")


def street(names: Names, chance: Random) -> str:
    """Draw a street with a house number, in the way of some country."""
    return cased(chance.choices([form[0] for form in _FORMS], _WEIGHTS)[0](names, chance), chance)


def address(names: Names, chance: Random) -> str:
    """Draw a whole address."""
    first, town = chance.choices(_FORMS, _WEIGHTS)[0]
    lines = [first(names, chance)]
    if chance.random() < 0.2:
        lines.append(chance.choice(_FLATS).format(chance.randint(1, 999)))
    if chance.random() < 0.1:  # of a country where the street is not
        town = chance.choice(_FORMS)[1]
    lines.append(town(names, chance))
    if chance.random() < 0.35:
        country = chance.choice(names.countries)
        code = _digits(chance, 5)
        lines.append(chance.choice((country, country, f"{country} {code}", country.upper())))
    between = chance.choice((", ", ", ", "\n", "\n", ",\n", " ", "\n ", "; ", " - ", ",  "))
    return cased(between.join(lines), chance)


def _town(names: Names, chance: Random) -> str:
    if chance.random() < 0.3:
        base = names.family(chance)
        return chance.choice(
            (
                f"New {base}",
                f"Port {base}",
                f"Lake {base}",
                f"{base}ville",
                f"{base}ton",
                f"{base}burg",
                f"{base}",
                f"Saint-{base}",
                f"Bad {base}",
                f"{base} am See",
                f"San {base}",
                f"East {base}",
                f"{base} Heights",
            )
        )
    return chance.choice(names.towns)


def _digits(chance: Random, count: int) -> str:
    return "".join(str(chance.randint(0, 9)) for _ in range(count))


def _number(chance: Random) -> str:
    number = chance.choice((chance.randint(1, 99), chance.randint(1, 400), chance.randint(1, 9999)))
    return f"{number}{chance.choice(('', '', '', '', '', 'a', 'b', 'B', '/2', '-' + str(number + 2)))}"


def _name(names: Names, chance: Random) -> str:
    return names.family(chance) if chance.random() < 0.7 else chance.choice(_TREES)


def _english(names: Names, chance: Random) -> str:
    side = chance.choice(("", "", "", "N. ", "West ", "S "))
    return f"{_number(chance)} {side}{_name(names, chance)} {chance.choice(_STREETS)}"


def _american_town(names: Names, chance: Random) -> str:
    zipped = _digits(chance, 5) + chance.choice(("", "", "", f"-{_digits(chance, 4)}"))
    town, between = _town(names, chance), chance.choice((", ", ", ", " ", "\n, "))
    return f"{town}{between}{chance.choice(_STATES)}{chance.choice((' ', ' ', ', '))}{zipped}"


def _british_town(names: Names, chance: Random) -> str:
    area = "".join(chance.choice(ascii_uppercase) for _ in range(chance.randint(1, 2)))
    code = f"{area}{chance.randint(1, 28)} {chance.randint(1, 9)}"
    code += chance.choice(ascii_uppercase) + chance.choice(ascii_uppercase)
    return f"{_town(names, chance)}{chance.choice((', ', ' ', chr(10)))}{code}"


def _before(*kinds: str, joined: bool = False) -> Callable[[Names, Random], str]:
    """Return a maker of "Musterstraße 5": the kind of street follows the name, and the number follows both."""

    def made(names: Names, chance: Random) -> str:
        kind = chance.choice(kinds)
        gap = "" if joined and chance.random() < 0.8 else chance.choice((" ", "-"))
        return f"{_name(names, chance)}{gap}{kind} {_number(chance)}"

    return made


def _romance(*kinds: str, number_first: bool = False) -> Callable[[Names, Random], str]:
    def made(names: Names, chance: Random) -> str:
        name = f"{names.given(chance)} {names.family(chance)}" if chance.random() < 0.3 else names.family(chance)
        line = f"{chance.choice(kinds)} {name}"
        if number_first:
            return f"{_number(chance)}{chance.choice((' ', ', '))}{line}"
        return f"{line}{chance.choice((' ', ', ', ' n. ', ' nº '))}{_number(chance)}"

    return made


def _coded(*codes: str) -> Callable[[Names, Random], str]:
    """Return a maker of "80331 München"."""

    def made(names: Names, chance: Random) -> str:
        code = "".join(
            str(chance.randint(0, 9)) if c == "#" else chance.choice(ascii_uppercase) if c == "?" else c
            for c in chance.choice(codes)
        )
        town = _town(names, chance)
        return f"{code} {town}" if chance.random() < 0.85 else f"{town} {code}"

    return made


def _mixed(names: Names, chance: Random) -> str:
    """Return a street as databases garble it: number, name, kind of another tongue."""
    kinds = ("katu", "gatan", "strasse", "weg", "vej", " utca", " Rua", " Via", "tie", " ulica", "laan")
    name = f"{_name(names, chance)}{chance.choice(kinds)}"
    return chance.choice(
        (f"{_number(chance)} {name}", f"{_number(chance)} {name} {chance.randint(1, 99)}", f"{name} {_number(chance)}")
    )


_FORMS = (
    (_english, _american_town),
    (_english, _british_town),
    (
        _before("straße", "strasse", "str.", "weg", "platz", "allee", "gasse", "ring", joined=True),
        _coded("#####", "D-#####", "####"),
    ),
    (
        _romance("rue", "rue de", "avenue", "bd", "boulevard", "place", "chemin de", "impasse", number_first=True),
        _coded("#####", "F-#####"),
    ),
    (_romance("Calle", "C/", "Avenida", "Av.", "Plaza", "Paseo", "Carrer de", "Camino"), _coded("#####", "E-#####")),
    (_romance("Via", "Viale", "Piazza", "Corso", "Largo", "Vicolo"), _coded("#####")),
    (_before("straat", "laan", "weg", "plein", "gracht", "kade", "dreef", joined=True), _coded("#### ??", "####??")),
    (_romance("Rua", "R.", "Avenida", "Travessa", "Praça", "Rua da"), _coded("####-###", "#####-###")),
    (_romance("ul.", "ulica", "al.", "pl.", "os."), _coded("##-###")),
    (
        _before("gatan", "vägen", "katu", "tie", "vej", "veien", "gade", "gata", joined=True),
        _coded("### ##", "#####", "####", "SE-### ##"),
    ),
    (_before("utca", "út", "tér", "sokak", "Caddesi", "ulice", "náměstí", "ulica"), _coded("####", "#####", "### ##")),
    (_mixed, _coded("#####", "####", "??-####")),
)
_WEIGHTS = (6, 4, 3, 2, 2, 2, 2, 2, 1, 2, 1, 4)
