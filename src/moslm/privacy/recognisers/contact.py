"""Where somebody can be reached: e-mail addresses at any host, also spelled out, and phone numbers."""

from __future__ import annotations

import re

from moslm.privacy.recognisers.pattern import Pattern

_AT = r"(?:[(\[{<]\s?(?:at|ät|@|arroba|arobase|chiocciola)\s?[)\]}>])"
_DOT = r"(?:\s?[(\[{<]\s?(?:dot|punkt|punto|point|\.)\s?[)\]}>]\s?|\s(?:dot|punkt|punto|point)\s)"
_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_NAME = r"[\w+%'-]{1,64}"

EMAIL_ADDRESSES = (
    # no public suffix is asked for: hosts inside a company have none (.local, .internal, a single label)
    Pattern(
        "EMAIL_ADDRESS",
        re.compile(
            rf"[\w.+%'&~#!$*/=?^`{{|}}-]{{1,64}}(?<!\.)@(?:{_LABEL}\.){{0,8}}(?!\d+(?:\.\d+)*(?![\w.-])){_LABEL}"
        ),
        0.95,
    ),
    Pattern("EMAIL_ADDRESS", re.compile(r"[\w.+%'&~#-]{1,64}@\[[0-9A-Fa-f.:]{3,45}\]")),
    Pattern("EMAIL_ADDRESS", re.compile(rf"(?<![\w.])[\w.+-]{{1,64}}\s@\s?(?:{_LABEL}\.){{1,8}}[^\W\d_]{{2,}}"), 0.8),
    Pattern("EMAIL_ADDRESS", re.compile(rf"(?<![\w.])[\w.+-]{{1,64}}@\s(?:{_LABEL}\.){{1,8}}[^\W\d_]{{2,}}"), 0.8),
    Pattern(
        "EMAIL_ADDRESS",
        re.compile(
            rf"(?<![\w.]){_NAME}(?:(?:\.|{_DOT}){_NAME}){{0,4}}\s?{_AT}\s?{_LABEL}(?:(?:\.|{_DOT}){_LABEL}){{0,8}}",
            re.IGNORECASE,
        ),
    ),
    # "at" without brackets is a word like any other: only a dot spelled out in the same tongue makes it an address
    *(
        Pattern(
            "EMAIL_ADDRESS",
            re.compile(
                rf"(?<![\w.]){_NAME}(?:(?:\.|\s{dot}\s){_NAME}){{0,4}}\s(?:{at})\s"
                rf"{_LABEL}(?:\.{_LABEL}){{0,3}}(?:(?:\s?[(\[{{<]\s?{dot}\s?[)\]}}>]\s?|\s{dot}\s){_LABEL}){{1,6}}",
                re.IGNORECASE,
            ),
            0.8,
        )
        for at, dot in (
            ("at|@", "dot"),
            ("ät|at", "punkt"),
            ("arroba", "punto"),
            ("arobase", "point"),
            ("chiocciola", "punto"),
        )
    ),
)

_GAP = r"[ .()/_–—-]{0,3}"
_EXTENSION = r"(?:\s?(?:x|ext\.?|extension|durchwahl|poste)\s?\d{1,6})?"
_BEFORE, _AFTER = r"(?<![^\W_])(?<!\+)(?<!\d[.:-])", r"(?![^\W_])(?![.:]\d)"
_WORDS = (
    r"phone|telephone|tel|call|ring|mobile|cell|cellphone|fax|whatsapp|sms|text|dial|reach|contact|number|hotline|"
    r"telefon|telefonnummer|rufnummer|handy|handynummer|mobil|anrufen|nummer|téléphone|tél|portable|numéro|appeler|"
    r"appelez|teléfono|telefono|móvil|movil|llamar|número|cellulare|numero|telefoon|puhelin|tlf|desk|office|"
    r"direct line|landline|home|answering(?: at)?|registered"
)


def _digits(least: int, most: int) -> re.Pattern[str]:
    return re.compile(rf"(?:\D*\d){{{least},{most}}}\D*")


