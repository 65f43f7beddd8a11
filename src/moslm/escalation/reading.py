"""Reads a request: everything Layer 1 measures about it, as one record.

Asks the classifier, the novelty calibration and the grammar of wishes; judges nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from moslm.decision import Classification, Span
from moslm.escalation.novelty import p_value
from moslm.escalation.wishes import explicit_wish
from moslm.models.classifiers import Classifier, Part, Ranking, Yardstick, runner_up
from moslm.state import Turn


@dataclass(frozen=True)
class Reader:
    """What is needed to read a request.

    Attributes:
        classifier: Ranks the domains.
        yardstick: What held-out requests measured under this classifier.
        several_alpha: Share of requests about one domain that may be taken for several. It fixes the label set: the
            domains that some part names more surely than all but this share of such requests name a second one.
        part_threshold: Probability a part's domain needs to be in the set when there is no yardstick for it.
        most_domains: Domains above which a request is about too many to be shared out.
        wish: Returns the words that ask for advanced reasoning, or None.
    """

    classifier: Classifier
    yardstick: Yardstick
    several_alpha: float = 0.05
    part_threshold: float = 0.6
    most_domains: int = 3
    wish: Callable[[str], str | None] = explicit_wish

    def read(self, turns: Sequence[Turn]) -> Classification:
        """Measure a conversation whose last turn is the request."""
        ranking = self.classifier.rank(turns)
        spans = self._spans(ranking)
        top = max(ranking.probabilities, key=lambda name: ranking.probabilities[name])
        domains = self._label_set(spans) or [top]
        strangeness, known = ranking.strangeness, self.yardstick.strangeness
        single = self.yardstick.runner_up
        return Classification(
            classifier=self.classifier.name,
            domain=top,
            probabilities={name: round(float(p), 6) for name, p in ranking.probabilities.items()},
            domains=domains,
            spread="one" if len(domains) == 1 else "few" if len(domains) <= self.most_domains else "too_many",
            several_p=p_value(runner_up(ranking.parts), single) if single else None,
            spans=spans if len(spans) > 1 else [],
            novelty_p=p_value(strangeness, known) if strangeness is not None and known else None,
            asked_for=self.wish(turns[-1].text),
            continued=ranking.continued,
        )

    def _label_set(self, spans: Sequence[Span]) -> list[str]:
        """Return the domains that parts are surely about, in reading order; none or several, never one alone."""
        sure = [span.domain for span in spans if span.probability >= self._needed]
        found = list(dict.fromkeys(sure))
        return found if len(found) > 1 else []

    @cached_property
    def _needed(self) -> float:
        """The probability that a second domain reaches in at most `several_alpha` of requests about one domain."""
        single = self.yardstick.runner_up
        spared = math.floor(self.several_alpha * (len(single) + 1))
        return self.part_threshold if spared < 1 else math.nextafter(single[-spared], 2.0)

    @staticmethod
    def _spans(ranking: Ranking) -> list[Span]:
        return [_span(part) for part in ranking.parts]


def _span(part: Part) -> Span:
    domain = max(part.probabilities, key=lambda name: part.probabilities[name])
    return Span(start=part.start, end=part.end, domain=domain, probability=float(part.probabilities[domain]))
