"""The default classifier: a fitted head over a sentence encoder, on the CPU, in a few milliseconds.

Puts together what its neighbours own: `ReadRequest` scores the request and its pieces, `follow` reads the conversation.
Knows nothing of thresholds or of what is done about a ranking.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from moslm.errors import RequestError
from moslm.models.classifiers import Part, Ranking
from moslm.models.classifiers.asides import without_asides
from moslm.models.classifiers.closeness import ReadRequest
from moslm.models.classifiers.conversation import Belief, follow
from moslm.models.classifiers.head import Head
from moslm.models.classifiers.pasted import without_logs
from moslm.models.classifiers.regression import Array
from moslm.models.classifiers.vagueness import informative
from moslm.turn import Turn

_EARLIER_TURNS = 6
"""User turns before the request that are read: belief older than that has faded anyway."""
_WHOLE_PER_PIECE = 0.15
"""How much of the whole request's score each further piece adds to every piece: two pieces are likely two wishes, ten
are likely one story. Chosen on dev pairs."""


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
        read = ReadRequest(self._head, request, earlier)
        belief = self._belief(read.without_surroundings(), read.earlier, [*earlier, request])
        # first, because the pieces are read anew where they may be about several domains
        several = None if belief.continued else read.several_odds()
        return Ranking(
            probabilities=self._named(belief.probabilities),
            parts=() if belief.continued else self._parts(read),
            strangeness=self._strangeness(read.whole, read.earlier, belief),
            several=several,
            continued=belief.continued,
        )

    def read(self, text: str) -> ReadRequest:
        """Read a request without earlier turns."""
        return ReadRequest(self._head, self._read(text))

    def _read(self, text: str) -> str:
        return without_logs(without_asides(text, self.labels))

    def _belief(self, whole: Array, before: Array, texts: Sequence[str]) -> Belief:
        evidence = self._head.probabilities(np.vstack([before, whole])).astype(np.float64)
        return follow(list(evidence), [informative(text) for text in texts])

    def _strangeness(self, whole: Array, before: Array, belief: Belief) -> float:
        """A message that only continues is as familiar as the nearest turn it continues."""
        rows = np.vstack([before, whole]) if belief.continued else whole[None]
        return float(self._head.strangeness(rows).min())

    def _parts(self, read: ReadRequest) -> tuple[Part, ...]:
        spans, whole, own = read.spans, read.whole, read.pieces
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
