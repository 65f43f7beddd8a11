"""`Plan`: what is to be run, and `evaluate`, which runs it: the only place here that constructs systems."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from moslm.budgets.prices import PriceTable
from moslm.config import Config, ModelSettings, VLLMModel, load
from moslm.errors import ConfigError
from moslm.evals.graders import RUBRIC
from moslm.evals.outcomes import Outcome
from moslm.evals.people.ratings import read_ratings, with_ratings
from moslm.evals.running.asking import ask_all, work_of
from moslm.evals.running.configured import Configured
from moslm.evals.running.direct import Asked, Direct, judge_of, large_model
from moslm.evals.running.folder import Read, opened
from moslm.evals.running.grading import Grading
from moslm.evals.running.manifest import Manifest, made_from
from moslm.evals.running.recorded import Recorded
from moslm.evals.running.small import single, ungated
from moslm.evals.running.systems import System
from moslm.evals.suites.sampling import sampled
from moslm.evals.suites.suite import Suite
from moslm.graph.agents import chat_model, model_name
from moslm.graph.leaving import door_for
from moslm.graph.parts import Parts, build_parts
from moslm.graph.spending import till_of
from moslm.mistakes import first_mistake
from moslm.models.paying import Till

ARMS = ("moslm", "large", "small", "ungated")
"""Systems that are made from one configuration."""
_KEEP_MINUTES = 7 * 24 * 60
"""Paid answers are kept at least so long, so that a run that goes on within a week pays nothing twice."""
_ENDPOINT_DEADLINE_MS = 60_000.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be run.

    Attributes:
        suites: What is asked.
        config: File of the configuration; None for the embedded default.
        systems: Those of `ARMS` that are asked.
        endpoint: Address of an OpenAI-compatible server that is asked too, and the model it is asked for.
        answers: Files of recorded answers; each is a system by the name of the file.
        judge: ``large_model``, or a TOML file of a model's settings; None where nothing is graded by a model.
        checked: Share of the answers with an exact grader that the judge grades too.
        sample: How many cases of each suite are asked; None for all. Cases that are only routed are all asked.
        seed: Of the sample.
        keeps_texts: Whether the words of answers are kept.
        concurrency: How many cases are asked side by side.
        command: How the run was called, for its manifest.
    """

    suites: Sequence[Suite]
    config: str | None = None
    systems: Sequence[str] = ("moslm",)
    endpoint: tuple[str, str] | None = None
    answers: Sequence[Path] = ()
    judge: str | None = None
    checked: float = 0.2
    sample: int | None = None
    seed: int = 0
    keeps_texts: bool = True
    concurrency: int = 1
    command: Sequence[str] = ()


def chosen(suites: Sequence[Suite], sample: int | None, seed: int) -> list[Suite]:
    """Return suites with the cases that are asked: a sample of those that are put to a model, all that are routed."""
    if sample is None:
        return list(suites)
    found = []
    for suite in suites:
        asked = {each.id for each in sampled([case for case in suite.cases if not case.only_routed], sample, seed)}
        found.append(suite.only([case for case in suite.cases if case.only_routed or case.id in asked]))
    return found


def evaluate(
    plan: Plan, out: Path, *, total: Callable[[int], object] = lambda n: None, step: Callable[[Outcome | None], object]
) -> Read:
    """Run a plan to its end, going on where an earlier run of it stopped.

    Args:
        plan: What is to be run.
        out: Folder of the run.
        total: Told how many outcomes there will be.
        step: Told of each.

    Raises:
        ConfigError: The plan cannot stand, or the folder holds another run.
        MoSLMError: Nothing more can be asked; what was answered is kept.
    """
    config = load(plan.config)
    suites = chosen(plan.suites, plan.sample, plan.seed)
    _check(plan, suites)
    parts = _parts(plan, config)
    manifest = _manifest(plan, config, suites, parts)
    with opened(out, manifest) as folder:
        run = folder.manifest.run
        systems = _systems(plan, parts, run)
        judge = judge_of(_judge(plan.judge, parts), run) if plan.judge and parts else None
        grading = Grading(judge, plan.checked if judge else 0.0, plan.keeps_texts)
        work = work_of(systems, suites)
        total(len(work))
        outcomes = ask_all(work, folder, grading, concurrency=plan.concurrency, step=step)
        folder.finish()
        return Read(folder.manifest, with_ratings(outcomes, read_ratings(out)), True, folder.notice)


def _check(plan: Plan, suites: Sequence[Suite]) -> None:
    for name in plan.systems:
        if name not in ARMS:
            raise ConfigError("no such system", key="--system", value=name, mend=f"one of: {', '.join(ARMS)}")
    judged = next((f"{s.name}/{c.id}" for s in suites for c in s.cases if c.grader == RUBRIC), None)
    if judged and plan.judge is None:
        raise ConfigError(f"is missing: {judged} is graded by a model", key="--judge", mend="write --judge large_model")
    names = [each.stem for each in plan.answers]
    for name in names:
        if names.count(name) > 1 or name in (*plan.systems, "endpoint"):
            raise ConfigError("is the name of two systems", key="--answers", value=name, mend="rename the file")
    if not plan.systems and not plan.answers and plan.endpoint is None:
        raise ConfigError("nobody is asked", key="--system", mend=f"name one of {', '.join(ARMS)}")


