"""One regression over all domains, in which each deviates from the common weights against a penalty.

A domain with few rows stays near the others, one with many speaks for itself. For every prefix of the signals there is
a regression of its own, so that dear signals may be left unasked. Knows nothing of artefacts or promises.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from moslm.escalation.calibration.calibrator import Calibrator, Scale, known, transformed
from moslm.escalation.calibration.curves import KINDS, Curve, Kind, fit_curve, log_loss
from moslm.escalation.calibration.labelled import FOLDS, LabelledAnswer, folds_of
from moslm.escalation.calibration.logistic import fit_logistic

Array = NDArray[np.float64]

_COMMON_PENALTY = 1.0
_DEVIATION_PENALTY = 10.0
_LEVEL_PENALTY = 4.0
"""A domain's own level weighs as much as the common one from about twenty rows on."""
_CURVE_ROWS = 200
"""Below this a curve of its own would fit noise; the regression's own probabilities are kept."""


def fitted_prefixes(
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
    scales = tuple(scale_of(name, [row.signals.get(name) for row in rows]) for name in signals)
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


def scale_of(name: str, values: Sequence[float | None]) -> Scale:
    """Return how a signal becomes a standardised number, from the values it had."""
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
