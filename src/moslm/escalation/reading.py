"""Reads a request: everything Layer 1 measures about it, as one record.

Asks the classifier, the novelty calibration and the grammar of wishes; judges nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from moslm.decision import Classification, Span
from moslm.escalation.novelty import p_value
from moslm.escalation.wishes import explicit_wish
from moslm.models.classifiers import Classifier, Part, Ranking
from moslm.state import Turn


@dataclass(frozen=True, slots=True)
class Reader:
    """What is needed to read a request.

    Attributes:
        classifier: Ranks the domains.
        calibration: Sorted strangeness of familiar requests; empty when the classifier cannot tell novelty.
        part_threshold: Probability a part's domain needs to count as one more domain of the request.
        wish: Returns the words that ask for advanced reasoning, or None.
    """

    classifier: Classifier
    calibration: Sequence[float]
    part_threshold: float
    wish: Callable[[str], str | None] = explicit_wish

    def read(self, turns: Sequence[Turn]) -> Classification:
        """Measure a conversation whose last turn is the request."""
        ranking = self.classifier.rank(turns)
        spans = self._spans(ranking)
        top = max(ranking.probabilities, key=lambda name: ranking.probabilities[name])
        # a part counts only where it is sure of its domain
        several = list(dict.fromkeys(span.domain for span in spans if span.probability >= self.part_threshold))
        strangeness = ranking.strangeness
        known = strangeness is not None and len(self.calibration) > 0
        return Classification(
            classifier=self.classifier.name,
            domain=top,
            probabilities={name: round(float(p), 6) for name, p in ranking.probabilities.items()},
            domains=several if len(several) > 1 else [top],
            spans=spans if len(spans) > 1 else [],
            novelty_p=p_value(strangeness, self.calibration) if known and strangeness is not None else None,
            asked_for=self.wish(turns[-1].text),
            continued=ranking.continued,
        )

    @staticmethod
    def _spans(ranking: Ranking) -> list[Span]:
        return [_span(part) for part in ranking.parts]


def _span(part: Part) -> Span:
    domain = max(part.probabilities, key=lambda name: part.probabilities[name])
    return Span(start=part.start, end=part.end, domain=domain, probability=float(part.probabilities[domain]))
