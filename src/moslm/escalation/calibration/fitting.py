"""Labelled answers to a calibration: cross-fitted by group, pooled over domains as far as their rows are few.

One logistic regression over all domains, in which every domain may deviate from the common weights against a penalty:
a domain with few rows stays near the others, one with many speaks for itself. For every prefix of the signals a
regression of its own is fitted, so that dear signals may be left unasked. Knows nothing of models, graphs or files.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from moslm.errors import ConfigError
from moslm.escalation.calibration.artefact import Calibration, Counts, FittedOn, versioned
from moslm.escalation.calibration.calibrator import Calibrator, Scale, known, transformed
from moslm.escalation.calibration.curves import KINDS, Curve, Kind, fit_curve, log_loss
from moslm.escalation.calibration.guarantee import Guarantee, Method, Scope, guarantee
from moslm.escalation.calibration.judging import judged
from moslm.escalation.calibration.logistic import fit_logistic

Array = NDArray[np.float64]

FOLDS = 5
VALID_DAYS = 90
"""How long a calibration may be used unless told otherwise."""

_COMMON_PENALTY = 1.0
_DEVIATION_PENALTY = 10.0
_LEVEL_PENALTY = 4.0
"""A domain's own level weighs as much as the common one from about twenty rows on."""
_CURVE_ROWS = 200
"""Below this a curve of its own would fit noise; the regression's own probabilities are kept."""


@dataclass(frozen=True, slots=True)
class LabelledAnswer:
    """An answer somebody judged.

    Attributes:
        domain: The domain that answered.
        group: Answers that share one (a template, a conversation, a document) are never split between fitting and
            judging; give each answer its own where nothing is shared.
        signals: What was measured, by name; None where it could not be.
        right: The judgement.
    """

    domain: str
    group: str
    signals: Mapping[str, float | None]
    right: bool


@dataclass(frozen=True, slots=True)
class Promise:
    """The promise a calibration's thresholds shall keep; see `moslm.escalation.calibration.guarantee`."""

    risk: float
    delta: float
    scope: Scope = "each_domain"
    method: Method = "fixed_sequence"


def fit_calibration(
    rows: Sequence[LabelledAnswer],
    *,
    signals: Sequence[str],
    model: str,
    revision: str,
    created: date,
    promise: Promise | None = None,
    held_out: Sequence[LabelledAnswer] = (),
    valid_days: int = VALID_DAYS,
    step: Callable[[], object] = lambda: None,
) -> Calibration:
    """Fit a calibration and measure it on answers it was not fitted on.

    Args:
        rows: Labelled answers to fit on.
        signals: Names of the signals, cheapest first; a row may lack any of them.
        model: Id of the model that answered.
        revision: Its revision.
        created: The day it is made.
        promise: The risk its thresholds shall keep, if any.
        held_out: Labelled answers that share no group with ``rows``: figures and thresholds then come from them and
            the promise is exact. Without them both come from cross-fitted probabilities: it is approximate.
        valid_days: Days until it expires.
        step: Called once for every regression fitted, for a progress bar; see `regressions`.

    Raises:
        ConfigError: No signals are named; rows are none, all right or all wrong, of one group only; a row's domain was
            not fitted; or held-out rows share a group with the fitted ones.
    """
    _checked(rows, signals, held_out)
    names = tuple(signals)
    calibrators = _fitted_prefixes(rows, names, step)
    if held_out:
        judged_rows, judged_on = list(held_out), "held_out"
        bare = _bare(model, revision, names, calibrators, rows, created)
        found = [bare.probability(row.domain, row.signals) for row in held_out]
    else:
        judged_rows, judged_on = list(rows), "cross_fitted"
        found = _cross_fitted(rows, names, step)
    by_domain = _by_domain(judged_rows, found)
    probabilities, right = (np.concatenate(part) for part in zip(*by_domain.values(), strict=True))
    figures = {"": judged(probabilities, right, judged_on)}
    figures |= {name: judged(*pair, judged_on) for name, pair in by_domain.items()}
    groups = {name: [row.group for row in judged_rows if row.domain == name] for name in by_domain}
    promised = _promised(by_domain, groups, promise, judged_on)
    calibration = Calibration(
        model=model,
        revision=revision,
        signals=names,
        calibrators=calibrators,
        fitted_on=_fitted_on(rows),
        figures=figures,
        guarantee=promised,
        created=created,
        expires=created + timedelta(days=valid_days),
    )
    return versioned(calibration)


def regressions(signals: Sequence[str], *, held_out: bool) -> int:
    """Return how many regressions `fit_calibration` fits, for a progress bar."""
    whole = len(signals) * (FOLDS + 1)
    return whole if held_out else whole * (FOLDS + 1)


