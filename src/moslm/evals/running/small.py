"""The small models without the gate: ``ungated``, each for its domain; ``small``, one of them for everything.

Both are what MoSLM is compared with: whatever the small model says is shown, however unsure it is.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from moslm.budgets.prices import PriceTable
from moslm.decision import Usage
from moslm.errors import BackendError
from moslm.evals.cases import Case
from moslm.evals.running.systems import Answered, key_of, request_of, turns_of
from moslm.graph.agents import Workshop, domain_agent, mcp_tools
from moslm.graph.parts import Parts
from moslm.models.calls import drive
from moslm.models.leaving import leaving
from moslm.models.paying import paying
from moslm.nodes.accounts import account_of
from moslm.nodes.domain_agent import DomainAgent
from moslm.nodes.doors import door_of
from moslm.nodes.drafting import drafted
from moslm.state import AnswerInput, Task
from moslm.statements.declining import declines

_PROMPT = """You are the assistant of the company.
Answer in one or two short sentences.
Use only the notes and tool results you are given.
If they do not say it, answer: "I do not know."
"""


class Small:
    """A system of small models, whatever their confidence.

    Args:
        name: Its name in outcomes.
        parts: The parts of the graph.
        run: Id of the run.
        agent_of: The agent for a domain.
        routed: Whether a request is read first, to find its domain.
    """

    routes = False

    def __init__(
        self, name: str, parts: Parts, run: str, agent_of: Callable[[str], DomainAgent], *, routed: bool
    ) -> None:
        self.name, self._parts, self._run = name, parts, run
        self._agent_of, self._is_routed = agent_of, routed

    def answer(self, suite: str, case: Case) -> Answered:
        """Have the small model answer."""
        request = request_of(case, key_of(self._run, self.name, suite, case.id))
        started = time.perf_counter()
        domain, classify_ms, first = next(iter(self._parts.agents)), None, None
        if self._is_routed:
            try:
                found = self._parts.reader.read(turns_of(case))
            except BackendError as failure:
                return Answered("failed", why=str(failure))
            first, classify_ms = found.domain, round((time.perf_counter() - started) * 1000, 3)
            # one that no small model serves goes to the next most probable: there is nobody above
            domain = max(self._parts.agents, key=lambda name: found.probabilities.get(name, 0.0))
        agent = replace(self._agent_of(domain), second_opinions=(), lookout=None)
        task = Task(part="0", domain=domain, text=request["text"])
        door = door_of(request, domain, self._parts.doors)
        asked = drafted(agent, AnswerInput(task=task, request=request, finish=True))
        draft = drive(paying(leaving(asked, door), account_of(request, domain, "answer")), {})
        usage = [Usage.model_validate(each) for each in draft.get("usage", [])]
        error, text = draft.get("error"), draft["text"].strip()
        common = Answered(
            "answered",
            text=text,
            way="local",
            routed_to=first,
            draft=text,
            usd=sum(each.cost_usd for each in usage),
            total_ms=round((time.perf_counter() - started) * 1000, 3),
            classify_ms=classify_ms,
            input_tokens=sum(each.input_tokens for each in usage),
            output_tokens=sum(each.output_tokens for each in usage),
        )
        if draft.get("pending"):
            return replace(common, ending="declined", way="handed_over", why="wants to write, and no person is asked")
        if error or not text:
            why = error["message"] if error else "an empty answer"
            return replace(common, ending="failed", way="none", why=why, text=None, draft=None)
        return replace(common, ending="declined" if declines(text) else "answered")


def ungated(parts: Parts, run: str) -> Small:
    """Return the mixture of small models without the gate."""
    return Small("ungated", parts, run, parts.agents.__getitem__, routed=True)


def single(parts: Parts, run: str) -> list[Small]:
    """Return each small model as the only one, with the handbooks and tools of all domains; ``small`` where it is one.

    Which of several is the best is seen when all have answered.
    """
    agents: dict[str, DomainAgent] = {}
    for name, domain in parts.domains.items():
        if name in parts.agents:
            told = json.dumps(domain.settings.model.model_dump(mode="json"), sort_keys=True)
            agents.setdefault(told, _for_everything(parts, name))
    names = _names([agent.model_name for agent in agents.values()])
    return [
        Small(name, parts, run, partial(_always, agent), routed=False)
        for name, agent in zip(names, agents.values(), strict=True)
    ]


def _always(agent: DomainAgent, domain: str) -> DomainAgent:
    return agent


def _names(models: list[str]) -> list[str]:
    if len(models) == 1:
        return ["small"]
    twice = {name for name in models if models.count(name) > 1}
    return [f"small:{name}{f'-{i}' if name in twice else ''}" for i, name in enumerate(models, 1)]


def _for_everything(parts: Parts, name: str) -> DomainAgent:
    """Return the agent of a domain's model that has what all domains have."""
    config, domain = parts.config, parts.domains[name]
    served = [parts.domains[each] for each in parts.agents]
    tools = tuple(dict.fromkeys(tool for each in served for tool in each.settings.tools))
    every = replace(
        domain,
        prompt=_PROMPT,
        knowledge=tuple(page for each in served for page in each.knowledge),
        settings=replace(domain.settings, tools=tools),
    )
    prices = PriceTable(config.prices, config.currencies)
    going_up = partial(prices.cost_usd, config.baseline_model)
    workshop = Workshop(
        config, None, prices, (), mcp_tools(config, None), parts.signals, going_up, parts.ledger, parts.permissions
    )
    return domain_agent(every, None, workshop)[0]
