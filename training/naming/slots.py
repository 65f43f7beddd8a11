"""Fills the slots of a template: people and addresses, which are labelled, and what must not be taken for one."""

from __future__ import annotations

import re
from random import Random

from naming.addresses import address, street
from naming.identities import Names, cased, person, unaccented
from naming.labelled import ADDRESS, PERSON, Labelled
from naming.words import JOBS, PRODUCTS, SECTORS, TITLES, words

_SLOT = re.compile(r"\{([a-zA-Z])\}")
_DAYS = words("days")
_COMPANY_FORMS = words("company_forms")
_DATES = ("{0}/{1}/20{2}", "20{2}-{1:02}-{0:02}", "{0}.{1}.20{2}", "19{2}", "{0} May 19{2}", "March {0}, 20{2}")
_HOSTS = ("example.com", "corp.local", "mail.example", "contoso.example")


class Slots:
    """Fills slots: ``{p}`` a person, ``{f}`` a given name, ``{l}`` a surname, ``{a}`` an address, ``{s}`` a street.

    Without a label: ``{T}`` a title, ``{c}`` a company, ``{t}`` a town, ``{k}`` a country, ``{m}`` a product, ``{j}`` a
    job, ``{w}`` a day or month, ``{d}`` a date, ``{x}`` an e-mail address, ``{u}`` a phone number, ``{n}`` a number.

    Args:
        names: Whose names.
    """

    def __init__(self, names: Names) -> None:
        self.names = names

    def filled(self, template: str, chance: Random) -> Labelled:
        """Fill the slots of a template."""
        made, at = Labelled(), 0
        for slot in _SLOT.finditer(template):
            made.add(template[at : slot.start()])
            made.add(*self._value(slot[1], chance))
            at = slot.end()
        made.add(template[at:])
        return made

    def _value(self, slot: str, chance: Random) -> tuple[str, str | None]:
        match slot:
            case "p":
                return person(self.names, chance, full=chance.random() < 0.6), PERSON
            case "f":
                return cased(self.names.given(chance), chance), PERSON
            case "l":
                return cased(self.names.family(chance), chance), PERSON
            case "a":
                return address(self.names, chance), ADDRESS
            case "s":
                return street(self.names, chance), ADDRESS
            case _:
                return self._filler(slot, chance), None

    def _filler(self, slot: str, chance: Random) -> str:
        listed = {
            "T": TITLES,
            "t": self.names.towns,
            "k": self.names.countries,
            "m": PRODUCTS,
            "j": JOBS,
            "w": _DAYS,
        }
        if slot in listed:
            return chance.choice(listed[slot])
        return {"c": self._company, "d": _date, "x": self._mail, "u": _phone, "n": _number}[slot](chance)

    def _mail(self, chance: Random) -> str:
        local = re.sub(r"\W+", ".", unaccented(person(self.names, chance)).lower()).strip(".")
        box = chance.choice((local, "info", "support", f"j.d{chance.randint(1, 99)}"))
        return f"{box}@{chance.choice(_HOSTS)}"

    def _company(self, chance: Random) -> str:
        base, kind = self.names.family(chance), chance.choice(_COMPANY_FORMS)
        forms = (
            f"{base} {kind}",
            f"{base} {chance.choice(SECTORS)}",
            f"{base} & {self.names.family(chance)}",
            f"{base}, {self.names.family(chance)} and {self.names.family(chance)}",
            f"{base} {chance.choice(SECTORS)} {kind}",
            f"{base} Brothers",
            f"{base} & Sons",
            chance.choice(PRODUCTS),
        )
        return chance.choice(forms)


def _date(chance: Random) -> str:
    return chance.choice(_DATES).format(chance.randint(1, 28), chance.randint(1, 12), chance.randint(10, 99))


def _phone(chance: Random) -> str:
    prefix = chance.choice(("+49 ", "+1 ", "0", "(0", "+33 "))
    return f"{prefix}{chance.randint(10, 999)} {chance.randint(1000, 9999999)}"


def _number(chance: Random) -> str:
    sizes = ((1, 9), (1, 99), (100, 99999), (10**6, 10**9))
    return str(chance.choice([chance.randint(*each) for each in sizes]))
