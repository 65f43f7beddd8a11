"""`EveryReading`: has a recogniser read a text also as it is meant: decoded, and without what only hides it.

Full-width letters, zero-width characters, percent and HTML escapes and JSON's backslashes are read as what they stand
for; base64 and hexadecimal runs are opened. Whatever is found is reported where it stands in the text as it is.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from moslm.privacy.recognisers.finding import Finding, Recogniser, merged

_DEEPEST = 3
"""How often what was decoded is decoded again."""
_LONGEST = 65_536
"""Characters of a base64 run that is opened; a longer one is a file, and is hidden unread."""
_UNUSUAL = re.compile(r"[^\x00-\x7f]|%[0-9A-Fa-f]{2}|\\[nrtu\"/]|&[#a-z]")
_TEX = (
    r"theta|times|tau|tan|tanh|text[a-z]*|tfrac|tilde|to|top|triangle|nabla|ne|neq|neg|newline|nonumber|not|notin|nu|"
    r"rangle|rceil|rfloor|rho|right|rightarrow|rightharpoonup|rightleftharpoons|rm"
)
"""Commands of a formula that begin like an escape; read as one, they leave half a word."""
ESCAPE = re.compile(rf"\\(?!(?:{_TEX})(?![A-Za-z]))[nrt\"/]")
"""JSON's, of two characters."""
_TOKEN = re.compile(
    rf"(?P<percent>(?:%[0-9A-Fa-f]{{2}})+)|(?P<unicode>(?:\\u[0-9A-Fa-f]{{4}})+)|"
    rf"(?P<escape>{ESCAPE.pattern})|"
    r"(?P<entity>&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[a-z]{2,8});)|(?P<other>[\s\S])"
)
_RUN = re.compile(
    r"(?<![A-Za-z0-9+/_-])(?:(?:[A-Za-z0-9+/_-]{60,100}\r?\n){1,2000}[A-Za-z0-9+/_-]{1,100}={0,2}|[A-Za-z0-9+/_-]{16,}={0,2})"
)
_HEX = re.compile(r"(?<![0-9A-Za-z])(?:0x)?(?P<digits>(?:[0-9A-Fa-f]{2}){8,})(?![0-9A-Za-z])")
_ALSO = {"。": ".", "．": ".", "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "−": "-", "\u00a0": " ", "’": "'"}


@dataclass(frozen=True, slots=True)
class Reading:
    """A text as it is meant; character ``i`` stands for ``starts[i]`` to ``ends[i]`` of the text as it is."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def located(self, finding: Finding) -> Finding:
        """Return a finding in this reading where it stands in the text as it is."""
        return Finding(self.starts[finding.start], self.ends[finding.end - 1], finding.kind, finding.score)


def decoded(text: str) -> Reading | None:
    """Read a text as it is meant; None where that is the text as it is."""
    reading = None
    for _ in range(_DEEPEST):
        current = reading.text if reading else text
        if not _UNUSUAL.search(current):
            break
        further = _decoded_once(current)
        if further.text == current:
            break
        reading = _through(reading, further) if reading else further
    return reading


def _decoded_once(text: str) -> Reading:
    letters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for token in _TOKEN.finditer(text):
        for letter in _meant(token):
            letters.append(letter)
            starts.append(token.start())
            ends.append(token.end())
    return Reading("".join(letters), tuple(starts), tuple(ends))


def _meant(token: re.Match[str]) -> str:
    text = token.group()
    match token.lastgroup:
        case "percent":
            return unquote_to_bytes(text).decode("utf-8", errors="replace")
        case "unicode":
            units = b"".join(int(each, 16).to_bytes(2, "big") for each in text.split("\\u")[1:])
            return units.decode("utf-16-be", errors="replace")
        case "escape":
            return meant(text)
        case "entity":
            return html.unescape(text)
        case _:
            return _plain(text)


def meant(escape: str) -> str:
    """Return what an escape of JSON stands for."""
    return {"n": "\n", "r": "\r", "t": "\t"}.get(escape[1], escape[1])


def _plain(letter: str) -> str:
    if letter.isascii():
        return letter
    if letter in _ALSO:
        return _ALSO[letter]
    # format characters and variation selectors are invisible; a combining grapheme joiner is of no other use
    if unicodedata.category(letter) == "Cf" or "\ufe00" <= letter <= "\ufe0f" or letter == "\u034f":
        return ""
    digit = unicodedata.decimal(letter, None)
    return str(digit) if digit is not None else unicodedata.normalize("NFKC", letter)


def _through(outer: Reading, inner: Reading) -> Reading:
    starts = tuple(outer.starts[at] for at in inner.starts)
    ends = tuple(outer.ends[at - 1] for at in inner.ends)
    return Reading(inner.text, starts, ends)


class EveryReading:
    """A recogniser that has others read a text as it is, as it is meant, and inside what it encodes.

    Args:
        recognisers: Who reads.
    """

    def __init__(self, *recognisers: Recogniser) -> None:
        self._recognisers = recognisers

    def find(self, text: str) -> list[Finding]:
        """Return everything anyone found in any reading, without overlaps."""
        return merged(self._found(text, 0))

    def _found(self, text: str, depth: int) -> Iterator[Finding]:
        for recogniser in self._recognisers:
            yield from recogniser.find(text)
        yield from self._encoded(text, depth)
        reading = decoded(text)
        if reading is not None:
            for recogniser in self._recognisers:
                yield from map(reading.located, recogniser.find(reading.text))
            yield from map(reading.located, self._encoded(reading.text, depth))

    def _encoded(self, text: str, depth: int) -> Iterator[Finding]:
        for start, end, inside in _opened(text):
            if inside is None or depth >= _DEEPEST or any(True for _ in self._found(inside, depth + 1)):
                yield Finding(start, end, "ENCODED", 0.5)


def _opened(text: str) -> Iterator[tuple[int, int, str | None]]:
    """Yield every run that decodes to text, and what it says; None for what is too long to look into."""
    for run in _RUN.finditer(text):
        if len(run.group()) > _LONGEST:
            yield *run.span(), None
            continue
        for start, end in _pieces(run):
            inside = _from_base64(text[start:end])
            if inside:
                yield start, end, inside
    for run in _HEX.finditer(text):
        inside = _readable(bytes.fromhex(run["digits"]))
        if inside:
            yield *run.span(), inside


def _pieces(run: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Yield the run, and what stands between its slashes, underscores and hyphens: they may be a path's or a name's."""
    yield run.span()
    for separators in ("/", "/_-"):
        pieces = list(re.finditer(rf"[^{separators}]{{16,}}", run.group()))
        if len(pieces) != 1 or len(pieces[0].group()) < len(run.group()):
            for piece in pieces:
                yield run.start() + piece.start(), run.start() + piece.end()


def _from_base64(run: str) -> str | None:
    plain = re.sub(r"[\r\n=]", "", run).replace("-", "+").replace("_", "/")
    # letters of a word before it may have become part of the run
    for start in range(4):
        kept = plain[start:]
        kept = kept[:-1] if len(kept) % 4 == 1 else kept
        try:
            text = _readable(base64.b64decode(kept + "=" * (-len(kept) % 4), validate=True))
        except (binascii.Error, ValueError):
            return None
        if text:
            return text
    return None


def _readable(raw: bytes) -> str | None:
    """Return bytes as a text, if they are one; a character that was cut at either end does no harm."""
    for encoding in ("utf-8", "utf-16-le") if b"\x00" in raw else ("utf-8",):
        text = raw.decode(encoding, errors="replace")
        # invisible letters count: they are how a value inside is disguised
        odd = sum(each == "\ufffd" or (_is_odd(each) and not each.isspace()) for each in text)
        if text and odd <= max(2, 0.05 * len(text)) and odd < len(text) / 4:
            return text
    return None


def _is_odd(letter: str) -> bool:
    return unicodedata.category(letter) in ("Cc", "Cn", "Co")
