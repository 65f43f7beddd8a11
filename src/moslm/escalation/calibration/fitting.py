"""Labelled answers to a calibration: fitted, measured on answers it was not fitted on, with thresholds for a promise.

`moslm.escalation.calibration.pooling` fits the regressions. Knows nothing of models, graphs or files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from moslm.errors import ConfigError
from moslm.escalation.calibration.artefact import Calibration, versioned
from moslm.escalation.calibration.calibrator import Calibrator, first_word, known
from moslm.escalation.calibration.drift import PROBABILITY, Reference, reference
from moslm.escalation.calibration.guarantee import Guarantee, Method, Scope, guarantee
from moslm.escalation.calibration.judging import judged
from moslm.escalation.calibration.labelled import FOLDS, LabelledAnswer, fitted_on, folds_of
from moslm.escalation.calibration.pooling import fitted_prefixes, scale_of
from moslm.escalation.signals import COSTLY, cheap

Array = NDArray[np.float64]
Said = tuple[float | None, float | None]
"""Probability of one answer by all its signals, and by the cheap ones alone."""

VALID_DAYS = 90
"""How long a calibration may be used unless told otherwise."""


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
    calibrators = fitted_prefixes(rows, names, step)
    if held_out:
        judged_rows, judged_on = list(held_out), "held_out"
        found = [_said(calibrators, row) for row in held_out]
    else:
        judged_rows, judged_on = list(rows), "cross_fitted"
        found = _cross_fitted(rows, names, step)
    by_domain = _by_domain(judged_rows, [whole for whole, _ in found])
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
        fitted_on=fitted_on(rows),
        figures=figures,
        guarantee=promised,
        created=created,
        expires=created + timedelta(days=valid_days),
        references=_references(calibrators, [*rows, *held_out], judged_rows, [cheaply for _, cheaply in found]),
    )
    return versioned(calibration)


def regressions(signals: Sequence[str], *, held_out: bool) -> int:
    """Return how many regressions `fit_calibration` fits, for a progress bar."""
    whole = len(signals) * (FOLDS + 1)
    return whole if held_out else whole * (FOLDS + 1)


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


def _cross_fitted(rows: Sequence[LabelledAnswer], signals: tuple[str, ...], step: Callable[[], object]) -> list[Said]:
    """Return what is said of each row by calibrators that saw no row of its group."""
    folds = folds_of([row.group for row in rows])
    found: list[Said] = [(None, None)] * len(rows)
    for fold in range(FOLDS):
        others = [row for row, at in zip(rows, folds, strict=True) if at != fold]
        if len({row.right for row in others}) < 2:
            continue
        calibrators = fitted_prefixes(others, signals, step)
        for i in np.flatnonzero(folds == fold).tolist():
            found[i] = _said(calibrators, rows[i])
    return found


def _said(calibrators: Mapping[str, tuple[Calibrator, ...]], row: LabelledAnswer) -> Said:
    here = calibrators.get(row.domain, ())
    return first_word(here, row.signals), first_word(here, cheap(row.signals))


def _references(
    calibrators: Mapping[str, tuple[Calibrator, ...]],
    rows: Sequence[LabelledAnswer],
    judged_rows: Sequence[LabelledAnswer],
    cheaply: Sequence[float | None],
) -> dict[str, tuple[Reference, ...]]:
    """Return what drafts are compared with later: signals of all rows, probabilities of rows that were not fitted."""
    said = scale_of(PROBABILITY, cheaply)
    found = {}
    for domain, own in calibrators.items():
        scales = [scale for scale in (own[0].scales if own else ()) if scale.name not in COSTLY]
        here = [row for row in rows if row.domain == domain]
        judged_here = [value for row, value in zip(judged_rows, cheaply, strict=True) if row.domain == domain]
        signals = [reference(scale, [row.signals.get(scale.name) for row in here]) for scale in scales]
        found[domain] = (reference(said, judged_here), *signals) if judged_here else tuple(signals)
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
