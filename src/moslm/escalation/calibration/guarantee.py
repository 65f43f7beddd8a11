"""Thresholds that keep a promise: "at most RISK of the answers kept local are wrong, with probability 1 - DELTA".

Learn-then-Test (Angelopoulos et al., 2021): every candidate threshold is the hypothesis "above me more than RISK is
wrong", and only rejected ones may be used. Fixed-sequence testing walks from the threshold that the probabilities
themselves make the most promising towards more coverage and stops at the first that is not rejected, so that no
correction over thresholds is needed; Bonferroni divides delta among all candidates instead. Over domains delta is
divided, so that all domains keep their promise at once.

A hypothesis is rejected only if two exact tests agree: the binomial one (the long-run share of wrong answers) and the
hypergeometric one (the share among the next as many answers kept as were kept here). The second matters: a threshold
whose long-run share is just below the stated one exceeds it on half of all later batches.

Answers of one group stand and fall together, so they count for less: a set of answers counts as many as the number of
equal groups that would spread as little (Kish's effective size, with whole groups alike).

Both need answers that are exchangeable with later ones; drift, a new model or a new kind of question ends the promise.
Knows nothing of signals; probabilities come in, thresholds go out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from moslm.errors import ConfigError
from moslm.tails import binomial_tail, hypergeometric_tail, upper_bound

Probabilities = NDArray[np.float64]
Outcomes = NDArray[np.bool_]
Method = Literal["fixed_sequence", "bonferroni"]
Scope = Literal["each_domain", "pooled"]

POOLED = ""
"""Name under which a promise over all domains together stands."""

USEFUL_COVERAGE = 0.1
"""A promise that keeps less than this share local is not offered as what would be feasible."""

_CANDIDATES = 60
_RISKS = tuple(n / 200 for n in range(1, 200))


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was found for one domain, or for all together.

    Attributes:
        state: ``certified``, or ``infeasible``: no threshold keeps the promise on these answers.
        threshold: Keep answers whose probability is at least this; None when infeasible.
        answers: How many labelled answers there were.
        kept: How many of them the threshold keeps.
        wrong: How many of those are wrong.
        bound: Highest long-run risk that the kept answers do not contradict (Clopper-Pearson at the level in force).
        feasible_risk: When infeasible: the lowest risk, in steps of half a point, that these answers do allow while
            at least a tenth is kept. None when there is none.
        feasible_coverage: Share of answers kept at that risk.
    """

    state: Literal["certified", "infeasible"]
    threshold: float | None
    answers: int
    kept: int
    wrong: int
    bound: float | None
    feasible_risk: float | None = None
    feasible_coverage: float | None = None

    @property
    def coverage(self) -> float:
        """Share of the answers that is kept local."""
        return self.kept / self.answers if self.answers else 0.0

    @property
    def risk(self) -> float | None:
        """Share of the kept answers that was wrong; None when none is kept."""
        return self.wrong / self.kept if self.kept else None


@dataclass(frozen=True, slots=True)
class Guarantee:
    """A promise and the thresholds that keep it.

    Attributes:
        risk: Largest share of wrong answers among those kept local.
        delta: Chance that the promise does not hold, over the draw of the labelled answers.
        scope: ``each_domain``: the promise holds for every domain at once. ``pooled``: for all answers together.
        method: How several thresholds were tested.
        judged_on: ``held_out``: answers no calibrator saw. ``cross_fitted``: probabilities from calibrators that had
            not seen the answer's group; then the promise is approximate.
        certificates: By domain; under ``""`` for the pooled scope.
    """

    risk: float
    delta: float
    scope: Scope
    method: Method
    judged_on: str
    certificates: dict[str, Certificate]

    def threshold(self, domain: str) -> float | None:
        """Return the probability from which a domain's answers are kept; None when infeasible or not certified."""
        found = self.certificates.get(POOLED if self.scope == "pooled" else domain)
        return found.threshold if found else None


def guarantee(
    answers: Mapping[str, tuple[Probabilities, Outcomes]],
    risk: float,
    delta: float,
    *,
    scope: Scope = "each_domain",
    method: Method = "fixed_sequence",
    judged_on: str = "held_out",
    groups: Mapping[str, Sequence[str]] | None = None,
) -> Guarantee:
    """Choose thresholds that keep a promise.

    Args:
        answers: By domain, the probability and the outcome of each labelled answer.
        risk: Largest share of wrong answers among those kept, between 0 and 1.
        delta: Chance of breaking the promise, between 0 and 1.
        scope: Whether the promise is for each domain or for all answers together.
        method: How several thresholds are tested.
        judged_on: Where the probabilities come from; kept for the report.
        groups: By domain, the group of each answer; by default each is its own.

    Raises:
        ConfigError: Risk or delta is not strictly between 0 and 1.
    """
    for name, value in (("risk", risk), ("delta", delta)):
        if not 0 < value < 1:
            raise ConfigError("must lie between 0 and 1, both excluded", key=name, value=value, mend="write e.g. 0.05")
    own = {name: (groups or {}).get(name, range(len(right))) for name, (_, right) in answers.items()}
    codes = {name: _coded(each) for name, each in own.items()}
    if scope == "pooled":
        # a group may span domains; answers without one are numbered afresh in each
        spread = [(name if groups is None else "", group) for name, each in own.items() for group in each]
        codes = {POOLED: _coded(spread)}
        answers = {POOLED: _joined(answers)}
    level = delta / max(1, len(answers))
    found = {
        name: certify(probabilities, right, risk, level, method, groups=codes[name])
        for name, (probabilities, right) in answers.items()
    }
    return Guarantee(risk, delta, scope, method, judged_on, found)


