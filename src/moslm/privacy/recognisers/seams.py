"""`Seams`: finds what nobody finds in one message alone, because it was split over neighbouring ones."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from moslm.privacy.recognisers.finding import Finding, Recogniser, merged

PART = "_PART"
"""Ends the kind of a piece: ``CREDIT_CARD_PART`` is some digits of a card."""
_EDGE = 80
"""Characters of a message's beginning and end that may belong to a neighbour's."""
_FILLER = 40
"""Characters of small talk that may stand between two halves of a number: "and the rest is"."""
_STRIDES = (1, 2)
"""A neighbour is the next message, or the one after a reply in between."""


@dataclass(frozen=True, slots=True)
class _Edge:
    """Characters ``start`` to ``end`` of the ``message``-th text."""

    message: int
    start: int
    end: int


class Seams:
    """Reads neighbouring texts as one.

    Args:
        forms: Who reads them joined as they are.
        checked: Who reads them also without the small talk between; only those that know check digits, because any two
            numbers stand side by side then.
    """

    def __init__(self, forms: Sequence[Recogniser], checked: Sequence[Recogniser]) -> None:
        self._forms, self._checked = forms, checked

    def find(self, texts: Sequence[str]) -> list[list[Finding]]:
        """Return for each text the pieces it holds of what spans several."""
        found: list[list[Finding]] = [[] for _ in texts]
        for chain in _chains(texts):
            whole = [_edges(texts[each], each) for each in chain]
            for glue in ("", " "):
                _collect(self._forms, texts, whole, glue, found)
            _collect(self._checked, texts, [_number(texts[each], each) for each in chain], " ", found)
        return [merged(each) for each in found]


def _chains(texts: Sequence[str]) -> Iterator[list[int]]:
    """Yield runs of neighbouring texts, each of which may go on where the one before ends."""
    for stride in _STRIDES:
        for first in range(stride):
            chain: list[int] = []
            for each in range(first, len(texts), stride):
                if chain and not _may_go_on(texts[chain[-1]], texts[each]):
                    if len(chain) > 1:
                        yield chain
                    chain = []
                chain.append(each)
            if len(chain) > 1:
                yield chain


def _may_go_on(one: str, other: str) -> bool:
    end, start = one[-_EDGE:], other[:_EDGE]
    if re.search(r"\d", end) and re.search(r"\d", start):
        return True
    return bool(re.search(r"@|[\w+/=-]{12,}\s*\Z", end) or re.match(r"\s*(?:[\w.+-]{0,64}@|[\w+/=-]{8,})", start))


def _edges(text: str, message: int) -> list[_Edge]:
    start, end = len(text) - len(text.lstrip()), len(text.rstrip())
    if end - start <= 2 * _EDGE:
        return [_Edge(message, start, max(start, end))]
    return [_Edge(message, start, start + _EDGE), _Edge(message, end - _EDGE, end)]


def _number(text: str, message: int) -> list[_Edge]:
    """Return what stands between a text's first digit and its last, where only small talk stands around them."""
    first, last = re.search(r"\d", text), re.search(r"\d\D*\Z", text)
    if not first or not last or first.start() > _FILLER or len(text) - last.start() > _FILLER:
        return _edges(text, message)
    return [_Edge(message, first.start(), last.start() + 1)]


def _collect(
    recognisers: Sequence[Recogniser],
    texts: Sequence[str],
    chain: Sequence[Sequence[_Edge]],
    glue: str,
    found: list[list[Finding]],
) -> None:
    joined, places = "", list[tuple[int, _Edge]]()
    for edges in chain:
        for i, edge in enumerate(edges):
            # the middle of a long text was left out: nothing may span the gap
            joined += "\n\n\n" if i else glue if places else ""
            places.append((len(joined), edge))
            joined += texts[edge.message][edge.start : edge.end]
    for recogniser in recognisers:
        for finding in recogniser.find(joined):
            pieces = list(_pieces(finding, places))
            if len({message for message, _ in pieces}) > 1:
                for message, piece in pieces:
                    found[message].append(piece)


def _pieces(finding: Finding, places: Sequence[tuple[int, _Edge]]) -> Iterator[tuple[int, Finding]]:
    for at, edge in places:
        start = max(finding.start, at) - at + edge.start
        end = min(finding.end, at + edge.end - edge.start) - at + edge.start
        if start < end:
            yield edge.message, Finding(start, end, finding.kind + PART, finding.score)
