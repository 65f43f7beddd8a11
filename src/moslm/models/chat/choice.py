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

    An answer that is an option written in several tokens (``ye``, ``s``) is read at the first of them: a token counts
    for the one option that it begins.

    Returns:
        Probabilities that sum to 1; None when no log-probabilities came, they are no numbers, or no option is listed.
    """
    logprobs = answer.response_metadata.get("logprobs")
    content = logprobs.get("content") if isinstance(logprobs, Mapping) else None
    if not isinstance(content, Sequence) or isinstance(content, str):
        return None
    tokens = [each for each in content if isinstance(each, Mapping) and isinstance(each.get("token"), str)]
    for token in tokens:
        if any(_spells(token["token"], option) for option in options):
            return _shares(token, options, lambda text: [each for each in options if _spells(text, each)])
    if tokens and any(_spells(answer.text, option) for option in options):
        return _shares(tokens[0], options, lambda text: _begun_by(text, options))
    return None


def _shares(
    token: Mapping[str, Any], options: Sequence[str], stands_for: Callable[[str], list[str]]
) -> dict[str, float] | None:
    """Share the mass of a place out to the options; a chosen token may be listed twice and counts once."""
    others = token.get("top_logprobs")
    masses: dict[str, dict[str, float]] = {option: {} for option in options}
    for entry in (token, *(others if isinstance(others, Sequence) else ())):
        text, value = (entry.get("token"), entry.get("logprob")) if isinstance(entry, Mapping) else (None, None)
        if isinstance(text, str) and isinstance(value, int | float) and math.isfinite(value):
            for option in stands_for(text):
                masses[option][text] = math.exp(min(value, 0.0))
    sums = {option: sum(of_token.values()) for option, of_token in masses.items()}
    total = sum(sums.values())
    return {option: mass / total for option, mass in sums.items()} if total > 0 else None


def _spells(token: str, option: str) -> bool:
    return token.strip(_STRIPPED).lower() == option.lower()


def _begun_by(token: str, options: Sequence[str]) -> list[str]:
    """Return the option that a token begins; nothing where it could become several."""
    text = token.strip(_STRIPPED).lower()
    begun = [option for option in options if text and option.lower().startswith(text)]
    return begun if len(begun) == 1 else []


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
