"""Reads a request and its pieces, no more closely than it must to tell whether they are about several domains.

The pieces of a request are many and the second reading is dear. So the pieces are read quickly at first; what a glance
at the figures or, failing that, the whole's sentence vector shows to be clearly about one domain is left at that. Only
of the rest are the doubtful pieces read a second time. The quick reading also tells what stands around the request and
says nothing of it. Knows nothing of earlier turns beyond that they are read along.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from moslm.models.classifiers.head import Head, doubtful
from moslm.models.classifiers.parts import pieces
from moslm.models.classifiers.regression import Array
from moslm.models.classifiers.several import clearly_one, glance_features, log_odds, several_features

_BLANKED = re.compile(r"\s{40,}")
_FAMILIAR, _ODD = -2.0, 0.0
"""Strangeness, in log-odds of "belongs nowhere", up to which a piece reads like a request and from which it does not.
On dev, asides at both ends turned 38 of 1,000 requests before and 17 with these; as many were right as before."""


def core(strangeness: Array) -> slice:
    """Return which pieces stay: all but those at either end that belong nowhere, where another reads like a request.

    Args:
        strangeness: (n,) of each piece, in reading order.
    """
    if not len(strangeness) or strangeness.min() > _FAMILIAR:
        return slice(0, len(strangeness))
    kept = np.flatnonzero(strangeness <= _ODD)
    return slice(int(kept[0]), int(kept[-1]) + 1)


class ReadRequest:
    """A request, its pieces and the turns before it, as a head scored them. Made for one request and one thread."""

    def __init__(self, head: Head, request: str, earlier: Sequence[str] = ()) -> None:
        self._head = head
        self._request = request
        self.spans = pieces(request)
        inner = [request[start:end] for start, end in self.spans] if len(self.spans) > 1 else []
        self._texts = [_tight(text) for text in (request, *inner, *earlier)]
        self._first = head.first_reading(self._texts)
        self._scores = head.first_scores(self._first)
        self._inner = range(1, 1 + len(inner))
        self._core = core(head.strangeness(self.pieces))
        whole_and_earlier = [0, *range(self._inner.stop, len(self._texts))]
        self._vector = self._read_again(whole_and_earlier).get(0)

    @property
    def whole(self) -> Array:
        """(k + 1,) scores of the request."""
        return np.asarray(self._scores[0])

    def without_surroundings(self) -> Array:
        """Return the scores (k + 1,) of the request without the pieces around it that belong nowhere.

        They are no evidence of its domain. They may make it novel or one of several, so only the domain is asked here.
        """
        if self._core == slice(0, len(self.pieces)):
            return self.whole
        spans = self.spans[self._core]
        return np.asarray(self._head.scores([_tight(self._request[spans[0][0] : spans[-1][1]])])[0])

    @property
    def pieces(self) -> Array:
        """(n, k + 1) scores of its pieces, as far as they were read; none when it has only one."""
        return self._scores[self._inner.start : self._inner.stop]

    @property
    def earlier(self) -> Array:
        """(m, k + 1) scores of the turns before it."""
        return self._scores[self._inner.stop :]

    def several_odds(self) -> float:
        """Return the log-odds that the request is about several domains, read as closely as they call for."""
        if not len(self.pieces) or self._head.glance is None:
            return log_odds(self.closest_features(), self._head.several)
        if self._vector is None:
            odds = log_odds(self.glance_features(), self._head.glance)
            if clearly_one(odds):
                return odds
        odds = log_odds(self._features(), self._head.several)
        return odds if clearly_one(odds) else log_odds(self.closest_features(), self._head.several)

    def glance_features(self) -> Array:
        """Return what is seen at a glance; meant to be called before `closest_features`."""
        return glance_features(self.whole, self.pieces, len(self._request.split()))

    def closest_features(self) -> Array:
        """Return what tells several domains from one when all is read that is in doubt."""
        self._read_again(self._inner)
        return self._features()

    def _features(self) -> Array:
        return several_features(self.whole, self.pieces, len(self._request.split()), self._sentence_vector())

    def _sentence_vector(self) -> Array:
        """Return the request's sentence vector where there is something to split, or doubt; else zeros."""
        if self._head.careful is None:
            return np.zeros(0, np.float32)
        encoder = self._head.careful.encoder
        if not len(self.pieces) and not doubtful(self.whole[None])[0]:
            return np.zeros(encoder.dimensions, np.float32)
        if self._vector is None:
            self._vector = np.asarray(encoder.encode(self._texts[:1])[0])
        return self._vector

    def _read_again(self, rows: Sequence[int]) -> dict[int, Array]:
        return self._head.read_again(self._texts, self._first, self._scores, rows)


def _tight(text: str) -> str:
    """Close the gap that a blanked log leaves: of a long text only its beginning and its end are read."""
    return _BLANKED.sub("\n", text)
