"""One message of a conversation, as classifiers read it.

Apart from `moslm.state`, because that imports LangGraph, which takes a second: who only classifies need not wait.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of the conversation as text."""

    role: Literal["user", "assistant"]
    text: str
