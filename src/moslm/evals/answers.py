"""What the configured small models answer to labelled questions, with every signal, kept as it comes.

Each answer is made by the very step that answers users, all second opinions included, and appended to a file before
the next is asked: a run that was stopped goes on where it was. Judges nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from moslm.errors import BackendError, ConfigError
from moslm.escalation.calibration.tracks import is_look
from moslm.escalation.signals import SignalFunction
from moslm.escalation.stopping import Lookout, running_values
from moslm.evals.questions import Question, is_right
from moslm.graph.parts import Parts
from moslm.models.calls import drive
from moslm.nodes.drafting import drafted
from moslm.state import AnswerInput, Draft, Request, Task, Turn
from moslm.statements.declining import declines

_NOT_THE_ANSWER = {"threads", "parallel", "base_url", "balanced", "api_key_env", "delay_ms"}
"""Settings of a model that change its speed or its place, and not what it says."""


Looks = list[dict[str, float | None]]
"""The signals of one message at each look, in order (`moslm.escalation.calibration.tracks`)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One question and what a model made of it."""

    question: Question
    draft: Draft
    looks: Sequence[Looks] = ()
    """What was measured while it was written, by message; nothing where its model cannot be watched."""

    @property
    def outcome(self) -> str:
        """``right`` or ``wrong``; ``declined`` for an honest "I do not know"; ``failed`` where there is no answer."""
        if self.draft.get("error") or self.draft.get("pending") or not self.draft["text"].strip():
            return "failed"
        if declines(self.draft["text"]):
            return "declined"
        return "right" if is_right(self.question, self.draft["text"]) else "wrong"


def ask_all(
    parts: Parts,
    questions: Sequence[Question],
    kept: Path,
    *,
    concurrency: int = 1,
    step: Callable[[], object] = lambda: None,
) -> list[Answer]:
    """Put every question to its domain's model; those that were answered before are read from the file.

    Args:
        parts: The parts of the graph whose models are asked.
        questions: Questions of domains that are served.
        kept: JSON lines of the answers so far; it need not exist.
        concurrency: How many questions are asked side by side.
        step: Called after each answer.

    Returns:
        The answers, in the order of the questions.

    Raises:
        ConfigError: A question is of a domain that has no small model here, or the file cannot be read or written.
    """
    _check_served(parts, questions)
    before = _read(kept)
    keys = [_key(parts, question) for question in questions]
    missing = [(key, q) for key, q in zip(keys, questions, strict=True) if key not in before]
    for _ in range(len(questions) - len(missing)):
        step()
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        with kept.open("a", encoding="utf-8") as file, ThreadPoolExecutor(concurrency) as pool:
            for key, (draft, looks) in pool.map(lambda each: (each[0], draft_of(parts, each[1])), missing):
                file.write(json.dumps({"key": key, "draft": draft, "looks": looks}, ensure_ascii=False) + "\n")
                file.flush()
                before[key] = draft, looks
                step()
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}", file=str(kept)) from None
    return [Answer(question, *before[key]) for key, question in zip(keys, questions, strict=True)]


def draft_of(parts: Parts, question: Question, *, stopping: bool = False) -> tuple[Draft, list[Looks]]:
    """Have one question drafted, with every second opinion; return the draft and what was measured on the way.

    Args:
        parts: The parts of the graph whose models are asked.
        question: The question.
        stopping: Whether the draft may be stopped early, as a user's; then nothing is measured on the way.
    """
    agent, looks = parts.agents[question.domain], list[Looks]()
    if not stopping:
        agent = replace(agent, lookout=partial(_only_looks, looks, parts.signals) if agent.lookout else None)
    agent = replace(agent, worth=lambda *_: True)
    try:
        found = parts.reader.read([Turn("user", question.question)]).model_dump(mode="json")
    except BackendError:
        found = None
    request = Request(
        id="calibrate",
        opened_at="",
        started=0.0,
        tenant="calibrate",
        user=None,
        role="user",
        thread_id=None,
        text=question.question,
        turns=[("user", question.question)],
        threshold=None,
        multi_domain="escalate",
        may_escalate=False,
    )
    task = Task(part="0", domain=question.domain, text=question.question)
    return drive(drafted(agent, AnswerInput(task=task, request=request, classification=found)), {}), looks


def _only_looks(
    found: list[Looks],
    signals: Mapping[str, SignalFunction],
    threshold: float,
    at_most: int | None,
    *,
    may_call: bool,
    finish: bool,
) -> Lookout:
    """Return a lookout that stops nothing: every labelled draft is finished, and what was measured is kept."""
    message, tokens = Looks(), 0
    found.append(message)

    def look(text: str, now: int, so_far: Callable[[], Draft]) -> None:
        nonlocal tokens
        before, tokens = tokens, now
        if is_look(before, now):
            message.append(running_values(so_far(), signals))

    return look


def _check_served(parts: Parts, questions: Sequence[Question]) -> None:
    for question in questions:
        if question.domain not in parts.agents:
            mend = f"one of: {', '.join(parts.agents)}"
            raise ConfigError("no small model serves it", key="domain", value=question.domain, mend=mend)


def _key(parts: Parts, question: Question) -> str:
    """Return what must be equal for an answer to be the same: the question, the model, its words and its handbook."""
    agent, domain = parts.agents[question.domain], parts.domains[question.domain]
    asked = [opinion.signal + opinion.model for opinion in agent.second_opinions]
    settings = domain.settings.model.model_dump(mode="json", exclude=_NOT_THE_ANSWER)
    pages = [page.text for page in domain.knowledge]
    about: Mapping[str, Any] = {
        "question": question.question,
        "domain": question.domain,
        "model": [agent.model_name, settings],
        "prompt": agent.prompt,
        "passages": [domain.settings.passages, pages],
        "asked": asked,
    }
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:24]


def _read(kept: Path) -> dict[str, tuple[Draft, list[Looks]]]:
    if not kept.exists():
        return {}
    found = {}
    try:
        for line in kept.read_text(encoding="utf-8").splitlines():
            try:
                row = json.loads(line)
                found[str(row["key"])] = row["draft"], row.get("looks", [])
            except (ValueError, KeyError, TypeError):
                continue  # the last line of a run that was cut off: that question is asked again
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=str(kept)) from None
    return found
