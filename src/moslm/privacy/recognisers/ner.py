"""Names of people and postal addresses by a tagger of word pieces, on one core, with nothing to install.

Three transformer layers tuned on made-up identities (``training/names.py``) stand on the lower layers that the sentence
encoder stands on too. The network reads lower case without accents; how a word looked is told to it apart (`surface`).
A long text is read in windows that overlap, each piece in the one where it stands further from an edge.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moslm.lower_layers import BEGIN, END, LowerLayers, card, lower_layers, session, unusable, verified
from moslm.privacy.recognisers.finding import Finding
from moslm.privacy.recognisers.readings import ESCAPE, meant
from moslm.privacy.recognisers.surface import surface

SHIPPED = Path(__file__).parent / "shipped"
TAGGER = "tagger.onnx"
LABELS = ("O", "B-PERSON", "I-PERSON", "B-STREET_ADDRESS", "I-STREET_ADDRESS")
KINDS = ("PERSON", "STREET_ADDRESS")
_KEY = "privacy.engine"
_WINDOW, _OVERLAP = 126, 32
"""Word pieces of a window, as many as it was tuned on, and how many of them the next window reads again."""
_REMEMBERED = 256
"""Texts whose findings are kept: the earlier turns of conversations in progress are hidden anew at every call."""
_LONGEST = 20_000
"""Characters of a text whose findings are kept."""
_PARTICLE = r"(?:von|van|der|den|de|del|della|di|da|dos|la|le|du|zu|al|el|bin|ben|y|e|ter|ten)"
_BETWEEN = {
    "PERSON": re.compile(rf"[ .,'’\-‐_\u00a0]{{0,3}}(?:{_PARTICLE}[ _]){{0,2}}"),
    "STREET_ADDRESS": re.compile(r"[\s.,;:'’/#()\-‐–]{0,5}"),
}
"""What may stand inside a name or an address, seen by nobody."""
_CUT_ANYWHERE = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
"""Letters of tongues that write no spaces: a name ends between any two of them."""
_EDGES = " \t\r\n\u00a0.,;:!?'\"`’‘“”„«»()[]{}<>-–—_/|\\@#*&=+~"
_Table = NDArray[np.float32]


@dataclass(slots=True)
class _Stretch:
    """Pieces of one name or address so far."""

    start: int
    end: int
    kind: str
    score: float


class NamesTagger:
    """A recogniser of names and addresses; loaded at once, and safe to share between threads.

    Args:
        folder: The weights and their card, which states at what probability a piece is hidden.

    Raises:
        ConfigError: Weights are missing, truncated, or not those that were tuned together.
    """

    def __init__(self, folder: Path = SHIPPED) -> None:
        about = card(folder, _KEY)
        self._lower: LowerLayers = lower_layers()
        self._upper: Any = session(verified(folder, (TAGGER,), _KEY)[TAGGER])
        self._threshold = _threshold(about, folder, self._lower.sha256)
        # whoever hides a conversation hides all of it, every time
        self._remembered = lru_cache(maxsize=_REMEMBERED)(self._found)

    def find(self, text: str) -> list[Finding]:
        """Return the names and the addresses of a text, in whole words."""
        return list(self._remembered(text) if len(text) <= _LONGEST else self._found(text))

    def _found(self, text: str) -> tuple[Finding, ...]:
        # the letter of an escape before a name would be read as its first; every character keeps its place
        text = ESCAPE.sub(lambda found: f" {meant(found.group())}", text)
        stretches: list[_Stretch] = []
        for piece, begins in self._hidden(text):
            if not stretches or not _continued(text, stretches[-1], piece, begins):
                stretches.append(piece)
                continue
            last = stretches[-1]
            last.end, last.score = max(last.end, piece.end), max(last.score, piece.score)
        trimmed = (_trimmed(text, each) for each in stretches)
        return tuple(each for each in trimmed if _says_who(text[each.start : each.end]))

    def _hidden(self, text: str) -> Iterator[tuple[_Stretch, bool]]:
        """Yield each word piece that must not leave, widened to its word, and whether something begins with it."""
        # lone surrogates are legal in a Python string but not in the UTF-8 the tokenizer takes; "?" is as long
        offsets, odds = self._odds(text.encode("utf-8", "replace").decode("utf-8"))
        kinds = odds[:, 1:].reshape(-1, len(KINDS), 2)
        for at in np.flatnonzero(1 - odds[:, 0] > self._threshold):
            start, end = offsets[at]
            if start >= end:
                continue
            kind = int(kinds[at].sum(axis=1).argmax())
            begins = bool(kinds[at, kind, 0] > kinds[at, kind, 1])
            yield _Stretch(*_word(text, start, end), KINDS[kind], float(1 - odds[at, 0])), begins

    def _odds(self, text: str) -> tuple[list[tuple[int, int]], _Table]:
        """Return where each word piece stands, and how probable each label is for it."""
        read = self._lower.tokenizer.encode(text, add_special_tokens=False)
        offsets: list[tuple[int, int]] = read.offsets
        shapes, gaps = surface(text, offsets)
        odds = np.zeros((len(offsets), len(LABELS)), dtype=np.float32)
        for start, end, first, last in _windows(len(offsets)):
            states = self._lower.states([BEGIN, *read.ids[start:end], END])
            rows = {"shapes": shapes[start:end], "gaps": gaps[start:end]}
            marked = {name: np.array([[0, *row, 0]], dtype=np.int64) for name, row in rows.items()}
            scores = self._upper.run(["scores"], {"states": states, **marked})[0][0, 1:-1]
            odds[first:last] = _softmax(scores)[first - start : last - start]
        return offsets, odds


def _threshold(about: dict[str, Any], folder: Path, lower: str) -> float:
    """Return at what probability a piece is hidden, once it is clear that the card is about these layers and labels."""
    if about.get("lower") != lower or about.get("labels") != list(LABELS):
        raise unusable(folder / "card.json", "is about a tagger of other lower layers or labels", _KEY)
    threshold = about.get("threshold")
    if not isinstance(threshold, float) or not 0 < threshold < 1:
        raise unusable(folder / "card.json", "states no threshold between 0 and 1", _KEY)
    return threshold


def _windows(pieces: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield what each window reads, and the part of it that its reading counts for."""
    start, first = 0, 0
    while first < pieces:
        end = min(pieces, start + _WINDOW)
        last = end if end == pieces else end - _OVERLAP // 2
        yield start, end, first, last
        start, first = end - _OVERLAP, last