def _parts(plan: Plan, config: Config) -> Parts | None:
    """Build the parts of the graph; None where nothing but recorded answers is read."""
    if not plan.systems and plan.endpoint is None and plan.judge is None:
        return None
    minutes = max(config.budgets.keep_answers_minutes, _KEEP_MINUTES)
    budgets = config.budgets.model_copy(update={"keep_answers_minutes": minutes})
    return build_parts(config.model_copy(update={"budgets": budgets}))


def _systems(plan: Plan, parts: Parts | None, run: str) -> list[System]:
    made: list[System] = []
    if parts is not None:
        for name in plan.systems:
            made.extend(_ARMS[name](parts, run))
        if plan.endpoint is not None:
            url, model = plan.endpoint
            settings = VLLMModel(kind="vllm", name=model, base_url=[url])
            made.append(Direct("endpoint", _asked(settings, parts, "--endpoint"), run, "local"))
    made.extend(Recorded(file.stem, file) for file in plan.answers)
    return made


def _large(parts: Parts, run: str) -> list[System]:
    if parts.large_model is None:
        mend = "add a [large_model] section, or leave --system large out"
        raise ConfigError("is missing: there is no large model to compare with", key="large_model", mend=mend)
    return [Direct("large", large_model(parts.large_model, parts.doors), run, "escalated")]


_ARMS: dict[str, Callable[[Parts, str], Sequence[System]]] = {
    "moslm": lambda parts, run: [Configured(parts, run)],
    "large": _large,
    "small": single,
    "ungated": lambda parts, run: [ungated(parts, run)],
}


def _judge(named: str | None, parts: Parts) -> Asked:
    if named == "large_model":
        if parts.large_model is None:
            mend = "add a [large_model] section, or name a TOML file of a model"
            raise ConfigError("is missing", key="large_model", mend=mend)
        return large_model(parts.large_model, parts.doors)
    return _asked(_model_settings(Path(str(named))), parts, "--judge")


class _OneModel(BaseModel):
    model_config = ConfigDict(extra="forbid")

    model: ModelSettings


def _model_settings(file: Path) -> ModelSettings:
    try:
        values: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        mend = "write large_model, or a TOML file of a model's settings"
        raise ConfigError(f"cannot be read: {error.strerror}", key="--judge", value=str(file), mend=mend) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"not TOML: {error}", file=str(file)) from None
    try:
        return _OneModel.model_validate({"model": values.get("model", values)}).model
    except ValidationError as error:
        raise first_mistake(error, _OneModel, str(file), "") from None


def _asked(settings: ModelSettings, parts: Parts, key: str) -> Asked:
    """Return a chat model that is asked as it is; what nobody knows the price of has no till, and no known cost."""
    config = parts.config
    model = chat_model(settings, _ENDPOINT_DEADLINE_MS, config, None, key)
    name = settings.name if isinstance(settings, VLLMModel) else model_name(model)
    leaves, guarded = door_for(model, name)
    prices = PriceTable(config.prices, config.currencies)
    till: Till | None
    if isinstance(settings, VLLMModel):
        till = _till_of_endpoint(name, settings.max_tokens, prices, parts)
    else:
        till = till_of(parts.ledger, name, None, settings, prices)
    return Asked(guarded(model), name, "", _ENDPOINT_DEADLINE_MS / 1000, parts.doors, till, leaves)


def _till_of_endpoint(name: str, max_tokens: int, prices: PriceTable, parts: Parts) -> Till | None:
    """Return where an endpoint is paid. Whose hardware stands behind an address is not known: its name must tell."""
    try:
        prices.of(name)
    except ConfigError:
        return None
    return Till(name, parts.ledger, partial(prices.cost_usd, name), partial(prices.most_usd, name), max_tokens)


def _manifest(plan: Plan, config: Config, suites: Sequence[Suite], parts: Parts | None) -> Manifest:
    whole = {suite.name: len(suite.cases) for suite in plan.suites}
    told = {name: "from the configuration" for name in plan.systems}
    if plan.endpoint is not None:
        told["endpoint"] = " ".join(plan.endpoint)
    for file in plan.answers:
        told[file.stem] = _hash_of(file)
    return made_from(
        command=plan.command,
        config_sha256=config.sha256,
        suites=[(suite, whole[suite.name]) for suite in suites],
        data_sha256=hashlib.sha256(json.dumps([suite.sha256 for suite in suites]).encode()).hexdigest(),
        systems=told,
        models=_revisions(parts, config) if parts else {},
        judge=plan.judge,
        checked=plan.checked if plan.judge else 0.0,
        seed=plan.seed,
        sample=plan.sample,
    )


def _revisions(parts: Parts, config: Config) -> dict[str, str]:
    found = {agent.model_name: agent.revision() for agent in parts.agents.values()}
    if parts.large_model is not None:
        model = config.large_model.model if config.large_model else None
        found[parts.large_model.name] = str(getattr(model, "revision", ""))
    found["classifier"] = parts.reader.classifier.name
    return found


def _hash_of(file: Path) -> str:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=str(file)) from None