def _is_no_date(text: str) -> bool:
    return not re.fullmatch(
        r"(?:\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./](?:\d{2}|\d{4}))(?:[ T]\d{1,2})?", text
    )


def _has_8_to_15_digits(text: str) -> bool:
    return _digits(8, 15).fullmatch(text) is not None and _is_no_date(text)


def _has_9_to_13_digits(text: str) -> bool:
    return _digits(9, 13).fullmatch(text) is not None and _is_no_date(text)


PHONE_NUMBERS = (
    Pattern(
        "PHONE_NUMBER",
        re.compile(
            rf"(?<![^\W_])(?<!\+)(?<!\d[.:-])(?:\+|\(\+|00 ?(?=[1-9]))\(?\d(?:{_GAP}\d){{7,14}}{_EXTENSION}{_AFTER}"
        ),
    ),
    # North America
    Pattern(
        "PHONE_NUMBER",
        re.compile(
            rf"{_BEFORE}(?:\+?1[ .-]?)?(?:\(\d{{3}}\)[ ._-]?|\d{{3}}[ ._–-])\d{{3}}[ ._–-]?\d{{4}}{_EXTENSION}{_AFTER}"
        ),
    ),
    # a leading zero: most of Europe
    Pattern(
        "PHONE_NUMBER",
        re.compile(rf"{_BEFORE}\(?0\d{{1,5}}\)?(?:{_GAP}\d){{5,10}}{_EXTENSION}{_AFTER}"),
        0.7,
        _has_9_to_13_digits,
    ),
    # Spain, Portugal, Poland, the Nordic countries: three or four groups, no leading zero
    Pattern("PHONE_NUMBER", re.compile(rf"{_BEFORE}[2-9]\d{{2}}([ ._-])\d{{3}}\1\d{{3}}{_AFTER}"), 0.7),
    Pattern("PHONE_NUMBER", re.compile(rf"{_BEFORE}[2-9]\d{{2}}(?:[ ._-]\d{{2}}){{3}}{_AFTER}"), 0.7),
    Pattern(
        "PHONE_NUMBER", re.compile(rf"{_BEFORE}\d{{2}}([ ._-])\d{{2}}\1\d{{2}}\1\d{{2}}{_AFTER}"), 0.6, _is_no_date
    ),
    Pattern("PHONE_NUMBER", re.compile(rf"{_BEFORE}[6-9]\d([ .-])\d{{3}}\1\d{{2}}\1\d{{2}}{_AFTER}"), 0.6),
    # a file's name: elsewhere as many digits in a row are as often an amount
    Pattern(
        "PHONE_NUMBER",
        re.compile(
            r"(?<![^\W_])(?:[6-9]\d{8}|0\d{9,10}|[2-9]\d\d[2-9]\d{6})"
            r"(?=\.[A-Za-z]{3,4}(?![^\W_])|_[A-Za-z_-]{0,40}\.[A-Za-z]{3,4}(?![^\W_]))"
        ),
        0.5,
    ),
    # the word behind the number, as in a signature
    Pattern(
        "PHONE_NUMBER",
        re.compile(
            rf"{_BEFORE}(?P<value>[(+]{{0,2}}\d(?:{_GAP}\d){{5,14}}{_EXTENSION})"
            r"(?:\s\(?|-)(?:office|mobile|cell|fax|home|desk|phone|tel|direct|mobil|büro|privat|bureau|domicile|"
            r"oficina|móvil)(?![^\W\d_])",
            re.IGNORECASE,
        ),
        0.7,
        _is_no_date,
    ),
    # anything else with enough digits behind a word that names it
    Pattern(
        "PHONE_NUMBER",
        re.compile(
            rf"(?<![^\W\d_])(?:{_WORDS})(?![^\W\d_])"
            rf"[^\d\n]{{0,24}}\n?[ ]{{0,4}}(?P<value>[(+]{{0,2}}\d(?:{_GAP}\d){{5,14}}{_EXTENSION}){_AFTER}",
            re.IGNORECASE,
        ),
        0.6,
        _is_no_date,
    ),
)
