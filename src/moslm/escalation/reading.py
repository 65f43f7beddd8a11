"""Reads a request: everything Layer 1 measures about it, as one record.

Asks the classifier, the novelty calibration, the grammar of wishes and the scorer of moods; judges nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from moslm.decision import Classification, Span
from moslm.escalation.novelty import p_value
from moslm.escalation.sentiment import moods
from moslm.escalation.wishes import explicit_wish
from moslm.escalation.wishes.quoting import quotable
from moslm.models.classifiers import Classifier, Part, Ranking, Yardstick
from moslm.turn import Turn


@dataclass(frozen=True)
class Reader:
    """What is needed to read a request.

    Attributes:
        classifier: Ranks the domains.
        yardstick: What held-out requests measured under this classifier.
        several_alpha: Share of requests about one domain that may be taken for several.
        part_threshold: Probability a part's domain needs to be in the label set; where the yardstick says that the
            request is about several, the two surest are in it at any probability.
        most_domains: Domains above which a request is about too many to be shared out.
        wish: Returns the words that ask for advanced reasoning, or None.
        moods: Returns how surely a text reads as written in each mood.
        felt_in: Domains that have a person asked about moods; they are measured for requests about these alone.
    """

    classifier: Classifier
    yardstick: Yardstick
    several_alpha: float = 0.05
    part_threshold: float = 0.6
    most_domains: int = 3
    wish: Callable[[str], str | None] = explicit_wish
    moods: Callable[[str], dict[str, float]] = moods
    felt_in: frozenset[str] = frozenset()

    def read(self, turns: Sequence[Turn]) -> Classification:
        """Measure a conversation whose last turn is the request."""
        ranking = self.classifier.rank(turns)
        spans = self._spans(ranking)
        top = max(ranking.probabilities, key=lambda name: ranking.probabilities[name])
        several_p = self._several_p(ranking)
        domains = self._label_set(ranking, spans, several_p) or [top]
        strangeness, known = ranking.strangeness, self.yardstick.strangeness
        return Classification(
            classifier=self.classifier.name,
            domain=top,
            probabilities={name: round(float(p), 6) for name, p in ranking.probabilities.items()},
            domains=domains,
            spread="one" if len(domains) == 1 else "few" if len(domains) <= self.most_domains else "too_many",
            several_p=several_p,
            spans=spans if len(spans) > 1 else [],
            novelty_p=p_value(strangeness, known) if strangeness is not None and known else None,
            asked_for=None if (wish := self.wish(turns[-1].text)) is None else quotable(wish),
            continued=ranking.continued,
            mood=self.moods(turns[-1].text) if self.felt_in.intersection([top, *domains]) else None,
        )

    def _several_p(self, ranking: Ranking) -> float | None:
        known = self.yardstick.several
        return p_value(ranking.several, known) if ranking.several is not None and known else None

    def _label_set(self, ranking: Ranking, spans: Sequence[Span], several_p: float | None) -> list[str]:
        """Return the domains the request is about, in reading order; none when it is about one."""
        if several_p is not None and several_p > self.several_alpha:
            return []
        sure = {span.domain for span in spans if span.probability >= self.part_threshold}
        if several_p is not None and len(sure) < 2:
            sure = self._two_surest(ranking)
        found = [*dict.fromkeys(span.domain for span in spans if span.domain in sure)]
        found += sorted(sure.difference(found))
        return found if len(found) > 1 else []

    @staticmethod
    def _two_surest(ranking: Ranking) -> set[str]:
        """Return the two domains that some part, or else the whole, is surest of."""
        whole = ranking.probabilities
        own = {name: max((part.probabilities[name] for part in ranking.parts), default=0.0) for name in whole}
        return set(sorted(whole, key=lambda name: (own[name], whole[name]), reverse=True)[:2])

    @staticmethod
    def _spans(ranking: Ranking) -> list[Span]:
        return [_span(part) for part in ranking.parts]


def _span(part: Part) -> Span:
    domain = max(part.probabilities, key=lambda name: part.probabilities[name])
    return Span(start=part.start, end=part.end, domain=domain, probability=float(part.probabilities[domain]))
