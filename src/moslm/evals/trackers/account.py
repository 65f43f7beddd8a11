"""`Account`: what a tracker is told of a run. Words of requests and answers are in it only where somebody said so.

What may be told is listed, and not what may not: a field that is added to outcomes tomorrow stays here until it is.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from moslm.errors import ConfigError
from moslm.evals.figures import Figure
from moslm.evals.metrics import METRICS, Metric, figures
from moslm.evals.outcomes import Outcome
from moslm.evals.people.ratings import RATINGS
from moslm.evals.running.folder import MANIFEST, OUTCOMES, Read
from moslm.evals.running.manifest import Manifest
from moslm.evals.suites.suite import Suite

EVERY = "all"
"""Name of the figures over all suites."""

_OUTCOME = (
    "suite", "case", "group", "system", "domain", "routed_to", "ending", "score", "way", "confidence", "threshold",
    "draft_score", "usd", "graded_usd", "total_ms", "classify_ms", "first_token_ms", "input_tokens", "output_tokens",
)  # fmt: skip
_TAGS = ("task", "grader", "escalate", "rating", "judged", "ordered")
_MANIFEST = ("run", "started", "commit", "config_sha256", "data_sha256", "judge", "checked", "seed", "sample")


@dataclass(frozen=True, slots=True)
class Account:
    """What is told of a run."""

    name: str
    manifest: Manifest
    params: Mapping[str, str]
    """What it was made from."""
    metrics: Mapping[str, float]
    """``system/suite/metric``, with ``.low``, ``.high`` and ``.n`` beside it; nothing where nothing was measured."""
    files: Mapping[str, bytes]
    outcomes: Sequence[Outcome]
    """As the run has them; `told` says what of one may leave."""
    with_texts: bool = False
    suites: Mapping[str, Suite] = field(default_factory=dict)
    """What was asked, where it may be told."""

    def told(self, outcome: Outcome) -> dict[str, Any]:
        """Return what may be told of an outcome."""
        if self.with_texts:
            return outcome.model_dump(mode="json", exclude_none=True)
        return without_texts(outcome)


def account_of(
    read: Read,
    folder: Path,
    *,
    with_texts: bool = False,
    suites: Mapping[str, Suite] | None = None,
    metrics: Mapping[str, Metric] = METRICS,
) -> Account:
    """Return what is told of a run.

    Args:
        read: The run.
        folder: Where it lies; its page and its ratings are told where texts are.
        with_texts: Whether questions, answers and everything that may quote them is told.
        suites: What was asked; told with the texts.
        metrics: The metrics by name.

    Raises:
        ConfigError: A file of the run cannot be read.
    """
    told = _figures(read.outcomes, metrics)
    report = {
        "figures": {place: figure.model_dump(mode="json") for place, figure in told.items()},
        "endings": {
            system: dict(Counter(each.ending for each in read.outcomes if each.system == system))
            for system in dict.fromkeys(each.system for each in read.outcomes)
        },
        "finished": read.finished,
    }
    lines = [json.dumps(without_texts(each)) + "\n" for each in read.outcomes]
    files = {"report.json": _json(report), "params.json": _json(_params(read.manifest))}
    files |= _with_texts(folder) if with_texts else {OUTCOMES: "".join(lines).encode()}
    return Account(
        name=f"{read.manifest.started[:19]} {read.manifest.run[:8]}",
        manifest=read.manifest,
        params=_params(read.manifest),
        metrics=_metrics(told),
        files=files,
        outcomes=read.outcomes,
        with_texts=with_texts,
        suites=dict(suites or {}) if with_texts else {},
    )


def without_texts(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome's numbers, names and ids: no word of a request, an answer, a grader or a rule."""
    found = outcome.model_dump(mode="json", include=set(_OUTCOME), exclude_none=True)
    return {**found, "tags": {name: outcome.tags[name] for name in _TAGS if name in outcome.tags}}


def _figures(outcomes: Sequence[Outcome], metrics: Mapping[str, Metric]) -> dict[str, Figure]:
    parts: dict[str, list[Outcome]] = {}
    for each in outcomes:
        for suite in (EVERY, each.suite):
            parts.setdefault(f"{each.system}/{suite}", []).append(each)
    return {
        f"{place}/{name}": figure for place, part in parts.items() for name, figure in figures(part, metrics).items()
    }


def _metrics(told: Mapping[str, Figure]) -> dict[str, float]:
    found: dict[str, float] = {}
    for place, figure in told.items():
        if figure.value is not None:
            bounds = {".low": figure.low, ".high": figure.high, ".n": float(figure.n)}
            found[place] = figure.value
            found |= {place + name: value for name, value in bounds.items() if value is not None}
    return found


def _params(manifest: Manifest) -> dict[str, str]:
    """Return what a run was made from, without how it was called: paths, addresses and keys may stand there."""
    found = {name: str(getattr(manifest, name)) for name in _MANIFEST if getattr(manifest, name) is not None}
    found["systems"] = ", ".join(manifest.systems)
    for name, suite in manifest.suites.items():
        found |= {f"suite.{name}": suite.sha256, f"suite.{name}.cases": f"{suite.cases} of {suite.of}"}
    found |= {f"model.{name}": revision for name, revision in manifest.models.items() if revision}
    return found | {f"version.{name}": version for name, version in manifest.versions.items()}


def _with_texts(folder: Path) -> dict[str, bytes]:
    there = [folder / name for name in (MANIFEST, OUTCOMES, RATINGS)] + sorted(folder.glob("*.html"))
    try:
        return {file.name: file.read_bytes() for file in there if file.exists()}
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=str(error.filename)) from None


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False).encode() + b"\n"
