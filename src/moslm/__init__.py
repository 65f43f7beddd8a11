"""MoSLM: cost-safe agents on small language models, as a LangGraph plugin.

The whole public API is here. Names are loaded when first used, so that ``import moslm`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from moslm.strictness import ask_for_strict_checkpoints

if TYPE_CHECKING:
    from moslm.config import Config, load
    from moslm.context import MoSLMContext
    from moslm.decision import Decision, Reason, Signal
    from moslm.errors import BackendError, ConfigError, MoSLMError
    from moslm.escalation.triggers import Evidence
    from moslm.graph.builder import create_moslm
    from moslm.integrations.chat_model import ChatMoSLM
    from moslm.integrations.middleware import MoSLMMiddleware
    from moslm.models.chat.scripted import ScriptedChatModel
    from moslm.models.classifiers import Classifier, Ranking
    from moslm.state import MoSLMState
    from moslm.turn import Turn

__version__ = "0.1.0"

ask_for_strict_checkpoints()

_WHERE = {
    "BackendError": "moslm.errors",
    "ChatMoSLM": "moslm.integrations.chat_model",
    "Classifier": "moslm.models.classifiers",
    "Config": "moslm.config",
    "ConfigError": "moslm.errors",
    "Decision": "moslm.decision",
    "Evidence": "moslm.escalation.triggers",
    "MoSLMContext": "moslm.context",
    "MoSLMError": "moslm.errors",
    "MoSLMMiddleware": "moslm.integrations.middleware",
    "MoSLMState": "moslm.state",
    "Ranking": "moslm.models.classifiers",
    "Reason": "moslm.decision",
    "ScriptedChatModel": "moslm.models.chat.scripted",
    "Signal": "moslm.decision",
    "Turn": "moslm.turn",
    "create_moslm": "moslm.graph.builder",
    "load": "moslm.config",
}

__all__ = [
    "BackendError",
    "ChatMoSLM",
    "Classifier",
    "Config",
    "ConfigError",
    "Decision",
    "Evidence",
    "MoSLMContext",
    "MoSLMError",
    "MoSLMMiddleware",
    "MoSLMState",
    "Ranking",
    "Reason",
    "ScriptedChatModel",
    "Signal",
    "Turn",
    "create_moslm",
    "load",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'moslm' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
