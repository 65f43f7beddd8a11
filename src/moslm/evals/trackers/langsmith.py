"""``langsmith``: suites as datasets, a run as one experiment for each system, and feedback from outcomes and Decisions.

`evaluate_system` asks a system anew, as LangSmith's ``evaluate`` does it; ``keep`` tells a run that was made.
"""

from __future__ import annotations

import contextlib
import io
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from langsmith import Client, tracing_context
from langsmith.evaluation import EvaluationResult, EvaluationResults
from langsmith.schemas import Example, Run

from moslm.decision import Decision
from moslm.errors import ConfigError
from moslm.evals.cases import Case
from moslm.evals.langsmith_client import langsmith_client, told_in_one_line
from moslm.evals.outcomes import Outcome
from moslm.evals.running.grading import Grading
from moslm.evals.running.systems import System
from moslm.evals.suites.suite import Suite
from moslm.evals.trackers.account import Account, without_texts
from moslm.telemetry.tracing import metadata

_IDS = uuid.UUID("6d6f736c-6d00-5000-8000-000000000000")
"""Namespace of the ids of examples: a case has the same one each time."""

Asked = Callable[[str, str], Outcome]
"""(suite, case) -> what came of it."""
Told = Callable[[Outcome], dict[str, Any]]
"""What of an outcome may be told."""


def keep(account: Account, at: str | None, project: str) -> str:
    """Keep an account as datasets and experiments.

    Args:
        account: What is kept. Without texts an example holds the id of its case, and nothing of what it asks.
        at: Must be None: ``LANGSMITH_ENDPOINT`` names the server.
        project: What the names of datasets and experiments begin with.

    Raises:
        ConfigError: An address was given, the environment holds no key, or LangSmith did not take it.
    """
    if at is not None:
        raise ConfigError("is not for LangSmith", key="--at", value=at, mend="set LANGSMITH_ENDPOINT")
    client = langsmith_client()
    named: list[str] = []
    with told_in_one_line():
        for suite in dict.fromkeys(each.suite for each in account.outcomes):
            theirs = [each for each in account.outcomes if each.suite == suite]
            cases = {case.id: case for case in account.suites[suite].cases} if suite in account.suites else {}
            dataset = f"{project} {suite} {account.manifest.suites[suite].sha256[:8]}{' with texts' if cases else ''}"
            add_dataset(client, dataset, suite, list(dict.fromkeys(each.case for each in theirs)), cases)
            for system in dict.fromkeys(each.system for each in theirs):
                kept = {each.case: each for each in theirs if each.system == system}
                about = {**account.params, "system": system}
                named.append(_experiment(client, dataset, f"{project} {system}", kept, account.told, about))
    return f"the experiments {', '.join(named)}"


def evaluate_system(
    client: Client, suite: Suite, system: System, grading: Grading, project: str = "moslm", *, with_texts: bool = False
) -> str:
    """Ask a system every case of a suite, as an experiment of LangSmith; return the experiment's name.

    Args:
        client: Of LangSmith.
        suite: What is asked.
        system: Who is asked, such as the graph (`moslm.evals.running.configured.Configured`).
        grading: How it is graded.
        project: What the names of dataset and experiment begin with.
        with_texts: Whether questions, answers and the traces of the system's own steps may go along.

    Raises:
        MoSLMError: Nothing more can be asked; what was answered is in the experiment.
    """
    cases = {case.id: case for case in suite.cases}
    dataset = f"{project} {suite.name} {suite.sha256[:8]}{' with texts' if with_texts else ''}"
    add_dataset(client, dataset, suite.name, list(cases), cases if with_texts else {})

    def asked(name: str, case: str) -> Outcome:
        # what the steps of a graph are given and give is in their traces
        hidden: Any = contextlib.nullcontext() if with_texts else tracing_context(enabled=False)
        with hidden:
            return grading.outcome(name, cases[case], system.name, system.answer(name, cases[case]))

    told: Told = (lambda each: each.model_dump(mode="json", exclude_none=True)) if with_texts else without_texts
    return _evaluated(client, dataset, f"{project} {system.name}", asked, told, {"system": system.name}, cases)


