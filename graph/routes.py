"""Which step comes next: pure functions of the state that read verdicts and never judge.

Every function returns names the builder has declared, so that the drawn graph shows every way a request can go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from langchain_core.runnables import Runnable, RunnableConfig
from langgraph.types import Send

from moslm.state import AnswerInput, MoSLMState, Task


class Route(Runnable[MoSLMState, Any]):
    """One of these functions as LangGraph runs it: at once, without a span and a task of its own for reading a verdict.

    Args:
        way: Returns what comes next.
    """

    def __init__(self, way: Callable[[MoSLMState], Any]) -> None:
        self.name, self._way = way.__name__, way

    def invoke(self, input: MoSLMState, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Return what comes next."""
        return self._way(input)

    async def ainvoke(self, input: MoSLMState, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Return what comes next."""
        return self._way(input)


def after_screen(state: MoSLMState) -> Literal["recall", "respond"]:
    """Turn away what was refused."""
    return "respond" if state.get("reply") else "recall"


def after_recall(state: MoSLMState) -> Literal["classify", "respond"]:
    """Answer from memory where there is one."""
    return "respond" if state.get("reply") else "classify"


def after_check_request(state: MoSLMState) -> str | list[Send]:
    """Carry out the verdict on the request: one domain, several, the large model, or a person."""
    action = state["checks"][-1]["action"]
    if action in ("answer", "fan_out"):
        return [_to_answer(state, task) for task in tasks(state, action)]
    return str(action)


def after_check_draft(state: MoSLMState) -> str:
    """Carry out the verdict on the drafts."""
    if state.get("reply"):
        return "respond"
    action = str(state["checks"][-1]["action"])
    return "respond" if action == "answer" else action


def after_review(state: MoSLMState) -> str | list[Send]:
    """Go on where the person was asked: with the draft, with the escalation, or to the end."""
    if state.get("reply"):
        return "respond"
    decided = [draft for _, draft in sorted(state.get("drafts", {}).items()) if draft.get("pending")]
    if decided:
        return [_to_answer(state, draft["task"]) for draft in decided]
    then = state["checks"][-1].get("then")
    if then in ("answer", "fan_out"):  # a person approved that the small models answer
        return [_to_answer(state, task) for task in tasks(state, then)]
    return "escalate"


def after_escalate(state: MoSLMState) -> str | list[Send]:
    """Give the answer; or, where a cap stood in the way, ask whoever is asked then."""
    if state.get("reply"):
        return "respond"
    if (state.get("budget") or {}).get("at_cap") == "ask":
        return "review"
    shared = any(check["action"] == "fan_out" for check in state["checks"])
    return [_to_answer(state, task) for task in tasks(state, "fan_out" if shared else "answer")]


def tasks(state: MoSLMState, action: str) -> list[Task]:
    """Divide the request: all of it to its domain, or to each domain the parts that are about it.

    A domain that no part is most about, though the request as a whole is, gets all of it.
    """
    found, text = state["classification"], state["request"]["text"]
    assert found is not None
    if action == "answer":
        return [Task(part="0", domain=found["domain"], text=text)]
    owners = _owners(found["spans"], found["domains"])
    shares = {
        domain: " ".join(text[span["start"] : span["end"]].strip() for span, owner in owners if owner == domain)
        for domain in found["domains"]
    }
    return [Task(part=str(i), domain=domain, text=share or text) for i, (domain, share) in enumerate(shares.items())]


def _owners(spans: Sequence[dict[str, Any]], domains: Sequence[str]) -> list[tuple[dict[str, Any], str]]:
    """Give every span to one of the domains: an unsure one stays with the part before it."""
    owner, owners = domains[0], []
    for span in spans:
        owner = span["domain"] if span["domain"] in domains else owner
        owners.append((span, owner))
    return owners


def _to_answer(state: MoSLMState, task: Task) -> Send:
    draft = state.get("drafts", {}).get(task["part"])
    own = AnswerInput(task=task, request=state["request"], classification=state.get("classification"), draft=draft)
    if (state.get("budget") or {}).get("at_cap") == "answer_locally":
        own["finish"] = True
    return Send("answer", own)
