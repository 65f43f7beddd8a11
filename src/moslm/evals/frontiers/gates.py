"""`Gate`: for each case of a table, who answers it locally and how much is gained by escalating it.

MoSLM's learned gates, everything out of fold by group: from the small models' answers where a table holds them
(`choice_gates`), else from the request's text alone (`text_gates`). Nothing here looks at a case's right answer, nor at
what the large model made of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moslm.errors import ConfigError, MissingExtraError
from moslm.escalation.calibration.curves import fit_curve
from moslm.escalation.calibration.labelled import folds_of
from moslm.evals.frontiers.from_text import from_text
from moslm.evals.tables.recorded import RecordedTable

Array = NDArray[np.float64]
Step = Callable[[], object]

_FOLDS = 5
RIGHT = 0.5
"""Points from which an answer counts as right for what is learned."""


@dataclass(frozen=True, slots=True)
class Gate:
    """What one way of escalating says of n cases.

    Attributes:
        answers: (n,) column of the model that answers where nothing is escalated.
        need: (n,) the higher, the sooner a case goes to the large model; equal ones go together.
        consulted: Columns of the models that were asked about every case before that was decided; empty where the
            text alone decides.
        probability: (n,) probability that the local answer is right; None where a gate has none.
    """

    answers: NDArray[np.int64]
    need: Array
    consulted: tuple[int, ...]
    probability: Array | None = None


def choice_gates(table: RecordedTable, small: tuple[str, ...], large: str, step: Step = lambda: None) -> Gate:
    """Return MoSLM's learned gate over the answers of small models.

    Args:
        table: A table that holds the options each model chose.
        small: With one model it answers alone. With several each case is answered by the one that is the most
            probably right, the others being its second opinions.
        large: The model that is escalated to.
        step: Called while it learns, for a progress bar.

    Raises:
        ConfigError: The table does not hold what was chosen, or a model has no outcomes.
        MissingExtraError: scikit-learn is not installed.
    """
    found = table.choices
    if found is None:
        raise ConfigError("holds no chosen options to learn from", file=table.name)
    _packages()
    from threadpoolctl import threadpool_limits

    from moslm.escalation.calibration.outcomes.learner import cross_fitted
    from moslm.escalation.calibration.outcomes.material import gather

    columns = [table.column(model) for model in small]
    with threadpool_limits(1):
        material = gather(found, step)
        said = [
            cross_fitted(found, material, (model, *(each for each in small if each != model)), large, _FOLDS, step)
            for model in small
        ]
    own = [
        _calibrated(each.small, table.points[:, column] >= RIGHT, table.groups)
        for each, column in zip(said, columns, strict=True)
    ]
    return _best_of(columns, own, np.mean([each.large for each in said], axis=0), tuple(columns))


def text_gates(table: RecordedTable, small: tuple[str, ...], large: str) -> Gate:
    """Return MoSLM's gate before any draft: from the request's text and its domain, as learned on other groups.

    Args:
        table: Any table.
        small: Each case is answered by the one of them that is the most probably right.
        large: The model that is escalated to.

    Raises:
        ConfigError: A model has no outcomes.
        MissingExtraError: scikit-learn is not installed.
    """
    _packages()
    from threadpoolctl import threadpool_limits

    texts, domains = [case.text for case in table.cases], [case.domain or "" for case in table.cases]
    columns = [table.column(model) for model in (*small, large)]
    with threadpool_limits(1):
        said = [from_text(texts, domains, table.groups, table.points[:, column] >= RIGHT) for column in columns]
    return _best_of(columns[:-1], said[:-1], said[-1], ())


def by_small_alone(gate: Gate) -> Gate:
    """Return the same gate when all it goes by is how probable the small model's answer is."""
    if gate.probability is None:
        raise ValueError("this gate has no probability")
    return Gate(gate.answers, -gate.probability, gate.consulted, gate.probability)


def random_mix(table: RecordedTable, small: str) -> Gate:
    """Return the gate that escalates a share of the cases blindly, before any draft."""
    return Gate(np.full(len(table.cases), table.column(small)), np.zeros(len(table.cases)), ())


def oracle(table: RecordedTable, gate: Gate, large: str) -> Gate:
    """Return the gate of somebody who knows who is right, with the same local answers."""
    own = table.points[np.arange(len(table.cases)), gate.answers]
    return Gate(gate.answers, np.nan_to_num(table.points[:, table.column(large)]) - np.nan_to_num(own), gate.consulted)


def agreement(table: RecordedTable, small: tuple[str, ...]) -> Gate:
    """Return the threshold on a raw, uncalibrated confidence: how many small models chose what the first one chose.

    Raises:
        ConfigError: The table does not hold what was chosen, or a model has no outcomes.
    """
    if table.choices is None:
        raise ConfigError("holds no chosen options to compare", file=table.name)
    columns = [table.column(model) for model in small]
    chosen = table.choices.chosen[:, [table.choices.column(model) for model in small]]
    alike = ((chosen == chosen[:, :1]) & (chosen[:, :1] >= 0)).mean(axis=1)
    return Gate(np.full(len(chosen), columns[0]), -alike, tuple(columns))


def scored(table: RecordedTable, small: str, confidence: Array, *, before_any_draft: bool) -> Gate:
    """Return the threshold on somebody else's confidence in one small model's answer.

    Args:
        table: Any table.
        small: The model that answers.
        confidence: (n,) the higher, the surer.
        before_any_draft: Whether it reads the request alone, so that an escalated case pays for no draft.

    Raises:
        ConfigError: There is not one confidence a case.
    """
    if len(confidence) != len(table.cases):
        raise ConfigError(f"{len(confidence)} confidences for {len(table.cases)} cases", file=table.name)
    column = table.column(small)
    return Gate(np.full(len(confidence), column), -confidence, () if before_any_draft else (column,), confidence)


def _best_of(columns: list[int], own: list[Array], large: Array, consulted: tuple[int, ...]) -> Gate:
    stacked = np.column_stack(own)
    best = stacked.argmax(axis=1)
    probability = stacked[np.arange(len(best)), best]
    return Gate(np.array(columns)[best], large - probability, consulted, probability)


def _calibrated(said: Array, right: NDArray[np.bool_], groups: list[str]) -> Array:
    odds = np.log(np.clip(said, 1e-9, 1 - 1e-9)) - np.log1p(-np.clip(said, 1e-9, 1 - 1e-9))
    folds, found = folds_of(groups, _FOLDS), np.zeros(len(said))
    for fold in range(_FOLDS):
        here = folds == fold
        found[here] = fit_curve("platt", odds[~here], right[~here]).apply(odds[here])
    return found


def _packages() -> None:
    try:
        import sklearn  # noqa: F401
        import threadpoolctl  # noqa: F401
    except ImportError:
        raise MissingExtraError("learning from outcomes", "calibrate") from None