def folds_of(groups: Sequence[str], count: int = FOLDS) -> NDArray[np.int64]:
    """Deal groups into folds of about equal size, the same way every time; return each row's fold."""
    sizes = Counter(groups)
    order = sorted(sizes, key=lambda group: (-sizes[group], hashlib.sha256(group.encode("utf-8", "replace")).digest()))
    load, fold = [0] * count, {}
    for group in order:
        least = load.index(min(load))
        fold[group] = least
        load[least] += sizes[group]
    return np.array([fold[group] for group in groups], dtype=np.int64)


def _checked(rows: Sequence[LabelledAnswer], signals: Sequence[str], held_out: Sequence[LabelledAnswer]) -> None:
    if not signals or len(set(signals)) != len(signals):
        raise ConfigError("needs signals, each named once", key="signals", value=tuple(signals))
    outcomes = Counter(row.right for row in rows)
    if not outcomes[True] or not outcomes[False]:
        found = "there are none" if not rows else f"all {len(rows)} are {'right' if outcomes[True] else 'wrong'}"
        raise ConfigError(
            f"a calibration needs right and wrong answers; {found}", mend="label more answers, of both kinds"
        )
    groups = {row.group for row in rows}
    if len(groups) < 2:
        raise ConfigError("all labelled answers are of one group", mend="give answers that share nothing their own")
    if not any(known(row.signals.get(name)) is not None for row in rows for name in signals):
        raise ConfigError("no labelled answer has any of the signals", key="signals", value=tuple(signals))
    shared = groups & {row.group for row in held_out}
    if shared:
        raise ConfigError(f"{len(shared)} groups are both fitted and held out", mend="split by group")
    strange = {row.domain for row in held_out} - {row.domain for row in rows}
    if strange:
        raise ConfigError(f"no row to fit is of the held-out domain {min(strange)}", mend="label some of its answers")


def _fitted_prefixes(
    rows: Sequence[LabelledAnswer], signals: tuple[str, ...], step: Callable[[], object]
) -> dict[str, tuple[Calibrator, ...]]:
    """Return each domain's calibrators, the one with the most signals first."""
    found: dict[str, list[Calibrator]] = {domain: [] for domain in sorted({row.domain for row in rows})}
    for count in range(len(signals), 0, -1):
        usable = [row for row in rows if any(known(row.signals.get(name)) is not None for name in signals[:count])]
        if len({row.right for row in usable}) < 2:
            continue
        for domain, calibrator in _curved(usable, signals[:count], tuple(found), step).items():
            found[domain].append(calibrator)
    return {domain: tuple(calibrators) for domain, calibrators in found.items()}


def _curved(
    rows: Sequence[LabelledAnswer], signals: tuple[str, ...], domains: tuple[str, ...], step: Callable[[], object]
) -> dict[str, Calibrator]:
    """Fit one regression and the curve that cross-fitted log loss prefers."""
    calibrators = _straight(rows, signals, domains)
    step()
    right = np.array([row.right for row in rows])
    folds = folds_of([row.group for row in rows])
    scores = np.zeros(len(rows))
    for fold in range(FOLDS):
        others = [row for row, at in zip(rows, folds, strict=True) if at != fold]
        fitted = _straight(others, signals, domains)
        for i in np.flatnonzero(folds == fold).tolist():
            scores[i] = fitted[rows[i].domain].score(rows[i].signals)
        step()
    curve = _best_curve(scores, right, folds)
    return {domain: replace(each, curve=curve) for domain, each in calibrators.items()}


def _best_curve(scores: Array, right: NDArray[np.bool_], folds: NDArray[np.int64]) -> Curve:
    if len(right) < _CURVE_ROWS:
        return Curve()

    def loss(kind: Kind) -> float:
        said = np.zeros(len(right))
        for fold in range(FOLDS):
            here = folds == fold
            if here.any():
                said[here] = fit_curve(kind, scores[~here], right[~here]).apply(scores[here])
        return log_loss(said, right)

    losses = {kind: loss(kind) for kind in KINDS}
    # a difference in the fourth decimal is noise: the simpler map wins it
    best = next(kind for kind in KINDS if losses[kind] <= min(losses.values()) + 5e-4)
    return fit_curve(best, scores, right)


