"""Sets on held-out rows what a fit cannot know of itself: temperatures, what distance counts, when parts are several.

Knows fitted heads and rows; neither how the regressions were fitted nor where rows come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from moslm.models.classifiers.closeness import ReadRequest
from moslm.models.classifiers.encoder import EncoderClassifier
from moslm.models.classifiers.head import FAR, Head
from moslm.models.classifiers.judging import auroc
from moslm.models.classifiers.prototypes import Prototypes
from moslm.models.classifiers.regression import Array, rounded, softmax
from moslm.models.classifiers.rows import PartedRow, Row
from moslm.models.classifiers.several import fit_several
from moslm.models.encoders.cores import side_by_side

_TEMPERATURES = np.geomspace(0.3, 8, 60)
_FARS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)
_FAR_ROWS, _FEWEST_NOVEL = 600, 50
_SINGLE_ROWS, _PARTED_ROWS = 1000, 1400
_SINGLE = "single"


def tempered(head: Head, familiar: Sequence[Row]) -> Head:
    """Return the head with the temperatures that suit held-out rows: each reading's own, over all of them."""
    texts = [row.text for row in familiar]
    classes = np.array([head.fitted_labels.index(row.label) for row in familiar if row.label is not None])
    first = head.first_reading(texts)
    known = head.prototypes.measured_on(first.vectors) if head.prototypes else None
    head = replace(head, temperature=best_temperature(first.fitted[:, :-1], classes), prototypes=known)
    if head.careful is None:
        return head
    # in log-odds that are honest for each alone, both readings count alike
    second = head.second_reading(texts, np.zeros_like(first.fitted))
    own = second.fitted[:, :-1]
    weight = head.temperature / best_temperature(own, classes)
    both = first.fitted[:, :-1] + np.float32(weight) * own
    known = head.careful.prototypes.measured_on(second.vectors) if head.careful.prototypes else None
    temperature = best_temperature(both, classes)
    return replace(head, careful=replace(head.careful, weight=weight, temperature=temperature, prototypes=known))


def as_tempered(head: Head, model: Head) -> Head:
    """Scale a head's readings as those of another were scaled on held-out rows."""
    careful = None
    if head.careful and model.careful:
        careful = replace(
            head.careful,
            weight=model.careful.weight,
            temperature=model.careful.temperature,
            prototypes=_as_measured(head.careful.prototypes, model.careful.prototypes),
        )
    known = _as_measured(head.prototypes, model.prototypes)
    return replace(head, temperature=model.temperature, careful=careful, prototypes=known, far=model.far)


def _as_measured(found: Prototypes | None, model: Prototypes | None) -> Prototypes | None:
    return replace(found, typical=model.typical, spread=model.spread) if found and model else None


def best_temperature(scores: Array, classes: NDArray[np.int64]) -> float:
    """Return the divisor of the scores that makes the held-out classes most likely (Guo et al., 2017)."""
    rows = np.arange(len(classes))
    losses = [-np.log(np.maximum(softmax(scores / t)[rows, classes], 1e-12)).mean() for t in _TEMPERATURES]
    return float(_TEMPERATURES[int(np.argmin(losses))])


def best_far(head: Head, familiar: Sequence[Row], novel: Sequence[Row]) -> float:
    """Return how much distance should count, by how well held-out novel requests are told from familiar ones.

    Where many rows teach what belongs nowhere the regressions know most of it; where few do, distance must say it.
    """
    if len(novel) < _FEWEST_NOVEL or head.prototypes is None:
        return FAR
    texts = [[rows[n].text for n in _evenly(len(rows), _FAR_ROWS)] for rows in (familiar, novel)]
    first = head.first_reading([*texts[0], *texts[1]])
    second = head.second_reading([*texts[0], *texts[1]], first.fitted) if head.careful else None

    def told(far: float) -> float:
        tried = replace(head, far=far)
        scores = tried.first_scores(first)
        if second is not None:
            asked = np.flatnonzero(tried.doubts(scores, first))
            scores[asked] = tried.second_scores(second.of(asked), first.of(asked))
        strange = tried.strangeness(scores)
        return auroc(strange[len(texts[0]) :], strange[: len(texts[0])])

    return max(_FARS, key=told)


def told_apart(head: Head, parted: Sequence[PartedRow], singles: Sequence[tuple[Head, Sequence[Row]]]) -> Head:
    """Return the head with its regression for several domains, and what held-out single requests measure by it.

    Args:
        head: The head that is kept.
        parted: Requests of several parts.
        singles: Requests about one domain of each kind there is, and the head that did not see them. Among those
            held out alone, requests as this company has them would be missing: short ones on its own subjects.
    """
    kinds = [[(judge, rows[n].text) for n in _evenly(len(rows), _SINGLE_ROWS)] for judge, rows in singles if rows]
    parted = _of_all_sources(parted, _PARTED_ROWS)
    if any(row.several for row in parted):
        fitted = [kind[::2] for kind in kinds]
        kinds = [kind[1::2] for kind in kinds]
        asked = [*((head, row.text) for row in parted), *(each for kind in fitted for each in kind)]
        several = np.array([row.several for row in parted] + [False] * (len(asked) - len(parted)))
        names = [f"{_SINGLE}{number}" for number, kind in enumerate(fitted) for _ in kind]
        sources = np.array([row.source for row in parted] + names)
        seen = list(side_by_side(_seen_twice, asked))
        glance, closest = (rounded(fit_several(rows, several, sources)) for rows in zip(*seen, strict=True))
        head = replace(head, several=closest, glance=glance)

    def odds(asked: tuple[Head, str]) -> float:
        return _read(replace(asked[0], several=head.several, glance=head.glance), asked[1]).several_odds()

    measured = list(side_by_side(odds, [each for kind in kinds for each in kind]))
    return replace(head, single=np.sort(np.array(measured, np.float64)))


def _read(head: Head, text: str) -> ReadRequest:
    return EncoderClassifier(head).read(text)


def _seen_twice(asked: tuple[Head, str]) -> tuple[Array, Array]:
    """Return what a head sees of a request at a glance, and what when all is read that is in doubt."""
    read = _read(*asked)
    return read.glance_features(), read.closest_features()


def _of_all_sources(rows: Sequence[PartedRow], most: int) -> list[PartedRow]:
    """Return at most so many rows, as many of each source as there are or as its share allows."""
    sources = sorted({row.source for row in rows})
    found = []
    for source in sources:
        own = [row for row in rows if row.source == source]
        found += [own[number] for number in _evenly(len(own), most // len(sources))]
    return found


def _evenly(count: int, most: int) -> list[int]:
    """Return the numbers of at most so many of the rows, spread evenly from the first to the last."""
    return [int(number) for number in np.linspace(0, count - 1, min(most, count))]
