"""Where somebody lives: street addresses as they are written in English, German, French, Spanish and others."""

from __future__ import annotations

import re

from moslm.privacy.recognisers.pattern import Pattern

_CAPITAL = r"[A-ZÀ-ÖØ-ÞĀ-ŽА-Я]"
_WORD = rf"{_CAPITAL}[\w'’.-]{{0,30}}"
_NO = r"\d{1,5}[A-Za-z]?(?:[-/]\d{1,4}[A-Za-z]?)?"
_SEP = r"\s?,?\s{1,2}"
_UNIT = (
    rf"(?:{_SEP}(?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|Room|Whg|Appt|Piso|Interno)\.?\s?#?\w{{1,6}}|"
    rf",?\s#\d{{1,5}})?"
)
_UK = r"[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2}"
_ZIP = (
    rf"(?:{_UK}|(?:[A-Z]{{1,2}}-)?\d{{4,5}}(?:-\d{{3,4}})?|\d{{3}}\s\d{{2}}|\d{{2}}-\d{{3}}|[A-Z]\d[A-Z]\s?\d[A-Z]\d)"
)
_CITY = rf"{_WORD}(?:[ -]{_WORD}|\s(?:upon|am|an der|sur|de|del|la|le|di|on|in)\s{_WORD}){{0,3}}"
_PLACE = (
    rf"(?:(?:{_SEP}|\s?,\s?\n?\s?)"
    rf"(?:{_ZIP}(?:\s[A-Z]{{2}})?\s{_CITY}|{_CITY},?\s(?:[A-Z]{{2}},?\s)?{_ZIP}(?![^\W_])|{_ZIP}(?![^\W_])))?"
)
_ENGLISH = (
    r"Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Court|Ct|Boulevard|Blvd|Way|Place|Pl|Square|Sq|Terrace|"
    r"Crescent|Close|"
    r"Parkway|Pkwy|Highway|Hwy|Circle|Cir|Trail|Row|Mews|Gardens|Grove|Hill|Quay|Walk|Wharf|Loop|Plaza|Parade|Esplanade"
)
_GERMAN = r"(?:straße|strasse|str\.|str|weg|platz|allee|gasse|ring|damm|ufer|chaussee|steig|pfad|hof|berg|markt)"
_DUTCH_NORDIC = (
    r"(?:straat|laan|plein|gracht|kade|dreef|gatan|vägen|vagen|gata|gränd|vej|gade|stræde|allé|veien|vegen|gaten|"
    r"katu|tie|"
    r"polku|kuja|utca|út|tér|vegur|gata|ulice|ulica|cesta)"
)
_ROMANCE = (
    r"(?:rue|avenue|av\.|boulevard|bd|place|chemin|impasse|allées?|quai|route|cours|passage|square|calle|c/|"
    r"avenida|avda\.?|plaza|"
    r"paseo|carrera|camino|ronda|via|viale|piazza|piazzale|corso|largo|vicolo|rua|travessa|praça|ul\.|ulica|aleja|al\.)"
)
_OF = (
    r"(?:de la |de l['’]|de los |de las |de |du |des |del |della |dello |delle |dei |degli |di |da |do |das |"
    r"dos |d['’]|la |le |les |l['’])?"
)


def _pattern(form: str, score: float = 0.8, *, any_case: bool = False) -> Pattern:
    flags = re.IGNORECASE if any_case else re.NOFLAG
    return Pattern("STREET_ADDRESS", re.compile(rf"(?<![^\W_])(?:{form})", flags), score)


STREET_ADDRESSES = (
    _pattern(
        rf"{_NO},?\s(?:[NSEW]\.?\s)?(?:(?:{_WORD}|\d{{1,3}}(?:st|nd|rd|th))\s){{1,4}}(?:{_ENGLISH})(?![^\W_])"
        rf"\.?{_UNIT}{_PLACE}"
    ),
    _pattern(
        rf"(?:P\.?\s?O\.?\s?Box|Postfach|Apartado|Boîte postale|B\.P\.|PSC)\s\d{{1,6}}(?:,\sBox\s\d{{1,5}})?{_PLACE}"
    ),
    _pattern(rf"(?:{_WORD}[ -]){{0,3}}?{_CAPITAL}[\w-]{{1,30}}?{_GERMAN}\s{_NO}(?![^\W_]){_UNIT}{_PLACE}"),
    _pattern(
        rf"(?:{_WORD}[ -]){{1,3}}(?:Straße|Strasse|Str\.|Weg|Platz|Allee|Gasse|Ring|Damm|Ufer|Chaussee)"
        rf"\s{_NO}(?![^\W_]){_PLACE}"
    ),
    _pattern(
        rf"(?:Am|An der|An den|Auf der|Auf dem|Im|In der|Zum|Zur|Unter den|Hinter der)"
        rf"\s{_WORD}(?:\s{_WORD})?\s{_NO}(?![^\W_]),\s{_ZIP}\s{_CITY}"
    ),
    _pattern(
        rf"(?:{_NO}\s)?(?:{_WORD}\s){{0,2}}{_CAPITAL}[\w-]{{0,30}}?{_DUTCH_NORDIC}\s{_NO}(?![^\W_]){_UNIT}{_PLACE}"
    ),
    _pattern(
        rf"\d{{1,4}}(?:\s?(?:bis|ter|[A-Da-d]))?,?\s(?i:{_ROMANCE})"
        rf"\s(?i:{_OF}){_WORD}(?:[ -](?i:{_OF}){_WORD}){{0,4}}{_UNIT}{_PLACE}"
    ),
    _pattern(
        rf"(?i:{_ROMANCE})\s?(?i:{_OF}){_WORD}(?:\s(?i:{_OF}){_WORD}){{0,4}},?\s(?:n[º°.o]\.?\s?)?{_NO}(?![^\W_])"
        rf"(?:,\s\d{{1,2}}[º°ª]\s?\w{{0,3}})?{_UNIT}{_PLACE}"
    ),
    _pattern(rf"{_NO}\s(?:{_WORD}\s){{1,4}}(?:Apt|Apartment|Suite|Ste|Unit)\.\s?\d{{1,5}}{_PLACE}", 0.7),
    _pattern(rf"(?:Apt|Suite|Ste)\.?\s\d{{1,5}}(?![^\W_]){_PLACE}", 0.6),
    _pattern(rf"{_UK}(?![^\W_])", 0.7),
    # behind a word that names it, whatever its form: a number, a few words, a place
    _pattern(
        r"(?i:address(?: is|:)|lives? at|living at|located at|ship(?:ped)? to|deliver(?:ed)? to|moved to|"
        r"adresse(?: ist| est|:)|anschrift:?|"
        r"wohn(?:e|haft|t)(?: in| an)?|dirección:?|dirección es|indirizzo:?|habite au|vivo en)\s{0,2}"
        rf"(?P<value>(?:{_NO},?\s(?:{_WORD}[ ,]{{0,2}}){{1,6}}|{_WORD}(?:\s{_WORD}){{0,4}},?\s{_NO}(?![^\W_])"
        rf"){_UNIT}{_PLACE})",
        0.6,
    ),
)