def add_dataset(client: Client, name: str, suite: str, ids: Sequence[str], cases: Mapping[str, Case]) -> None:
    """Make a suite a dataset, where there is none of the name.

    Args:
        client: Of LangSmith.
        name: Of the dataset.
        suite: Name of the suite.
        ids: Of the cases.
        cases: What they ask and expect, by id; those that are not in it are told by their ids alone.
    """
    if client.has_dataset(dataset_name=name):
        return
    made = client.create_dataset(name)
    examples = [_example(name, suite, id, cases.get(id)) for id in ids]
    client.create_examples(dataset_id=made.id, examples=examples)


def give_feedback(client: Client, decision: Decision, run: uuid.UUID | str, project: uuid.UUID | str) -> None:
    """Give a traced run its Decision as feedback, to filter and to chart by; no text goes along.

    Args:
        client: Of LangSmith.
        decision: The record of the request.
        run: Id of its root run.
        project: Id of the project that the run is in.
    """
    for each in feedback_of(decision):
        client.create_feedback(run, each.key, score=each.score, value=each.value, session_id=project)


def feedback_of(decision: Decision) -> list[EvaluationResult]:
    """Return what a Decision says, as feedback: numbers are scores, names are values."""
    return [_said(key, value) for key, value in metadata(decision).items() if key != "moslm_decision"]


def _experiment(
    client: Client, dataset: str, prefix: str, kept: Mapping[str, Outcome], told: Told, about: Mapping[str, str]
) -> str:
    return _evaluated(client, dataset, prefix, lambda _, case: kept[case], told, about, kept)


def _evaluated(
    client: Client,
    dataset: str,
    prefix: str,
    asked: Asked,
    told: Told,
    about: Mapping[str, str],
    cases: Collection[str],
) -> str:
    """Have LangSmith ask the cases of a dataset, and return the name of the experiment.

    Raises:
        MoSLMError: One could not be asked; those after it are not.
    """
    found: dict[str, Outcome] = {}
    broken: list[Exception] = []

    def answered(inputs: dict[str, Any]) -> dict[str, Any]:
        if broken:
            return {"ending": "failed"}
        try:
            found[inputs["case"]] = asked(inputs["suite"], inputs["case"])
        except Exception as error:
            # LangSmith would send the traceback, which may quote the request, and go on; it is raised below
            broken.append(error)
            return {"ending": "failed"}
        return told(found[inputs["case"]])

    def graded(run: Run, example: Example) -> EvaluationResults:
        outcome = found.get((example.inputs or {})["case"])
        return EvaluationResults(results=_feedback(outcome) if outcome else [_said("moslm_ending", "failed")])

    examples = [each for each in client.list_examples(dataset_name=dataset) if (each.inputs or {})["case"] in cases]
    with contextlib.redirect_stdout(io.StringIO()):  # it says where to look, on the stdout of whoever asked for JSON
        results = client.evaluate(
            answered,
            data=examples,
            evaluators=[graded],
            experiment_prefix=prefix,
            metadata=dict(about),
            max_concurrency=0,
        )
    if broken:
        raise broken[0]
    return str(results.experiment_name)


def _feedback(outcome: Outcome) -> list[EvaluationResult]:
    said = {
        "moslm_score": outcome.score,
        "moslm_ending": outcome.ending,
        "moslm_way": outcome.way,
        "moslm_usd": outcome.usd,
        "moslm_ms": outcome.total_ms,
    }
    found = [_said(key, value) for key, value in said.items() if value is not None]
    return found + (feedback_of(Decision.model_validate(outcome.decision)) if outcome.decision else [])


def _said(key: str, value: str | float | None) -> EvaluationResult:
    return EvaluationResult(key=key, value=value) if isinstance(value, str) else EvaluationResult(key=key, score=value)


def _example(dataset: str, suite: str, id: str, case: Case | None) -> dict[str, Any]:
    told: dict[str, Any] = {"id": uuid.uuid5(_IDS, f"{dataset}\n{id}"), "inputs": {"suite": suite, "case": id}}
    if case is None:
        return {**told, "reference_outputs": {}}
    turns = [{"role": role, "content": text} for role, text in case.conversation]
    return {**told, "inputs": {**told["inputs"], "messages": turns}, "reference_outputs": {"expected": case.expected}}
