"""What opens doors: keys of well-known makers by their form, passwords and tokens behind a word that names them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from math import log2

from moslm.privacy.recognisers.pattern import Pattern

_B, _E = r"(?<![A-Za-z0-9])", r"(?![A-Za-z0-9])"
_KEYS = (
    r"(?:AKIA|ASIA|AGPA|AIDA|AROA|ANPA|ABIA|ACCA)[A-Z0-9]{16}",
    r"gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{20,255}",
    r"xox[abeoprs](?:-[A-Za-z0-9]{2,100}){2,6}|xapp-[A-Za-z0-9-]{10,255}",
    r"[srp]k_(?:live|test)_[A-Za-z0-9]{10,255}|whsec_[A-Za-z0-9]{16,255}",
    r"sk-[A-Za-z0-9_-]{16,255}",
    r"AIza[A-Za-z0-9_-]{30,45}|ya29\.[A-Za-z0-9_-]{20,512}|GOCSPX-[A-Za-z0-9_-]{20,60}",
    r"glpat-[A-Za-z0-9_-]{16,64}|npm_[A-Za-z0-9]{30,64}|pypi-[A-Za-z0-9_-]{30,512}|hf_[A-Za-z0-9]{24,64}",
    r"SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{32,64}|key-[0-9a-f]{32}|AC[0-9a-f]{32}|SK[0-9a-f]{32}",
    r"dop_v1_[0-9a-f]{64}|lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}|hvs\.[A-Za-z0-9_-]{20,255}",
    r"eyJ[A-Za-z0-9_-]{5,4096}\.eyJ[A-Za-z0-9_-]{2,8192}(?:\.[A-Za-z0-9_-]{0,4096})?",
    r"https://hooks\.slack\.com/[A-Za-z0-9/_-]{10,200}",
)
_PASSWORD = (
    r"password|passwd|passwort|kennwort|pwd|passphrase|passcode|mot[ _-]de[ _-]passe|contraseña|clave|parola|"
    r"wachtwoord|senha|"
    r"PIN(?:[- ]code)?|TAN|OTP"
)
_TOKEN = (
    r"(?:api|access|secret|private|auth|account|client|encryption|signing|shared|session|refresh|bearer|license|"
    r"subscription|master|root)[ _-]?(?:key|token|secret)(?:[ _-]?id)?|apikey|secret|token|bearer|credentials?|"
    r"authorization|signature|sig|AccountKey|SharedAccessKey|Schlüssel|clé|llave|key"
)
_LINK = (
    r"[\"'`]{0,2}\s{0,2}(?::=|=>|=|:|\sis\b|\swas\b|\sist\b|\slautet\b|\ses\b|\sest\b)\s{0,2}(?:now\s|"
    r"jetzt\s)?[\"'`]{0,2}"
)


def entropy(text: str) -> float:
    """Return Shannon's entropy of a text's characters, in bits a character."""
    return -sum(n / len(text) * log2(n / len(text)) for n in Counter(text).values())


def _is_no_plain_word(value: str) -> bool:
    return not value.isalpha() or (len(value) >= 12 and entropy(value) > 3.3 and value.lower() != value)


def _is_assigned(value: str) -> bool:
    return any(each.isdigit() for each in value) or _is_no_plain_word(value)


def _is_random(value: str) -> bool:
    mixed = any(each.isdigit() for each in value) and any(each.isalpha() for each in value)
    return mixed and entropy(value) >= 3.0


def _has_a_digit(value: str) -> bool:
    return any(each.isdigit() for each in value)


def _behind(words: str, least: int, check: Callable[[str], bool] | None = None) -> Pattern:
    """Return the form of a secret of at least so many characters behind words; an ``&`` begins a link's next field."""
    letter = r"(?:[^\s\"'`,;&<>]|&(?!\w{1,30}=))"
    end = r"(?<![.!?)])" if check else ""
    form = rf"(?<![^\W_]){words}(?P<value>{letter}{{{least},2048}}{end})"
    return Pattern("SECRET", re.compile(form, re.IGNORECASE), 0.8, check)


SECRETS = (
    Pattern("SECRET", re.compile(_B + "(?:" + "|".join(_KEYS) + ")" + _E), 1.0),
    Pattern(
        "SECRET",
        re.compile(
            r"-----BEGIN (?P<what>[A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?)-----"
            r"(?:(?!-----)[\s\S]){0,16384}(?:-----END (?P=what)-----)?"
        ),
        1.0,
    ),
    # "password: hunter2" and "password=swordfish", but "the password is wrong" says nothing
    _behind(rf"(?:{_PASSWORD})[\"'`]{{0,2}}\s{{0,2}}[:=]\s{{0,2}}[\"'`]?", 3),
    _behind(rf"(?:{_PASSWORD}){_LINK}", 5, _is_no_plain_word),
    _behind(rf"(?:{_PASSWORD})\s{{1,2}}[\"'`]?", 6, _has_a_digit),
    _behind(rf"(?:{_TOKEN}){_LINK}(?:Bearer |Basic )?", 8, _is_assigned),
    Pattern(
        "SECRET",
        re.compile(
            rf"(?<![^\W_])(?:{_PASSWORD}|{_TOKEN}|Bearer|Basic)(?![^\W_])[^\n]{{0,40}}?(?<![\w+/=.~-])"
            rf"(?P<value>[A-Za-z0-9+/_=.~-]{{16,2048}})(?<![.])",
            re.IGNORECASE,
        ),
        0.7,
        _is_random,
    ),
)
