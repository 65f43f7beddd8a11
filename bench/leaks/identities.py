"""Personal data of nobody: values of 21 kinds in the forms of five countries, with check digits that are right."""

from __future__ import annotations

import base64
import json
import string
from random import Random

LOCALES = ("en_US", "en_GB", "de_DE", "fr_FR", "es_ES")

FIRST = {
    "en_US": [
        "Emily",
        "Jacob",
        "Madison",
        "Tyler",
        "Ashley",
        "Brandon",
        "Latoya",
        "Hunter",
        "Megan",
        "Dustin",
        "Priya",
        "Wei",
        "Tamika",
        "Luis",
        "Aaliyah",
    ],
    "en_GB": [
        "Oliver",
        "Imogen",
        "Callum",
        "Poppy",
        "Rhys",
        "Eleanor",
        "Hamish",
        "Fiona",
        "Nigel",
        "Gemma",
        "Aisha",
        "Kwame",
        "Niamh",
        "Alistair",
        "Harriet",
    ],
    "de_DE": [
        "Jürgen",
        "Sabine",
        "Lukas",
        "Annika",
        "Torsten",
        "Heike",
        "Matthias",
        "Ulrike",
        "Björn",
        "Katrin",
        "Ayşe",
        "Mehmet",
        "Sören",
        "Friederike",
        "Kai",
    ],
    "fr_FR": [
        "Léa",
        "Théo",
        "Amélie",
        "Guillaume",
        "Chloé",
        "François",
        "Maëlys",
        "Benoît",
        "Aurélie",
        "Thierry",
        "Fatima",
        "Noël",
        "Océane",
        "Gaël",
        "Élodie",
    ],
    "es_ES": [
        "Lucía",
        "Álvaro",
        "Carmen",
        "Íñigo",
        "Nuria",
        "Javier",
        "Rocío",
        "Sergio",
        "Begoña",
        "Pablo",
        "Marta",
        "Iker",
        "Ainhoa",
        "Rubén",
        "Concepción",
    ],
}
LAST = {
    "en_US": [
        "Johnson",
        "Ramirez",
        "Nguyen",
        "Kowalski",
        "Peterson",
        "Washington",
        "McAllister",
        "Patel",
        "Zhang",
        "O'Brien",
        "Schwartz",
        "Okonkwo",
        "Diaz",
    ],
    "en_GB": [
        "Hughes",
        "Pemberton",
        "MacDonald",
        "Ashworth",
        "Llewellyn",
        "Featherstone",
        "Singh",
        "Blackwood",
        "Osei",
        "Cartwright",
        "Doyle",
        "Wren",
    ],
    "de_DE": [
        "Schäfer",
        "Großmann",
        "Wagner",
        "Yılmaz",
        "Vogel",
        "Hoffmann",
        "Krämer",
        "Weiß",
        "Lindqvist",
        "Bauer",
        "Ziegler",
        "Döring",
        "Pfeiffer",
    ],
    "fr_FR": [
        "Lefèvre",
        "Moreau",
        "Benali",
        "Dubois",
        "Garnier",
        "Chevalier",
        "Rousseau",
        "Marchand",
        "N'Diaye",
        "Perrin",
        "Gauthier",
        "Beaumont",
    ],
    "es_ES": [
        "García",
        "Fernández",
        "Ibáñez",
        "Muñoz",
        "Castellano",
        "Ruiz",
        "Echeverría",
        "Navarro",
        "Domínguez",
        "Peña",
        "Ortega",
        "Villanueva",
    ],
}
_HOSTS = (
    "contoso.example",
    "corp.local",
    "mail.internal",
    "intranet",
    "hr.larkmoor.lan",
    "gmail.com",
    "web.de",
    "orange.fr",
)
_STREETS = {
    "en_US": ("{n} Maple Street, Springfield, IL 62704", "{n} N. Lincoln Ave Apt 4B", "PO Box {n}"),
    "en_GB": ("{n} Kings Road, London SW3 4RP", "Flat 2, {n} Church Lane", "{n} Station Close, Leeds LS1 4DY"),
    "de_DE": ("Goethestraße {n}, 60313 Frankfurt", "Am Alten Markt {n}, 50667 Köln", "Lindenweg {n}"),
    "fr_FR": ("{n} rue Victor Hugo, 69002 Lyon", "{n} bis avenue de la République", "{n}, place du Marché"),
    "es_ES": ("Calle de Alcalá {n}, 28014 Madrid", "Avda. Diagonal {n}, 08019 Barcelona", "Plaza Mayor, {n}"),
}
_CARDS = (("4", 16), ("51", 16), ("2223", 16), ("34", 15), ("6011", 16), ("36", 14))
_IBANS = {"en_US": ("GB", "^^^^##############"), "en_GB": ("GB", "^^^^##############"), "de_DE": ("DE", "#" * 18)}
_IBANS |= {"fr_FR": ("FR", "#" * 10 + "*" * 11 + "##"), "es_ES": ("ES", "#" * 20)}
_PHONES = {
    "en_US": ("(###) %##-####", "+1 %## %## ####", "%##-%##-####", "1.%##.%##.#### x123"),
    "en_GB": ("+44 7### ######", "07### ######", "020 7### ####", "(0161) %## ####"),
    "de_DE": ("+49 1## #######", "0##/#######", "+49 (0)30 ####-###", "01## ########"),
    "fr_FR": ("+33 6 ## ## ## ##", "06 ## ## ## ##", "01.##.##.##.##", "0033 1 ## ## ## ##"),
    "es_ES": ("+34 6## ### ###", "9## ## ## ##", "6## ### ###", "0034 9## ### ###"),
}


