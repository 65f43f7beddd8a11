"""One chat model asked as it is: the large model for everything, an endpoint, a judge. Paid through the ledger."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage
from langchain_core.runnables import Runnable

from moslm.errors import BackendError
from moslm.evals.cases import Case
from moslm.evals.graders.rubric import Judge, Said
from moslm.evals.outcomes import Way
from moslm.evals.running.systems import Answered, key_of, request_of
from moslm.models.calls import Call, Steps, drive
from moslm.models.chat.logprobs import TokenCount, usage_of
from moslm.models.leaving import Form, leaving
from moslm.models.paying import Till, billed, paying
from moslm.nodes.accounts import account_of
from moslm.nodes.doors import DoorOf, door_of
from moslm.nodes.escalate import LargeModel
from moslm.state import Request


@dataclass(frozen=True, slots=True)
class Asked:
    """One chat model, where it is paid and how its calls leave."""

    model: Runnable[Any, Any]
    name: str
    system_prompt: str
    deadline_s: float
    doors: DoorOf
    till: Till | None
    """None where nobody knows its price: then nothing is known of what it costs."""
    leaves: Form | None = None

    def ask(self, prompt: Sequence[AnyMessage], request: Request, step: str) -> tuple[str, TokenCount, float | None]:
        """Return what it says, the tokens that took and US dollars.

        Raises:
            BackendError: It did not answer, a cap does not allow it, or it must not leave.
        """
        door = door_of(request, None, self.doors)
        steps = paying(leaving(self._called(prompt), door), account_of(request, None, step))
        message: AIMessage = drive(steps, {})
        tokens = usage_of(message, prompt)
        return message.text.strip(), tokens, self.till.cost(tokens) if self.till else None

    def _called(self, prompt: Sequence[AnyMessage]) -> Steps[AIMessage]:
        deadline = time.monotonic() + self.deadline_s
        call = Call(self.model, list(prompt), self.name, deadline, billed(self.till, prompt), self.leaves)
        message: AIMessage = yield call
        return message


def large_model(large: LargeModel, doors: DoorOf) -> Asked:
    """Return the configured large model, asked without the graph around it."""
    return Asked(large.model, large.name, large.system_prompt, large.deadline_s, doors, large.till, large.leaves)


class Direct:
    """A system that is one chat model.

    Args:
        name: Its name in outcomes.
        asked: The model.
        run: Id of the run.
        way: Which way its answers count as.
    """

    routes = False

    def __init__(self, name: str, asked: Asked, run: str, way: Way) -> None:
        self.name, self._asked, self._run, self._way = name, asked, run, way

    def answer(self, suite: str, case: Case) -> Answered:
        """Ask the model."""
        key = key_of(self._run, self.name, suite, case.id)
        request = request_of(case, key)
        made = {"user": HumanMessage, "assistant": AIMessage}
        turns: list[AnyMessage] = [made[role](text) for role, text in request["turns"]]
        system = [SystemMessage(self._asked.system_prompt)] if self._asked.system_prompt else []
        started = time.perf_counter()
        try:
            text, tokens, usd = self._asked.ask([*system, *turns], request, "answer")
        except BackendError as error:
            refused = error.kind in ("capped", "kept_inside")
            ms = (time.perf_counter() - started) * 1000
            return Answered(
                "refused" if refused else "failed", why=str(error), total_ms=ms, usd=0.0 if refused else None
            )
        return Answered(
            "answered" if text else "failed",
            text=text,
            why="" if text else "an empty answer",
            way=self._way if text else "none",
            usd=usd,
            total_ms=round((time.perf_counter() - started) * 1000, 3),
            input_tokens=tokens.input,
            output_tokens=tokens.output,
        )


def judge_of(asked: Asked, run: str) -> Judge:
    """Return a model as a judge; a grade that was paid for is not paid again by a run that goes on."""

    def judge(system: str, prompt: str, purpose: str) -> Said:
        request = request_of(Case(id=purpose, question=prompt), key_of(run, "judge", purpose, prompt))
        try:
            text, _, usd = asked.ask([SystemMessage(system), HumanMessage(prompt)], request, "judge")
        except BackendError as error:
            return Said(f"no reply: {error}")
        return Said(text, usd or 0.0)

    return judge
