"""The default classifier: a fitted head over a sentence encoder, on the CPU, in a few milliseconds.

Puts together what its neighbours own: `Head` scores texts, `follow` reads the conversation, `pieces` splits the
request. Knows nothing of thresholds or of what is done about a ranking.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from moslm.errors import RequestError
from moslm.models.classifiers import Part, Ranking
from moslm.models.classifiers.asides import without_asides
from moslm.models.classifiers.conversation import Belief, follow
from moslm.models.classifiers.head import Head, doubtful
from moslm.models.classifiers.parts import pieces
from moslm.models.classifiers.pasted import without_logs
from moslm.models.classifiers.regression import Array
from moslm.models.classifiers.several import log_odds, several_features
from moslm.models.classifiers.vagueness import informative
from moslm.turn import Turn

_EARLIER_TURNS = 6
"""User turns before the request that are read: belief older than that has faded anyway."""
_WHOLE_PER_PIECE = 0.15
"""How much of the whole request's score each further piece adds to every piece: two pieces are likely two wishes, ten
are likely one story. Chosen on dev pairs."""


_BLANKED = re.compile(r"\s{40,}")


class EncoderClassifier:
    """Ranks domains with a fitted head; safe to share between threads."""

    def __init__(self, head: Head) -> None:
        self._head = head
        self.name = f"encoder/{head.version}"
        self.labels = head.labels

    def rank(self, turns: Sequence[Turn]) -> Ranking:
        """Rank the labels for the last turn.

        Raises:
            RequestError: There is no turn at all.
        """
        if not turns:
            raise RequestError("empty", "There is no message to classify.")
        request = self._read(turns[-1].text)
        users = [turn.text for turn in turns[:-1] if turn.role == "user" and turn.text.strip()][-_EARLIER_TURNS:]
        earlier = [self._read(text) for text in users]
        spans = pieces(request)
        inner = [request[start:end] for start, end in spans] if len(spans) > 1 else []
        scores, vectors = self._head.read([_tight(text) for text in (request, *inner, *earlier)])
        whole, own, before = scores[0], scores[1 : 1 + len(inner)], scores[1 + len(inner) :]
        belief = self._belief(whole, before, [*earlier, request])
        return Ranking(
            probabilities=self._named(belief.probabilities),
            parts=() if belief.continued else self._parts(spans, whole, own),
            strangeness=self._strangeness(whole, before, belief),
            several=None if belief.continued else self._several(request, whole, own, vectors.get(0)),
            continued=belief.continued,
        )

    def several_features(self, text: str) -> Array:
        """Return what tells several domains from one, of a request without earlier turns."""
        request = self._read(text)
        spans = pieces(request)
        inner = [request[start:end] for start, end in spans] if len(spans) > 1 else []
        scores, vectors = self._head.read([_tight(text) for text in (request, *inner)])
        return self._several_features(request, scores[0], scores[1:], vectors.get(0))

    def _read(self, text: str) -> str:
        return without_logs(without_asides(text, self.labels))

    def _several_features(self, request: str, whole: Array, own: Array, read: Array | None) -> Array:
        return several_features(whole, own, len(request.split()), self._vector(request, whole, own, read))

    def _vector(self, request: str, whole: Array, own: Array, read: Array | None) -> Array:
        """Return the request's sentence vector where there is something to split, or doubt; else zeros.

        ``read`` is that vector where the second reading was asked for it: encoding is dear.
        """
        if self._head.careful is None:
            return np.zeros(0, np.float32)
        encoder = self._head.careful.encoder
        if len(own) or doubtful(whole[None])[0]:
            return read if read is not None else np.asarray(encoder.encode([_tight(request)])[0])
        return np.zeros(encoder.dimensions, np.float32)

    def _belief(self, whole: Array, before: Array, texts: Sequence[str]) -> Belief:
        evidence = self._head.probabilities(np.vstack([before, whole])).astype(np.float64)
        return follow(list(evidence), [informative(text) for text in texts])

    def _strangeness(self, whole: Array, before: Array, belief: Belief) -> float:
        """A message that only continues is as familiar as the nearest turn it continues."""
        rows = np.vstack([before, whole]) if belief.continued else whole[None]
        return float(self._head.strangeness(rows).min())

    def _several(self, request: str, whole: Array, own: Array, read: Array | None) -> float:
        return log_odds(self._several_features(request, whole, own, read), self._head.several)

    def _parts(self, spans: list[tuple[int, int]], whole: Array, own: Array) -> tuple[Part, ...]:
        if not len(own):
            probabilities = self._head.probabilities(whole[None])[0]
            return tuple(Part(start, end, self._named(probabilities)) for start, end in spans)
        shared = min(_WHOLE_PER_PIECE * (len(own) - 1), 1.0)
        probabilities = self._head.probabilities(own + np.float32(shared) * whole)
        return tuple(self._merged(spans, probabilities))

    def _merged(self, spans: list[tuple[int, int]], probabilities: Array) -> list[Part]:
        """Join neighbours about the same label; the joint probabilities are those of its surest piece."""
        tops = probabilities.argmax(axis=1)
        borders = [0, *(np.flatnonzero(np.diff(tops)) + 1).tolist(), len(spans)]
        found = []
        for first, last in pairwise(borders):
            surest = first + int(probabilities[first:last, tops[first]].argmax())
            found.append(Part(spans[first][0], spans[last - 1][1], self._named(probabilities[surest])))
        return found

    def _named(self, probabilities: NDArray[np.float64] | Array) -> dict[str, float]:
        exact = np.asarray(probabilities, dtype=np.float64)
        return dict(zip(self.labels, (exact / exact.sum()).tolist(), strict=True))


def _tight(text: str) -> str:
    """Close the gap that a blanked log leaves: of a long text only its beginning and its end are read."""
    return _BLANKED.sub("\n", text)