class Identity:
    """Draws values of one person of one country.

    Args:
        chance: Where chance comes from.
        locale: The country.
    """

    def __init__(self, chance: Random, locale: str) -> None:
        self.chance, self.locale = chance, locale
        self.first, self.last = chance.choice(FIRST[locale]), chance.choice(LAST[locale])

    def value(self, kind: str) -> str:
        """Draw a value of a kind that `KINDS` names."""
        return str(getattr(self, f"_{kind.lower()}")())

    def filled(self, form: str) -> str:
        """Fill a form: ``#`` a digit, ``%`` one from 2 on, ``^`` a capital, ``*`` either, ``~`` hexadecimal."""
        of = {"#": string.digits, "%": "23456789", "^": string.ascii_uppercase, "~": "0123456789abcdef"}
        of["*"] = string.ascii_uppercase + string.digits
        return "".join(self.chance.choice(of[each]) if each in of else each for each in form)

    def _person(self) -> str:
        return f"{self.first} {self.last}"

    def _email_address(self) -> str:
        plain = str.maketrans("äöüßéèêëçñíóúáışğïôÁÉÍ'ğ", "aouseeeecniouaisgioAEI_g")
        first, last = self.first.translate(plain), self.last.translate(plain)
        local = self.chance.choice((f"{first}.{last}{self.filled('##')}", f"{first[0]}{last}{self.filled('###')}"))
        return f"{local.lower()}@{self.chance.choice(_HOSTS)}"

    def _phone_number(self) -> str:
        return self.filled(self.chance.choice(_PHONES[self.locale]))

    def _credit_card(self) -> str:
        start, length = self.chance.choice(_CARDS)
        digits = start + self.filled("#" * (length - 1 - len(start)))
        number = digits + str(_luhn(digits))
        if self.chance.random() < 0.4:
            return number
        groups = (4, 6, 5) if length == 15 else (4, 4, 4, 4)
        pieces, at = [], 0
        for size in groups:
            pieces.append(number[at : at + size])
            at += size
        return self.chance.choice((" ", "-")).join(pieces)

    def _iban_code(self) -> str:
        country, form = _IBANS[self.locale]
        account = self.filled(form)
        digits = "".join(str(int(each, 36)) for each in account + country + "00")
        iban = f"{country}{98 - int(digits) % 97:02}{account}"
        spaced = " ".join(iban[at : at + 4] for at in range(0, len(iban), 4))
        return self.chance.choice((iban, spaced))

    def _us_ssn(self) -> str:
        return f"{self.chance.randint(100, 665)}-{self.chance.randint(10, 99)}-{self.chance.randint(1000, 9999)}"

    def _key(self) -> str:
        return self.filled(
            self.chance.choice(
                ("AKIA" + "*" * 16, "ghp_" + "*" * 36, "xoxb-##########-" + "*" * 24, "sk_live_" + "*" * 24)
            )
        )

    def _jwt(self) -> str:
        parts = ({"alg": "HS256"}, {"sub": self.filled("########"), "name": self._person()})
        encoded = [base64.urlsafe_b64encode(json.dumps(each).encode()).decode().rstrip("=") for each in parts]
        return ".".join([*encoded, self.filled("*" * 43)])

    def _password(self) -> str:
        return self.filled(self.chance.choice(("Sommer-####", "~~~~~~^^##", "tr0ub4dor&##", "^~~~!###^^")))

    def _login_url(self) -> str:
        return self.filled(f"postgres://{self.last.lower()}:~~~~~~~~@db.corp.local:5432/hr")

    def _ip_address(self) -> str:
        return self.chance.choice(
            (".".join(str(self.chance.randint(11, 250)) for _ in range(4)), self.filled("2001:db8:~~~~:~~~~::1~~~"))
        )

    def _mac_address(self) -> str:
        return self.chance.choice((":", "-")).join(self.filled("~~") for _ in range(6))

    def _employee_id(self) -> str:
        return self.filled(self.chance.choice(("EMP-######", "EMP#####")))

    def _customer_id(self) -> str:
        return self.filled(self.chance.choice(("CUST-######", "KD-#######")))

    def _street_address(self) -> str:
        return self.chance.choice(_STREETS[self.locale]).format(n=self.chance.randint(2, 199))

    def _date_of_birth(self) -> str:
        year, month, day = self.chance.randint(1945, 2004), self.chance.randint(1, 12), self.chance.randint(1, 28)
        return self.chance.choice(
            (f"{year}-{month:02}-{day:02}", f"{day:02}.{month:02}.{year}", f"{month:02}/{day:02}/{year}")
        )

    def _passport(self) -> str:
        return self.filled(self.chance.choice(("^#######", "#########", "^##^#####")))

    def _driver_license(self) -> str:
        return self.filled(self.chance.choice(("^#######", "^############", "^^^^^######^^#^^")))

    def _national_id(self) -> str:
        if self.locale == "es_ES":
            digits = self.filled("########")
            return digits + "TRWAGMYFPDXBNJZSQVHLCKE"[int(digits) % 23]
        if self.locale == "fr_FR":
            digits = "2" + f"{self.chance.randint(50, 99)}{self.chance.randint(1, 12):02}" + self.filled("75##%###")
            return f"{digits}{97 - int(digits) % 97:02}"
        return self.filled("AB ## ## ## C") if self.locale == "en_GB" else self.filled("## ### ### ###")

    def _bank_account(self) -> str:
        return self.filled("########")

    def _license_plate(self) -> str:
        return self.filled(
            {"de_DE": "B-^^ ####", "en_GB": "^^## ^^^", "fr_FR": "^^-###-^^"}.get(self.locale, "####^^^")
        )


def _luhn(digits: str) -> int:
    return -sum(sum(divmod(int(each) * (2 - i % 2), 10)) for i, each in enumerate(reversed(digits))) % 10
