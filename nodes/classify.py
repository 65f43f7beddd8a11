"""Measures what the request is about, how familiar it is, and whether it asks for the large model."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from typing import Any

from moslm.errors import BackendError
from moslm.escalation.reading import Reader
from moslm.models.calls import Aside
from moslm.nodes.node import Node, Run, Update
from moslm.state import MoSLMState, Turn
from moslm.telemetry import events


def classify(reader: Reader) -> Node:
    """Return the step that reads the conversation with this reader."""

    def step(state: MoSLMState, run: Run) -> Generator[Aside, Any, Update]:
        turns = [Turn(role, text) for role, text in state["request"]["turns"]]  # type: ignore[arg-type]
        try:
            found = yield Aside(partial(reader.read, turns))
        except BackendError as error:  # a classifier that is itself a served model may be down
            return {"classification": None, "unread": str(error)}
        run.emit(events.classified(state["request"]["id"], found))
        return {"classification": found.model_dump(mode="json")}

    return Node("classify", step)
