"""`create_moslm`: every step and every edge, on one screen. Knows the order; knows no model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.tools import BaseTool
from langgraph.graph import END, START, StateGraph
from langgraph.store.base import BaseStore

from moslm.config import Config
from moslm.context import MoSLMContext
from moslm.escalation.signals import SignalFunction
from moslm.escalation.triggers import Trigger
from moslm.escalation.watching import watch_drafts
from moslm.graph import routes
from moslm.graph.parts import Overrides, Parts, build_parts
from moslm.graph.routes import Route
from moslm.models.classifiers import Classifier
from moslm.nodes.answer import answer
from moslm.nodes.check import check_draft, check_request
from moslm.nodes.classify import classify
from moslm.nodes.escalate import escalate, worst_case_usd
from moslm.nodes.node import Node
from moslm.nodes.recall import recall
from moslm.nodes.respond import respond
from moslm.nodes.review import review
from moslm.nodes.screen import screen
from moslm.state import AnswerInput, MoSLMInput, MoSLMOutput, MoSLMState
from moslm.strictness import insist_on_strict_checkpoints

MoSLMGraph = StateGraph[MoSLMState, MoSLMContext, MoSLMInput, MoSLMOutput]


def create_moslm(
    config: str | Path | Config | None = None,
    *,
    models: Mapping[str, BaseChatModel] | None = None,
    large_model: BaseChatModel | None = None,
    classifier: Classifier | None = None,
    tools: Sequence[BaseTool] = (),
    signals: Mapping[str, SignalFunction] | None = None,
    triggers: Sequence[Trigger] = (),
    store: BaseStore | None = None,
) -> MoSLMGraph:
    """Build the MoSLM graph.

    Args:
        config: A ``moslm.toml``, settings made in code, or None for the embedded default.
        models: Chat models by domain; they take the place of the configured ones. Until a calibration of such a model
            is named, its confidence is unknown and its drafts go up, unless ``[defaults] confidence`` names a raw
            signal. `ScriptedChatModel` is taken at its script's word.
        large_model: The large model; takes the place of ``[large_model] model``. Its cap, throttle and deadlines come
            from that section, or from its defaults.
        classifier: Takes the place of the configured classifier.
        tools: Further tools, offered to every domain whose ``tools`` names them. A tool states its effect in
            ``metadata={"effect": "read"}``; one that states none counts as a write.
        signals: Further signals by name. They are measured and recorded; ``[defaults] confidence`` may name one of
            them, and ``moslm calibrate`` weighs them with the others.
        triggers: Further reasons to escalate, asked at both checks.
        store: Where answers are remembered when the graph runs without a store of its own.

    Returns:
        The uncompiled graph, as ``create_supervisor`` and ``create_swarm`` return it: compile it with your own
        checkpointer and store, or add it to a parent graph (``parent.add_node("moslm", graph.compile(name="moslm"))``).

    Raises:
        ConfigError: A setting cannot stand, or names what does not exist. One line: file, key, value, mend.
    """
    insist_on_strict_checkpoints()
    given = Overrides(models or {}, large_model, classifier, tools, signals or {}, triggers, store)
    return wired(build_parts(config, given))


def wired(parts: Parts) -> MoSLMGraph:
    """Return the graph of parts that are made already."""
    graph = StateGraph(MoSLMState, MoSLMContext, input_schema=MoSLMInput, output_schema=MoSLMOutput)

    def add(node: Node, **options: Any) -> None:
        graph.add_node(node.name or "", node, **options)

    price = partial(worst_case_usd, parts.large_model)
    add(screen(parts.config, parts.permissions), metadata={"room": "privacy"})
    add(recall(parts.memory), metadata={"room": "store"})
    add(classify(parts.reader), metadata={"room": "models"})
    add(check_request(parts.policy, parts.request_triggers, price), metadata={"room": "escalation"})
    add(answer(parts.agents, parts.doors), metadata={"room": "models"}, input_schema=AnswerInput)
    gauges = {name: each.gauge for name, each in parts.trusted.items()}
    required = {name: each.required for name, each in parts.trusted.items()}
    add(
        check_draft(parts.policy, parts.draft_triggers, parts.signals, gauges, required, parts.titles, price),
        metadata={"room": "escalation"},
    )
    add(escalate(parts.large_model, parts.doors), metadata={"room": "models"})
    add(review(parts.desk, price, parts.titles), metadata={"room": "person"})
    watches = {name: each.watch for name, each in parts.trusted.items() if each.watch is not None}
    watch = partial(watch_drafts, watches)
    add(respond(parts.audit, parts.memory, parts.terms, watch, parts.count), metadata={"room": "governance"})

    graph.add_edge(START, "screen")
    graph.add_conditional_edges("screen", Route(routes.after_screen), ["recall", "respond"])
    graph.add_conditional_edges("recall", Route(routes.after_recall), ["classify", "respond"])
    graph.add_edge("classify", "check_request")
    graph.add_conditional_edges("check_request", Route(routes.after_check_request), ["answer", "escalate", "review"])
    graph.add_edge("answer", "check_draft")  # the join: domains asked side by side answer in one superstep
    graph.add_conditional_edges("check_draft", Route(routes.after_check_draft), ["respond", "escalate", "review"])
    graph.add_conditional_edges("review", Route(routes.after_review), ["answer", "escalate", "respond"])
    graph.add_conditional_edges("escalate", Route(routes.after_escalate), ["respond", "answer", "review"])
    graph.add_edge("respond", END)
    return graph
