"""Strict checkpoints: a row of a checkpoint may never make Python import or call what the row names.

LangGraph's default serializer does that unless ``LANGGRAPH_STRICT_MSGPACK`` is true when LangGraph is first imported.
MoSLM sets the variable when it is imported, and sees to it once more before a graph is built, because LangGraph may
have come first.
"""

from __future__ import annotations

import os
import sys

from moslm.errors import ConfigError

VARIABLE = "LANGGRAPH_STRICT_MSGPACK"
_TRUE = ("1", "true", "yes")
_FLAG = "STRICT_MSGPACK_ENABLED"
_READERS = ("langgraph.checkpoint.serde._msgpack", "langgraph._internal._serde")


def ask_for_strict_checkpoints() -> None:
    """Set the variable where nobody has; a process that imports LangGraph from now on is strict."""
    os.environ.setdefault(VARIABLE, "true")


def insist_on_strict_checkpoints() -> None:
    """Make this process strict, also where LangGraph was imported first, and prove that it is.

    Raises:
        ConfigError: Somebody has switched strictness off, or this LangGraph cannot be made strict any more.
    """
    said = os.environ.setdefault(VARIABLE, "true")
    if said.lower() not in _TRUE:
        raise ConfigError(
            "rows of a checkpoint could run code", file="environment", key=VARIABLE, value=said, mend="set it to true"
        )
    from langgraph.checkpoint.base import BaseCheckpointSaver
    from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

    if not _is_strict(JsonPlusSerializer()):
        # the variable was read once, before MoSLM could set it: the flag it left behind has no public face
        for name in _READERS:
            if hasattr(sys.modules.get(name), _FLAG):
                setattr(sys.modules[name], _FLAG, True)
    shared = BaseCheckpointSaver.serde
    if isinstance(shared, JsonPlusSerializer) and not _is_strict(shared):
        # one serializer is shared by every saver that was made without its own, also by those made before now
        vars(shared).update(vars(JsonPlusSerializer()))
    if not (_is_strict(JsonPlusSerializer()) and _is_strict(shared)):
        raise ConfigError(
            "was not set when LangGraph was imported, so rows of a checkpoint could run code",
            file="environment",
            key=VARIABLE,
            mend="set it to true, or import moslm first",
        )


def _is_strict(serializer: object) -> bool:
    # one that allows everything returns itself: it has nothing to add to
    widen = getattr(serializer, "with_msgpack_allowlist", None)
    return widen is not None and widen([("fractions", "Fraction")]) is not serializer
