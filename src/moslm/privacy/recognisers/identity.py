"""Who somebody is to an authority or a company: social security numbers, identity papers, dates of birth, own ids."""

from __future__ import annotations

import re
from collections.abc import Mapping

from moslm.privacy.recognisers.pattern import Pattern, named

_NUMBER = r"(?:[ _-]?(?:id|no\.?|nr\.?|num(?:ber)?|nummer|número|numero|numéro|n[º°]|code|#))?"
_PAPER = (
    r"(?!(?:is|ist|es|est|was|no|nr|of|id|num|number|my|the)(?![^\W_]))(?=[A-Z]{0,6}-?\d|[A-Z]{1,3} \d)"
    r"(?=(?:[A-Z -]{0,8}\d){4})"
    r"[A-Z0-9]{1,16}(?:[ -]?(?=[A-Z]{0,6}\d)[A-Z0-9]{1,14}){0,4}(?:[ -]?(?-i:[A-Z])(?![^\W_]))?"
)
_MONTH = (
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mär|mai|okt|dez|ene|abr|ago|dic|janv|févr|avr|juin|juil|août|"
    r"déc|gen|mag|giu|lug|set|ott)[^\W\d_]{0,8}\.?"
)
_DATE = (
    r"\d{4}[-./ ]\d{1,2}[-./ ]\d{1,2}|\d{1,2}[-./ ]\d{1,2}[-./ ](?:\d{4}|\d{2})|"
    rf"\d{{1,2}}(?:st|nd|rd|th|er|º)?\.?\s(?:of\s|de\s)?{_MONTH},?\s(?:de\s|"
    rf"del\s)?\d{{4}}|{_MONTH}\s\d{{1,2}}(?:st|nd|rd|th)?,?\s\d{{4}}"
)


def _dni(text: str) -> bool:
    plain = re.sub(r"[ .-]", "", text).upper().translate(str.maketrans("XYZ", "012", ""))
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(plain[:-1]) % 23] == text[-1].upper()


def _nir(text: str) -> bool:
    plain = re.sub(r"\D", "", text)
    return len(plain) == 15 and 97 - int(plain[:13]) % 97 == int(plain[13:])


