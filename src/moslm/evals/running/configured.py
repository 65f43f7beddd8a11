"""``moslm``: the configured graph in this process. No person is asked, and nothing is remembered."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from moslm.context import MoSLMContext
from moslm.decision import Decision
from moslm.errors import AuditError, ConfigError, LedgerError, MoSLMError, ReviewError, SealError
from moslm.evals.cases import Case
from moslm.evals.outcomes import Way
from moslm.evals.running.systems import TENANT, Answered, key_of, turns_of
from moslm.graph.builder import wired
from moslm.graph.parts import Parts

_STOPS = (AuditError, ConfigError, LedgerError, ReviewError, SealError)
"""What ends a run: whatever else is asked would meet it too."""
_WAYS: dict[str, Way] = {"answered": "local"}
_ABSENT = "an evaluation runs without people"


class Configured:
    """The graph as it is configured.

    Args:
        parts: Its parts.
        run: Id of the run.
    """

    name = "moslm"
    routes = True

    def __init__(self, parts: Parts, run: str) -> None:
        self._parts, self._run = parts, run
        self._saver = InMemorySaver()
        self._graph = wired(parts).compile(name="moslm", checkpointer=self._saver)

    def answer(self, suite: str, case: Case) -> Answered:
        """Route a case that is only routed; put any other to the graph."""
        if case.only_routed:
            return self._routed(case)
        key = key_of(self._run, self.name, suite, case.id)
        config: Any = {"configurable": {"thread_id": key}}
        asked: Any = {"messages": case.conversation}
        started = time.perf_counter()
        try:
            result = self._graph.invoke(asked, config, context=_context(key, "user"))
            while waiting := result.get("__interrupt__"):
                told = {each.id: _against(each.value) for each in waiting}
                result = self._graph.invoke(Command(resume=told), config, context=_context(key, "reviewer"))
            drafts = self._graph.get_state(config).values.get("drafts", {})
        except _STOPS:
            raise
        except MoSLMError as error:
            return Answered("failed", why=str(error), total_ms=(time.perf_counter() - started) * 1000)
        finally:
            self._saver.delete_thread(key)
        return _answered(result["messages"][-1].text, Decision.model_validate(result["decision"]), drafts)

    def _routed(self, case: Case) -> Answered:
        started = time.perf_counter()
        try:
            found, check = self._parts.judge(turns_of(case))
        except MoSLMError as error:
            return Answered("failed", why=str(error))
        ms = round((time.perf_counter() - started) * 1000, 3)
        fired = ", ".join(each.trigger for each in check.reasons)
        return Answered(
            "routed",
            why=f"{check.action}: {fired}" if fired else check.action,
            routed_to=found.domain,
            classify_ms=ms,
            tags={"ordered": check.action},
        )


def _context(key: str, role: Any) -> MoSLMContext:
    return MoSLMContext(tenant=TENANT, role=role, idempotency_key=key, remember=False)


def _against(question: dict[str, Any]) -> dict[str, Any]:
    reject = {"type": "reject", "message": _ABSENT}
    return {"decisions": [reject for _ in question["action_requests"]]}


def _answered(text: str, decision: Decision, drafts: dict[str, Any]) -> Answered:
    way: Way = _WAYS.get(decision.outcome, decision.outcome)  # type: ignore[arg-type]
    ending: Any = {"handed_over": "declined", "refused": "refused"}.get(decision.outcome, "answered")
    failure = _failure(decision)
    calls = decision.usage
    return Answered(
        "failed" if failure else ending,
        text=text,
        why=failure or decision.refusal or "",
        way=way,
        routed_to=decision.classification.domain if decision.classification else None,
        confidence=decision.confidence,
        threshold=decision.threshold,
        draft=_whole(list(drafts.values())),
        usd=decision.cost.spent_usd,
        total_ms=decision.total_ms,
        classify_ms=next((step.ms for step in decision.steps if step.name == "classify"), None),
        first_token_ms=decision.first_token_ms,
        input_tokens=sum(each.input_tokens for each in calls),
        output_tokens=sum(each.output_tokens for each in calls),
        decision=decision.plain(),
    )


def _failure(decision: Decision) -> str:
    """Return which model failed a request that was handed over for nothing else; empty where none did.

    Who is handed over because a model is down has not been declined: a suite of cases that cannot be answered would
    look best on a dead server.
    """
    if decision.outcome != "handed_over":
        return ""
    failed = [each.detail for each in decision.reasons if each.trigger == "backend_failed"]
    if failed:
        return failed[0]
    # the caps are written down when the large model is asked; where none stood in the way, it gave no answer
    asked = decision.budget is not None and decision.budget.at_cap is None
    return decision.refusal or "the large model gave no answer" if asked else ""


def _whole(drafts: Sequence[dict[str, Any]]) -> str | None:
    """Return the words of the one draft there is; None where it was stopped for another reason than declining."""
    if len(drafts) != 1:
        return None
    draft = drafts[0]
    stopped = draft.get("stopped")
    if draft.get("error") or draft.get("pending") or (stopped and stopped["rule"] != "declined"):
        return None
    return draft["text"] or None
