"""One word out of a few, and how probable each was: the question that small models answer most reliably.

The answer is constrained where the server can do so (vLLM by ``structured_outputs``, the embedded engine by a grammar);
others are asked in words alone. Log-probabilities under a constraint may be those before it, so they are scaled to the
options. Knows nothing of what is asked.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable

_STRIPPED = " \t\n\u0120\u2581.\"'"
"""What tokenisers put before a word (space, its stand-ins) and models around one."""


def choosing(model: BaseChatModel, options: Sequence[str]) -> Runnable[Any, Any]:
    """Return the model bound to answer with one of the options, log-probabilities asked for where it gives any.

    Args:
        model: Any chat model.
        options: The words, a token each if it can be.
    """
    constraint = _CONSTRAINTS.get(model._llm_type)
    return model.bind(**constraint(model, options)) if constraint else model


def choice_probabilities(answer: BaseMessage, options: Sequence[str]) -> dict[str, float] | None:
    """Read how probable each option was at the first token that is one of them.

    Returns:
        Probabilities that sum to 1; None when no log-probabilities came, they are no numbers, or no option is listed.
    """
    logprobs = answer.response_metadata.get("logprobs")
    content = logprobs.get("content") if isinstance(logprobs, Mapping) else None
    for token in content if isinstance(content, Sequence) and not isinstance(content, str) else ():
        if isinstance(token, Mapping) and any(_spells(token.get("token"), option) for option in options):
            others = token.get("top_logprobs")
            listed = [token, *(others if isinstance(others, Sequence) else ())]
            masses = {option: _mass(option, listed) for option in options}
            total = sum(masses.values())
            return {option: mass / total for option, mass in masses.items()} if total > 0 else None
    return None


def _mass(option: str, listed: Sequence[Any]) -> float:
    """Return the mass of the tokens that spell an option; the chosen one may be listed twice and counts once."""
    spelled: dict[str, float] = {}
    for entry in listed:
        token, value = (entry.get("token"), entry.get("logprob")) if isinstance(entry, Mapping) else (None, None)
        if _spells(token, option) and isinstance(value, int | float) and math.isfinite(value):
            spelled[str(token)] = math.exp(min(value, 0.0))
    return sum(spelled.values())


def _spells(token: object, option: str) -> bool:
    return isinstance(token, str) and token.strip(_STRIPPED).lower() == option.lower()


def _vllm(model: BaseChatModel, options: Sequence[str]) -> dict[str, Any]:
    own = getattr(model, "extra_body", None) or {}
    body = {**own, "structured_outputs": {"choice": list(options)}}
    return {"extra_body": body, "logprobs": True, "top_logprobs": 20, "max_tokens": 4, "temperature": 0.0}


def _embedded(model: BaseChatModel, options: Sequence[str]) -> dict[str, Any]:
    written = " | ".join(f'"{option}"' for option in options)
    return {"grammar": f"root ::= {written}", "top_logprobs": 40, "max_tokens": 2, "temperature": 0.0}


_CONSTRAINTS: dict[str, Callable[[BaseChatModel, Sequence[str]], dict[str, Any]]] = {
    "moslm-vllm": _vllm,
    "moslm-embedded": _embedded,
}
"""How each kind of model is told the options."""