def _straight(
    rows: Sequence[LabelledAnswer], signals: tuple[str, ...], domains: tuple[str, ...]
) -> dict[str, Calibrator]:
    """Fit the regression of all domains together, without a curve."""
    scales = tuple(_scale(name, [row.signals.get(name) for row in rows]) for name in signals)
    columns = _columns(rows, scales)
    width = columns.shape[1]
    member = np.array([[row.domain == domain for domain in domains] for row in rows], dtype=np.float64)
    own = (member[:, :, None] * columns[:, None, :]).reshape(len(rows), -1)
    penalty = np.concatenate(
        [
            np.full(width, _COMMON_PENALTY),
            np.full(len(domains), _LEVEL_PENALTY),
            np.full(own.shape[1], _DEVIATION_PENALTY),
        ]
    )
    weights, intercept = fit_logistic(
        np.column_stack([columns, member, own]), np.array([row.right for row in rows]), penalty
    )
    common, levels = weights[:width], weights[width : width + len(domains)]
    deviations = weights[width + len(domains) :].reshape(len(domains), width)
    half = width // 2
    return {
        domain: Calibrator(
            scales,
            tuple(map(float, (common + deviations[d])[:half])),
            tuple(map(float, (common + deviations[d])[half:])),
            float(intercept + levels[d]),
            Curve(),
        )
        for d, domain in enumerate(domains)
    }


def _scale(name: str, values: Sequence[float | None]) -> Scale:
    there = [value for each in values if (value := known(each)) is not None]
    is_share = all(0 <= value <= 1 for value in there)
    moved = np.array([transformed(value, "logit" if is_share else "linear") for value in there])
    centre, spread = (float(moved.mean()), float(moved.std())) if len(moved) else (0.0, 0.0)
    return Scale(name, "logit" if is_share else "linear", centre, spread or 1.0, len(there) < len(values))


def _columns(rows: Sequence[LabelledAnswer], scales: tuple[Scale, ...]) -> Array:
    """Return (n, 2 s): standardised signals, 0 where missing, then 1 where missing."""
    table = np.zeros((len(rows), 2 * len(scales)))
    for i, row in enumerate(rows):
        for j, scale in enumerate(scales):
            value = known(row.signals.get(scale.name))
            if value is None:
                table[i, len(scales) + j] = 1.0
            else:
                table[i, j] = scale.standardised(value)
    return table


def _cross_fitted(
    rows: Sequence[LabelledAnswer], signals: tuple[str, ...], step: Callable[[], object]
) -> list[float | None]:
    """Return each row's probability from calibrators that saw no row of its group."""
    folds = folds_of([row.group for row in rows])
    found: list[float | None] = [None] * len(rows)
    for fold in range(FOLDS):
        others = [row for row, at in zip(rows, folds, strict=True) if at != fold]
        if len({row.right for row in others}) < 2:
            continue
        calibrators = _fitted_prefixes(others, signals, step)
        for i in np.flatnonzero(folds == fold).tolist():
            row = rows[i]
            judge = next((each for each in calibrators.get(row.domain, ()) if each.judges(row.signals)), None)
            found[i] = None if judge is None else judge.probability(row.signals)
    return found


def _by_domain(
    rows: Sequence[LabelledAnswer], found: Sequence[float | None]
) -> dict[str, tuple[Array, NDArray[np.bool_]]]:
    """Return probabilities and outcomes by domain; an answer nobody can judge counts as probability 0."""
    by_domain: dict[str, tuple[Array, NDArray[np.bool_]]] = {}
    for domain in sorted({row.domain for row in rows}):
        here = [i for i, row in enumerate(rows) if row.domain == domain]
        said = np.array([0.0 if found[i] is None else found[i] for i in here], dtype=np.float64)
        by_domain[domain] = (said, np.array([rows[i].right for i in here]))
    return by_domain


def _promised(
    by_domain: Mapping[str, tuple[Array, NDArray[np.bool_]]],
    groups: Mapping[str, Sequence[str]],
    promise: Promise | None,
    judged_on: str,
) -> Guarantee | None:
    if promise is None:
        return None
    return guarantee(
        by_domain,
        promise.risk,
        promise.delta,
        scope=promise.scope,
        method=promise.method,
        judged_on=judged_on,
        groups=groups,
    )


def _bare(
    model: str,
    revision: str,
    signals: tuple[str, ...],
    calibrators: dict[str, tuple[Calibrator, ...]],
    rows: Sequence[LabelledAnswer],
    created: date,
) -> Calibration:
    return Calibration(model, revision, signals, calibrators, _fitted_on(rows), {}, None, created, created)


def _fitted_on(rows: Sequence[LabelledAnswer]) -> FittedOn:
    lines = sorted(
        json.dumps([row.domain, row.group, sorted((k, v) for k, v in row.signals.items()), row.right]) for row in rows
    )
    counts = {
        domain: Counts(
            sum(row.right for row in rows if row.domain == domain),
            sum(not row.right for row in rows if row.domain == domain),
        )
        for domain in sorted({row.domain for row in rows})
    }
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    return FittedOn(digest, len({row.group for row in rows}), counts)
