"""`RecordedTable`: cases, models, and what each model made of each case at what price."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moslm.errors import ConfigError
from moslm.escalation.calibration.outcomes.table import Outcomes
from moslm.evals.outcomes import Ending, Outcome

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RecordedCase:
    """One case; cases of one group stand and fall together."""

    id: str
    text: str
    group: str
    domain: str | None = None


@dataclass(frozen=True, slots=True)
class RecordedTable:
    """What several models made of the same cases.

    Attributes:
        name: The table's.
        cases: n cases.
        models: m models that have outcomes, in the order of the columns below.
        points: (n, m) points between 0 and 1; NaN where the model has no outcome for the case.
        usd: (n, m) what that cost in US dollars; NaN where it is not known.
        read: (n, m) whether an answer could be read; a case without one counts as no points.
        small: The models that stand for the small ones here.
        large: The model that is escalated to.
        choices: The options each model chose, where the table says so; None elsewhere.
        notes: What is missing, and what was assumed, a sentence each.
    """

    name: str
    cases: tuple[RecordedCase, ...]
    models: tuple[str, ...]
    points: Array
    usd: Array
    read: NDArray[np.bool_]
    small: tuple[str, ...]
    large: str
    choices: Outcomes | None
    notes: tuple[str, ...]

    @property
    def groups(self) -> list[str]:
        """The group of each case."""
        return [case.group for case in self.cases]

    def column(self, model: str) -> int:
        """Return a model's column.

        Raises:
            ConfigError: It has no outcomes; the message lists those that have.
        """
        if model not in self.models:
            raise ConfigError(
                "has no outcomes", file=self.name, key="model", value=model, mend=f"one of: {', '.join(self.models)}"
            )
        return self.models.index(model)

    def outcomes(self, model: str, system: str | None = None) -> Iterator[Outcome]:
        """Yield the outcomes of one model.

        Args:
            model: Which.
            system: What it is called; by default the model's name.

        Raises:
            ConfigError: It has no outcomes.
        """
        column = self.column(model)
        for row, case in enumerate(self.cases):
            points, usd = float(self.points[row, column]), float(self.usd[row, column])
            there = not np.isnan(points)
            yield Outcome(
                suite=self.name,
                case=case.id,
                group=case.group,
                system=system or model,
                domain=case.domain,
                ending=_ending(points, bool(self.read[row, column])) if there else "failed",
                score=points if there else None,
                why="" if there else "the table has no outcome of this model",
                way="escalated" if model == self.large else "local",
                usd=None if np.isnan(usd) else usd,
            )


def recorded(
    name: str,
    cases: list[RecordedCase],
    models: list[str],
    points: Array,
    usd: Array,
    *,
    small: tuple[str, ...],
    large: str,
    read: NDArray[np.bool_] | None = None,
    choices: Outcomes | None = None,
    notes: tuple[str, ...] = (),
) -> RecordedTable:
    """Make a table; models without any outcome are left out and named, and so is every missing price.

    Raises:
        ConfigError: There is no case, or the large model or every small one has no outcome.
    """
    if not cases:
        raise ConfigError("holds no case", file=name)
    has = np.logical_not(np.isnan(points).all(axis=0))
    kept = np.flatnonzero(has)
    told = list(notes)
    told += [
        f"{model} has no outcomes and is left out."
        for model, there in zip(models, has.tolist(), strict=True)
        if not there
    ]
    left = tuple(models[i] for i in kept.tolist())
    for model in (large, *(small if not any(each in left for each in small) else ())):
        if model not in left:
            raise ConfigError("has no outcomes", file=name, key="model", value=model)
    for i in kept.tolist():
        lacking = int(np.isnan(points[:, i]).sum())
        if lacking:
            told.append(f"{models[i]} lacks {lacking} of the {len(cases)} cases.")
    unpriced = [models[i] for i in kept.tolist() if np.isnan(usd[:, i]).any()]
    if unpriced:
        told.append(f"No price is known of {', '.join(unpriced)}: their cost counts in calls to the large model.")
    return RecordedTable(
        name,
        tuple(cases),
        left,
        points[:, kept],
        usd[:, kept],
        (np.ones(points.shape, dtype=bool) if read is None else read)[:, kept],
        tuple(model for model in small if model in left),
        large,
        choices,
        tuple(told),
    )


def group_of(text: str) -> str:
    """Return a group for a case of a table that names none: equal questions stay together."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def _ending(points: float, read: bool) -> Ending:
    if not read:
        return "unparsed"
    return "right" if points >= 1 else "wrong" if points <= 0 else "partly"