IDENTITY = (
    # areas that were never issued count too: a slip of the pen is as personal
    Pattern("US_SSN", re.compile(r"(?<![^\W_])(?<!\d-)\d{3}([-–. ])\d{2}\1\d{4}(?![^\W_])(?!-\d)")),
    Pattern(
        "US_SSN",
        named(
            r"ssn|social security(?: number| no\.?| #)?|itin|taxpayer id(?:entification number)?",
            r"\d{3}[-–. ]?\d{2}[-–. ]?\d{4}",
        ),
    ),
    Pattern(
        "DATE_OF_BIRTH",
        re.compile(
            r"(?<![^\W\d_])(?:born|birth|birth ?day|birth ?date|dob|d\.o\.b\.?|geboren|geb\.|geburtsdatum|"
            r"geburtstag|née?|naissance|"
            rf"nacid[oa]|nacimiento|nat[oa] (?:il|a)|nascita|geboortedatum)(?![^\W\d_])"
            rf"[^\d\n]{{0,24}}?(?P<value>{_DATE})(?!\d)",
            re.IGNORECASE,
        ),
    ),
    Pattern("PASSPORT", named(rf"(?:pass(?:port)?|reisepass|passeport|pasaporte|passaporto){_NUMBER}", _PAPER)),
    Pattern(
        "DRIVER_LICENSE",
        named(
            r"driver(?:'?s|s')? ?(?:license|licence)|driving ?licen[cs]e|dl|führerschein(?:nummer)?|permis de conduire|"
            rf"(?:permiso|carn[eé]t?) de conducir|patente di guida|(?:my|your|his|her|their) licen[cs]e{_NUMBER}",
            _PAPER,
        ),
    ),
    Pattern(
        "NATIONAL_ID",
        named(
            r"(?:national|identity|personal|tax|fiscal)[ _-]?(?:id|identity|identification|card|insurance|"
            r"identifier)(?:[ _-]?(?:number|card))?|"
            r"id card|nino|nhs(?: number)?|steuer-?id(?:entifikationsnummer)?|steuernummer|"
            r"personalausweis(?:nummer)?|sozialversicherungsnummer|"
            r"sécurité sociale|nir|dni|nie|nif|codice fiscale|bsn|pesel|personnummer|aadhaar|tin",
            _PAPER,
        ),
    ),
    Pattern(
        "NATIONAL_ID", re.compile(r"(?<![^\W_])[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D](?![^\W_])")
    ),
    Pattern(
        "NATIONAL_ID",
        re.compile(r"(?<![^\W_])(?:\d{8}|[XYZ]\d{7})[ -]?[A-HJ-NP-TV-Z](?![^\W_])", re.IGNORECASE),
        0.9,
        _dni,
    ),
    Pattern(
        "NATIONAL_ID", re.compile(r"(?<!\d)[12] ?\d\d ?(?:0[1-9]|1[0-2]) ?\d\d ?\d{3} ?\d{3} ?\d\d(?!\d)"), 0.9, _nir
    ),
    Pattern(
        "NATIONAL_ID", re.compile(r"(?<![^\W_])[A-Z]{6}\d\d[A-EHLMPRST]\d\d[A-Z]\d{3}[A-Z](?![^\W_])", re.IGNORECASE)
    ),
    Pattern(
        "LICENSE_PLATE",
        named(
            r"(?:licen[cs]e|number) plate|(?:plate|registration) number|kennzeichen|immatriculation|matrícula|targa",
            r"(?-i:(?=[A-ZÄÖÜ]{0,3}[ -]?[A-Z]{0,3}[ -]?\d)[A-ZÄÖÜ0-9]{1,4}(?:[ -]?[A-Z0-9]{1,5}){1,3})",
        ),
        0.7,
    ),
    Pattern(
        "USERNAME",
        re.compile(
            r"(?<![^\W_])(?:user ?name|user[ _-]?id|login|benutzername|identifiant|nombre de usuario|usuario|"
            r"handle)[\"'`]{0,2}\s{0,2}(?::|=|\sis\b|\sist\b|\sest\b|\ses\b)"
            r"\s{0,2}[\"'`@]?(?P<value>[\w.+-]{2,63}[\w])",
            re.IGNORECASE,
        ),
        0.7,
    ),
)

_STAFF = r"employee|emp|staff|personnel|worker|badge|mitarbeiter|personal|matricule|salarié|empleado|dipendente"
_BUYER = (
    r"customer|cust|client|member|membership|subscriber|policy(?:holder)?|patient|insured|kunden?|cliente?|"
    r"abonné|socio|account holder"
)
_ID = r"(?=[A-Z0-9_/-]*\d(?:[A-Z0-9_/-]*\d){2})[A-Z0-9]{1,12}(?:[_/-][A-Z0-9]{1,12}){0,3}"


def _company_id(words: str, prefixes: str) -> str:
    number = r"(?:'s)?[ _-]?(?:id|no\.?|nr\.?|num(?:ber)?|nummer|número|numero|numéro|n[º°]|code|ref(?:erence)?|#)"
    behind_a_word = (
        rf"(?:{words}){number}[\"'`]{{0,2}}(?:\s?(?::|=|#|is|ist|est|es|was)"
        rf"){{0,2}}\s{{0,2}}[\"'`]{{0,2}}(?P<value>{_ID})(?![^\W_])"
    )
    return rf"(?<![^\W_]){behind_a_word}|(?<![^\W_])(?:{prefixes})[-_ ]?\d{{3,12}}(?![^\W_])"


COMPANY_PATTERNS: Mapping[str, str] = {
    "EMPLOYEE_ID": _company_id(_STAFF, "EMP|PNR|STAFF"),
    "CUSTOMER_ID": _company_id(_BUYER, "CUST|CUS|KD|CLI|MBR"),
}
"""How a company numbers its people by default; ``[privacy] patterns`` takes the place of these or adds kinds."""


def company_ids(patterns: Mapping[str, str]) -> tuple[Pattern, ...]:
    """Return the recognisers of a company's own ids: the default forms, replaced and extended by kind.

    Args:
        patterns: Regular expressions by kind, case-insensitive; a group named ``value`` is the id where there is one.
    """
    return tuple(
        Pattern(kind, re.compile(regex, re.IGNORECASE), 0.95)
        for kind, regex in {**COMPANY_PATTERNS, **patterns}.items()
    )