def _softmax(scores: _Table) -> _Table:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: _Table = raised / raised.sum(axis=1, keepdims=True)
    return shares


def _word(text: str, start: int, end: int) -> tuple[int, int]:
    """Widen a piece to the word it belongs to: half a hidden name is read by anyone."""
    while start > 0 and _joins(text[start - 1], text[start]):
        start -= 1
    while end < len(text) and _joins(text[end - 1], text[end]):
        end += 1
    return start, end


def _joins(left: str, right: str) -> bool:
    """Tell whether two neighbouring letters are of one word."""
    return all(_of_a_word(each) for each in (left, right)) and not _CUT_ANYWHERE.match(right + left)


def _of_a_word(letter: str) -> bool:
    return letter.isalnum() or unicodedata.category(letter).startswith("M")


def _trimmed(text: str, stretch: _Stretch) -> Finding:
    """Leave out what punctuation stands around a name."""
    inside = text[stretch.start : stretch.end]
    start = stretch.end - len(inside.lstrip(_EDGES))
    return Finding(start, max(start, stretch.start + len(inside.rstrip(_EDGES))), stretch.kind, stretch.score)


def _says_who(value: str) -> bool:
    """Tell an initial alone, or a formula's letter, from a name: it says of nobody who they are."""
    return sum(map(str.isalnum, value)) > 1 or _CUT_ANYWHERE.search(value) is not None


def _continued(text: str, last: _Stretch, piece: _Stretch, begins: bool) -> bool:
    """Tell whether a piece goes on with what stands before it."""
    if piece.start < last.end:
        return True
    if piece.kind != last.kind or (begins and piece.start > last.end):
        return False
    return _BETWEEN[piece.kind].fullmatch(text, last.end, piece.start) is not None
