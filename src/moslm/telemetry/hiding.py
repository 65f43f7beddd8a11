"""Traces without texts, in processes that are ours.

LangSmith's tracer sends what every step was given and gave, by its own protocol or as OpenTelemetry's spans. In a
program of somebody else that is theirs to decide; in our commands and in the Studio app nobody has, so nothing that a
request says goes along until somebody says it may.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from langsmith import Client

_HIDDEN = ("LANGSMITH_HIDE_INPUTS", "LANGSMITH_HIDE_OUTPUTS")
_SWITCHES = ("LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING_V2", "LANGSMITH_TRACING", "LANGCHAIN_TRACING")


def hide_texts_from_traces() -> None:
    """Have LangSmith hide inputs, outputs and what errors say, unless the environment says ``false``.

    To be called before LangSmith is used.
    """
    for name in _HIDDEN:
        os.environ.setdefault(name, "true")
    traced = any(os.environ.get(name, "").lower() in ("true", "1") for name in _SWITCHES)
    if traced and all(os.environ[name] != "false" for name in _HIDDEN):
        from langsmith.run_trees import get_cached_client

        get_cached_client(anonymizer=_kind_of_error)


def client_without_texts(**options: Any) -> Client:
    """Return a LangSmith client that sends no text of a request: inputs and outputs hidden, errors by their kind.

    LangSmith's own switches leave errors as they are, and those quote: a model's server, a tool's arguments, and what
    a person is asked, because LangGraph interrupts a run with an exception.

    Args:
        options: Of `langsmith.Client`.
    """
    from langsmith import Client

    return Client(**{**options, "hide_inputs": True, "hide_outputs": True, "anonymizer": _kind_of_error})


def _kind_of_error(values: dict[str, Any]) -> dict[str, Any]:
    """Leave the name of an exception's class; LangSmith hands metadata through here too, which says nothing."""
    if set(values) != {"error"}:
        return values
    name = re.match(r"[A-Za-z_][\w.]*", str(values["error"]))
    return {"error": name.group() if name else "error"}