def certify(
    probabilities: Probabilities,
    right: Outcomes,
    risk: float,
    level: float,
    method: Method = "fixed_sequence",
    *,
    groups: NDArray[np.int64] | None = None,
    offer: bool = True,
) -> Certificate:
    """Choose the threshold with the most coverage whose promise stands at one level; see `guarantee`.

    Args:
        probabilities: (n,) of each answer.
        right: (n,) its outcome.
        risk: Largest share of wrong answers among those kept.
        level: Chance of breaking the promise.
        method: How several thresholds are tested.
        groups: (n,) number of each answer's group; by default each is its own.
        offer: Look for what would be feasible where this is not; takes about ten times as long.
    """
    ladder = _ladder(probabilities, right, np.arange(len(right)) if groups is None else groups)
    step = _furthest(ladder, risk, level, method)
    if step is not None:
        kept, wrong, counted = int(ladder.kept[step]), int(ladder.wrong[step]), int(ladder.counted[step])
        bound = upper_bound(math.ceil(wrong * counted / kept - 1e-9), counted, level)
        return Certificate("certified", float(ladder.thresholds[step]), len(right), kept, wrong, bound)
    if not offer:
        return Certificate("infeasible", None, len(right), 0, 0, None)
    low, high = 0, len(_RISKS)
    while low < high:
        middle = (low + high) // 2
        step = _furthest(ladder, _RISKS[middle], level, method)
        if step is not None and ladder.kept[step] >= USEFUL_COVERAGE * len(right):
            high = middle
        else:
            low = middle + 1
    if low == len(_RISKS):
        return Certificate("infeasible", None, len(right), 0, 0, None)
    step = _furthest(ladder, _RISKS[low], level, method)
    coverage = float(ladder.kept[step] / len(right)) if step is not None else None
    return Certificate("infeasible", None, len(right), 0, 0, None, _RISKS[low], coverage)


@dataclass(frozen=True, slots=True)
class _Ladder:
    """Candidate thresholds from the highest to the lowest, and what each would keep."""

    thresholds: Probabilities
    kept: NDArray[np.int64]
    wrong: NDArray[np.int64]
    counted: NDArray[np.int64]
    """Kept answers as far as they are independent."""
    expected: Probabilities
    """Wrong answers that the probabilities themselves expect: known before any outcome is."""


def _ladder(probabilities: Probabilities, right: Outcomes, groups: NDArray[np.int64]) -> _Ladder:
    order = np.argsort(-probabilities, kind="stable")
    sorted_ = probabilities[order]
    ends = np.flatnonzero(np.append(sorted_[1:] != sorted_[:-1], True)) if len(order) else np.zeros(0, int)
    if len(ends) > _CANDIDATES:
        ends = np.unique(ends[np.searchsorted(ends, np.linspace(0, ends[-1], _CANDIDATES + 1)[1:])])
    wrong, expected = np.cumsum(~right[order]), np.cumsum(1 - sorted_)
    # one more of a group of c adds (c + 1)^2 - c^2 to the sum of squared group sizes
    squares = np.cumsum(2 * _earlier(groups[order]) + 1)
    kept = ends + 1
    counted = np.maximum(1, kept**2 // squares[ends])
    return _Ladder(sorted_[ends], kept, wrong[ends].astype(np.int64), counted, expected[ends])


def _earlier(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many of each answer's group stand before it."""
    by_group = np.argsort(groups, kind="stable")
    gathered = groups[by_group]
    first = np.append(True, gathered[1:] != gathered[:-1])[: len(groups)]
    place = np.arange(len(groups))
    earlier = np.zeros(len(groups), dtype=np.int64)
    earlier[by_group] = place - np.maximum.accumulate(np.where(first, place, 0)) if len(groups) else place
    return earlier


def _coded(names: Sequence[object]) -> NDArray[np.int64]:
    numbers: dict[object, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.int64)


def _joined(answers: Mapping[str, tuple[Probabilities, Outcomes]]) -> tuple[Probabilities, Outcomes]:
    said = [probabilities for probabilities, _ in answers.values()]
    outcomes = [right for _, right in answers.values()]
    if not said:
        return np.zeros(0), np.zeros(0, dtype=bool)
    return np.concatenate(said), np.concatenate(outcomes)


def _furthest(ladder: _Ladder, risk: float, level: float, method: Method) -> int | None:
    if not len(ladder.kept):
        return None
    if method == "bonferroni":
        passed = [i for i in range(len(ladder.kept)) if _rejected(ladder, i, risk, level / len(ladder.kept))]
        return passed[-1] if passed else None
    # looks at probabilities only, never at outcomes: the sequence is fixed before anything is tested
    promise = (risk * ladder.kept - ladder.expected) / np.sqrt(risk * (1 - risk) * ladder.kept**2 / ladder.counted)
    furthest = None
    for i in range(int(promise.argmax()), len(ladder.kept)):
        if not _rejected(ladder, i, risk, level):
            break
        furthest = i
    return furthest


def _rejected(ladder: _Ladder, step: int, risk: float, level: float) -> bool:
    kept = int(ladder.counted[step])
    wrong = math.ceil(ladder.wrong[step] * kept / ladder.kept[step] - 1e-9)
    if binomial_tail(wrong, kept, risk) > level:
        return False
    too_many = math.floor(risk * kept + 1e-9) + 1
    return hypergeometric_tail(wrong, kept, wrong + too_many, 2 * kept) <= level
