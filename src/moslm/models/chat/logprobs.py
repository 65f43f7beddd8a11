"""What an answer says about itself: its token log-probabilities and its token counts, whichever model gave it.

Reads the metadata of LangChain messages in the form OpenAI's API has them, which vLLM, llama.cpp and the shipped models
share. Absent or malformed numbers are None, never a guess: unknown confidence counts as low. Knows no threshold.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from langchain_core.messages import AIMessage, BaseMessage

FLOOR = -9999.0
"""Log-probability that stands for zero, as vLLM sends it: JSON has no minus infinity."""

PRODUCED = "tokens_produced"
"""Key in a message's metadata: the tokens of an answer that was ended before its server could count them."""

_CHARACTERS_PER_TOKEN = 4
_SPECIAL = re.compile(r"<\|[^|>]*\|>|</?s>|<eos>|<bos>|<pad>|<(?:start|end)_of_turn>")
_END_OF_REASONING = "</think>"


class TokenCount(NamedTuple):
    """Tokens of one call."""

    input: int
    output: int
    known: bool
    """False when the server reported none; the counts are then estimates, a token for every four characters."""
    cached: int = 0
    """How many of the input tokens came from the provider's cache."""
    reasoning: int = 0
    """How many of the output tokens were reasoning."""


def token_logprobs(message: BaseMessage) -> list[list[float]] | None:
    """Read the log-probabilities of an answer's tokens.

    Args:
        message: An answer, whole or merged from chunks.

    Returns:
        Per answer token ``[own, *alternatives]`` in nats: the log-probability of the token itself, then those of the
        other most probable tokens, descending. Empty and special tokens (end of turn) and reasoning are left out. None
        when the server sent none, or sent anything malformed: no number, NaN, or a probability above 1.
    """
    logprobs = message.response_metadata.get("logprobs")
    return rows_of(logprobs.get("content") if isinstance(logprobs, Mapping) else None)


def rows_of(content: object) -> list[list[float]] | None:
    """Read the log-probabilities of tokens as a server lists them; see `token_logprobs`."""
    if not isinstance(content, Sequence) or isinstance(content, str):
        return None
    if not all(isinstance(entry, Mapping) and isinstance(entry.get("token"), str) for entry in content):
        return None
    rows = [_row(entry) for entry in _answer(content)]
    whole = [row for row in rows if row is not None]
    return whole if whole and len(whole) == len(rows) else None


def usage_of(message: BaseMessage, prompt: Sequence[BaseMessage] = ()) -> TokenCount:
    """Read the token counts of one call, or estimate them from the text.

    Args:
        message: The answer.
        prompt: What was asked, for the estimate of its tokens.
    """
    usage = message.usage_metadata if isinstance(message, AIMessage) else None
    if usage is None and (produced := message.response_metadata.get(PRODUCED)) is not None:
        return TokenCount(sum(_estimate(each) for each in prompt), int(produced), known=False)
    if usage is not None and usage["input_tokens"] >= 0 and usage["output_tokens"] >= 0:
        cached = usage.get("input_token_details", {}).get("cache_read") or 0
        reasoning = usage.get("output_token_details", {}).get("reasoning") or 0
        return TokenCount(usage["input_tokens"], usage["output_tokens"], True, cached, reasoning)
    return TokenCount(sum(_estimate(each) for each in prompt), _estimate(message), known=False)


def _answer(content: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Keep the tokens a reader of the answer sees: servers with a reasoning parser send those of the reasoning too."""
    ends = [index for index, entry in enumerate(content) if entry["token"].strip() == _END_OF_REASONING]
    start = ends[-1] + 1 if ends else 0
    return [entry for entry in content[start:] if _is_text(entry)]


def _is_text(entry: Mapping[str, Any]) -> bool:
    # A token with bytes but no text is a piece of a character, and part of the answer.
    return bool(entry["token"] or entry.get("bytes")) and not _SPECIAL.fullmatch(entry["token"])


def _row(entry: Mapping[str, Any]) -> list[float] | None:
    own = _number(entry.get("logprob"))
    others = entry.get("top_logprobs") or []
    if own is None or not isinstance(others, Sequence) or not all(isinstance(other, Mapping) for other in others):
        return None
    alternatives = [_number(other.get("logprob")) for other in _without_own(entry, others)]
    numbers = [number for number in alternatives if number is not None]
    return [own, *sorted(numbers, reverse=True)] if len(numbers) == len(alternatives) else None


def _without_own(entry: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    for index, other in enumerate(others):
        if all(other.get(key) == entry.get(key) for key in ("token", "bytes", "id")):
            return [*others[:index], *others[index + 1 :]]
    return list(others)


def _number(value: object) -> float | None:
    """Return a log-probability between `FLOOR` and 0, or None; a hair above 0 is rounding."""
    if type(value) is not float and (isinstance(value, bool) or not isinstance(value, int | float)):
        return None
    if math.isnan(value) or value > 1e-3:
        return None
    return min(0.0, max(FLOOR, float(value)))


def _estimate(message: BaseMessage) -> int:
    characters = len(message.text) + len(str(message.additional_kwargs.get("reasoning_content") or ""))
    if isinstance(message, AIMessage):
        characters += sum(len(str(call["args"])) + len(call["name"]) for call in message.tool_calls)
    return math.ceil(characters / _CHARACTERS_PER_TOKEN)
