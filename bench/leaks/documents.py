"""Documents that personal data hides in: prose of five countries, JSON, tables, base64, file names, links, turns."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from random import Random
from urllib.parse import quote

from leaks.identities import LOCALES, Identity

STRUCTURED = ("EMAIL_ADDRESS", "PHONE_NUMBER", "CREDIT_CARD", "IBAN_CODE", "US_SSN", "KEY")
"""Kinds of which nothing may leave."""
LABELS = {
    "EMAIL_ADDRESS": ("e-mail", "e-mail", "E-Mail", "courriel", "correo"),
    "PHONE_NUMBER": ("phone", "mobile", "Telefon", "téléphone", "teléfono"),
    "CREDIT_CARD": ("card", "card number", "Kreditkarte", "carte bancaire", "tarjeta"),
    "IBAN_CODE": ("IBAN", "IBAN", "IBAN", "IBAN", "IBAN"),
    "US_SSN": ("SSN", "social security number", "SSN", "SSN", "SSN"),
    "KEY": ("api key", "token", "API-Key", "clé d'API", "token"),
    "JWT": ("token", "bearer", "Token", "jeton", "token"),
    "PASSWORD": ("password", "password", "Passwort", "mot de passe", "contraseña"),
    "LOGIN_URL": ("database", "database", "Datenbank", "base", "base"),
    "IP_ADDRESS": ("address", "host", "Rechner", "machine", "equipo"),
    "MAC_ADDRESS": ("MAC", "MAC", "MAC", "MAC", "MAC"),
    "EMPLOYEE_ID": ("employee id", "staff no", "Personalnummer", "matricule", "empleado"),
    "CUSTOMER_ID": ("customer number", "customer id", "Kundennummer", "client", "cliente"),
    "STREET_ADDRESS": ("address", "address", "Adresse", "adresse", "dirección"),
    "DATE_OF_BIRTH": ("date of birth", "DOB", "geboren am", "né le", "fecha de nacimiento"),
    "PASSPORT": ("passport number", "passport", "Reisepass", "passeport", "pasaporte"),
    "DRIVER_LICENSE": (
        "driver's license",
        "driving licence",
        "Führerschein",
        "permis de conduire",
        "permiso de conducir",
    ),
    "NATIONAL_ID": ("tax id", "NINO", "Steuer-ID", "sécurité sociale", "DNI"),
    "BANK_ACCOUNT": ("account number", "account", "Kontonummer", "compte", "cuenta"),
    "LICENSE_PLATE": ("license plate", "number plate", "Kennzeichen", "immatriculation", "matrícula"),
    "PERSON": ("name", "name", "Name", "nom", "nombre"),
}
KINDS = tuple(LABELS)
_SENTENCES = (
    ("the {label} is {value}.", "use {label} {value} from now on,", "I gave you my {label}: {value} -"),
    ("my {label} is {value},", "please note the {label} {value}.", "{label} {value} does not work -"),
    ("meine {label} lautet {value}.", "{label}: {value},", "bitte {label} {value} prüfen -"),
    ("mon {label} est {value}.", "voici le {label} {value},", "{label} : {value} -"),
    ("mi {label} es {value}.", "anote {label} {value},", "{label}: {value} -"),
)
_BARE = ("it says {value} here.", "{value} again", "see {value}, please", "\n{value}\n", "({value})", "got '{value}'?")
_NAMED = (
    ("Yesterday {value} called about it.", "{value} wrote to us.", "I spoke to {value} this morning."),
    ("Could {value} ring me back?", "{value} is off sick.", "The ticket belongs to {value}."),
    ("Gestern hat {value} angerufen.", "Ich bin {value} und brauche Hilfe.", "Das Gerät gehört {value}."),
    ("Hier {value} a appelé.", "Je m'appelle {value}.", "Le dossier de {value} est bloqué."),
    ("Ayer llamó {value} por esto.", "Me llamo {value}.", "El equipo es de {value}."),
)
_FILLER = (
    "Hello,",
    "my laptop is slow.",
    "The invoice of 2026-10-01 over 1,240.50 is open.",
    "Danke!",
    "Merci.",
    "Is version 3.2 fine?",
)


@dataclass(frozen=True, slots=True)
class Document:
    """What would leave: the messages of a conversation, in order.

    Attributes:
        texts: The messages.
        planted: Kind and value of everything personal in them, and how it was disguised.
    """

    texts: tuple[str, ...]
    planted: tuple[tuple[str, str, str], ...]


def documents(seed: int, count: int) -> list[Document]:
    """Draw documents; the same for the same seed."""
    chance = Random(seed)
    return [_document(chance) for _ in range(count)]


def _document(chance: Random) -> Document:
    locale = chance.randrange(len(LOCALES))
    who = Identity(chance, LOCALES[locale])
    kinds = chance.sample(KINDS, chance.randint(3, 6))
    if not set(kinds) & set(STRUCTURED):
        kinds[0] = chance.choice(STRUCTURED)
    carrier = chance.choice((_prose, _prose, _prose, _json, _table, _base64, _file_names, _link, _turns))
    return carrier(chance, locale, [(kind, who.value(kind)) for kind in kinds])


Values = list[tuple[str, str]]


def _prose(chance: Random, locale: int, values: Values) -> Document:
    sentences, planted = [chance.choice(_FILLER)], []
    for kind, value in values:
        disguise, shown = _disguised(chance, kind, value)
        sentences.append(_sentence(chance, locale, kind, shown))
        planted.append((kind, value, disguise))
    return Document((" ".join([*sentences, chance.choice(_FILLER)]),), tuple(planted))


def _sentence(chance: Random, locale: int, kind: str, shown: str) -> str:
    if kind == "PERSON":
        return chance.choice(_NAMED[locale]).format(value=shown)
    if kind in STRUCTURED and chance.random() < 0.4:
        return chance.choice(_BARE).format(value=shown)
    return chance.choice(_SENTENCES[locale]).format(label=LABELS[kind][locale], value=shown)


def _disguised(chance: Random, kind: str, value: str) -> tuple[str, str]:
    """Disguise some values as people and software do; names and addresses are left as they are."""
    if chance.random() < 0.6 or kind in ("PERSON", "STREET_ADDRESS", "DATE_OF_BIRTH", "JWT", "LOGIN_URL", "PASSWORD"):
        return "plain", value
    if kind == "EMAIL_ADDRESS" and chance.random() < 0.6:
        host = value.partition("@")[2]
        dotted = host.replace(".", chance.choice((" [dot] ", ".", "(dot)")))
        return "spelled out", value.partition("@")[0] + chance.choice((" [at] ", " (at) ", "[at]")) + dotted
    disguises = {
        "full width": "".join(chr(ord(each) + 0xFEE0) if "!" <= each <= "~" else each for each in value),
        "zero width": "\u200b".join(value),
        "no-break": value.replace(" ", "\u00a0").replace("-", "\u2011"),
        "entity": "".join(f"&#{ord(each)};" if not each.isalnum() else each for each in value),
    }
    return chance.choice(list(disguises.items()))


def _json(chance: Random, locale: int, values: Values) -> Document:
    keyed = {LABELS[kind][locale].replace(" ", "_"): value for kind, value in values}
    result = {"status": "ok", "rows": [{**keyed, "items": [1, 2.5, None]}], "took_ms": 12}
    text = json.dumps(result, ensure_ascii=chance.random() < 0.5, indent=chance.choice((None, 2)))
    shown = set(keyed.values())
    return Document((f"tool result: {text}",), tuple((k, v, "json") for k, v in values if v in shown))


def _table(chance: Random, locale: int, values: Values) -> Document:
    mark = chance.choice(("|", "\t", ";", ","))
    lines = [mark.join(LABELS[kind][locale] for kind, _ in values), mark.join(value for _, value in values)]
    kept = [(kind, value, "table") for kind, value in values if kind in STRUCTURED]
    return Document(("\n".join(lines),), tuple(kept))


def _base64(chance: Random, locale: int, values: Values) -> Document:
    inside = _prose(chance, locale, [(kind, value) for kind, value in values if kind != "PERSON"])
    raw = inside.texts[0].encode()
    encoded = chance.choice((base64.b64encode, base64.urlsafe_b64encode, base64.encodebytes))(raw).decode().strip()
    return Document((f"attachment:\n{encoded}\nend",), tuple((k, v, "base64") for k, v, _ in inside.planted))


def _file_names(chance: Random, locale: int, values: Values) -> Document:
    names, planted = [], []
    for kind, value in values:
        if kind in STRUCTURED or kind in ("EMPLOYEE_ID", "CUSTOMER_ID"):
            compact = value.replace(" ", chance.choice(("", "_"))).replace("/", "-")
            names.append(
                chance.choice(("{}.pdf", "scan_{}_final.docx", "export-{}.csv", "2026-01-31_{}.txt")).format(compact)
            )
            planted.append((kind, value, "file name"))
    return Document(("please open " + ", ".join(names),), tuple(planted))


def _link(chance: Random, locale: int, values: Values) -> Document:
    kept = [(kind, value) for kind, value in values if kind in STRUCTURED]
    query = "&".join(f"{chance.choice('abcq')}={quote(value, safe='')}" for _, value in kept)
    return Document((f"see https://portal.corp.local/find?{query}#top",), tuple((k, v, "link") for k, v in kept))


def _turns(chance: Random, locale: int, values: Values) -> Document:
    """Split one value over two messages, with or without a reply between them; the others stand in prose."""
    splittable = [each for each in values if each[0] in STRUCTURED]
    kind, value = splittable[0]
    middle = len(value) // 2
    cut = next((at + 1 for at in range(middle, len(value) - 4) if value[at] in " -@"), middle)
    if kind in ("KEY", "EMAIL_ADDRESS"):
        cut = max(value.find("@") + 1, len(value) // 2) if kind == "KEY" else value.find("@") + chance.choice((0, 1))
    halves = [f"{LABELS[kind][locale]} {value[:cut].rstrip()}", value[cut:].lstrip()]
    turns = halves if chance.random() < 0.5 else [halves[0], "Please go on.", halves[1]]
    rest = _prose(chance, locale, [each for each in values if each != (kind, value)])
    return Document((*rest.texts, *turns), (*rest.planted, (kind, value, "split")))
