"""`Continuation`: an answer that broke off and is made again elsewhere, without anything being said twice.

What came before is kept; what comes again is held back as long as it is the same, and let through from where the first
answer broke off. Servers of one model that write the most probable token say the same; where they do not, the caller
has to begin anew, because what was handed out cannot be taken back. Knows no server.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk

from moslm.errors import BackendGarbled


class Diverged(BackendGarbled):
    """The answer made again is another one."""


class Continuation:
    """One streamed answer, over all its attempts.

    Args:
        name: Name of the model, for the error.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._said: dict[str, str] = {}
        self._again: dict[str, str] | None = None
        self.finished = False
        """Whether the server said that the answer is whole."""
        self.tokens: int | None = None
        """How long the answer is, where the server said so."""

    @property
    def begun(self) -> bool:
        """Whether anything was handed out."""
        return bool(self._said)

    def begin_again(self) -> None:
        """Take note that the answer is made anew from its beginning."""
        self._again = {} if self._said else None

    def let_through(self, chunk: ChatGenerationChunk) -> ChatGenerationChunk | None:
        """Return what of a chunk is to be handed out; None where all of it was before.

        Raises:
            Diverged: It is not what was said before.
        """
        pieces = _pieces(chunk.message)
        ended = bool((chunk.generation_info or {}).get("finish_reason"))
        passed = chunk if self._again is None else self._replayed(chunk, pieces, self._again, ended)
        if self._again is None and passed is chunk:
            _add(self._said, pieces)
        self.finished = self.finished or ended
        usage = chunk.message.usage_metadata if isinstance(chunk.message, AIMessageChunk) else None
        self.tokens = usage["output_tokens"] if usage else self.tokens
        return passed

    def _replayed(
        self, chunk: ChatGenerationChunk, pieces: Mapping[str, str], again: dict[str, str], ended: bool
    ) -> ChatGenerationChunk | None:
        had = dict(again)
        _add(again, pieces)
        both = {kind: (self._said.get(kind, ""), again.get(kind, "")) for kind in {*self._said, *again}}
        if not all(said.startswith(text) or text.startswith(said) for said, text in both.values()):
            raise self._diverged()
        behind = any(len(text) < len(said) for said, text in both.values())
        ahead = {kind: text[len(said) :] for kind, (said, text) in both.items() if len(text) > len(said)}
        if behind:
            if ahead or ended:
                raise self._diverged()
            return None
        self._again = None
        if all(had.get(kind, "") == self._said.get(kind, "") for kind in self._said):
            return chunk  # it begins just where the first answer broke off
        _add(self._said, ahead)
        return self._cut(chunk, pieces, ahead) if ahead or ended else None

    def _cut(
        self, chunk: ChatGenerationChunk, pieces: Mapping[str, str], ahead: Mapping[str, str]
    ) -> ChatGenerationChunk:
        """Return the part of a chunk that lies beyond what was said; text alone can be cut."""
        if set(pieces) != {"text"}:
            raise self._diverged()
        rest = ahead.get("text", "")
        info = dict(chunk.generation_info or {})
        logprobs = info.get("logprobs")
        if isinstance(logprobs, Mapping) and logprobs.get("content"):
            kept = _last_tokens(logprobs["content"], rest)
            if kept is None:
                raise self._diverged()
            info["logprobs"] = {**logprobs, "content": kept}
        message = chunk.message.model_copy(update={"content": rest})
        return ChatGenerationChunk(message=message, generation_info=info or None)

    def _diverged(self) -> Diverged:
        return Diverged(self._name, f"{self._name} broke off in the middle of its answer")


def _last_tokens(tokens: list[dict[str, Any]], rest: str) -> list[dict[str, Any]] | None:
    """Return the last tokens that make up the rest of a text; None where a token lies across its beginning."""
    for i in range(len(tokens) + 1):
        if "".join(str(each.get("token", "")) for each in tokens[i:]) == rest:
            return tokens[i:]
    return None


def _pieces(message: BaseMessage) -> dict[str, str]:
    """Return what a chunk says, by kind: text, reasoning, each tool call."""
    pieces = {"text": message.content if isinstance(message.content, str) else message.text}
    pieces["reasoning"] = str(message.additional_kwargs.get("reasoning_content") or "")
    if isinstance(message, AIMessageChunk):
        for each in message.tool_call_chunks:
            kind = f"call {each.get('index')}"
            pieces[kind] = pieces.get(kind, "") + (each.get("name") or "") + (each.get("args") or "")
    return {kind: text for kind, text in pieces.items() if text}


def _add(said: dict[str, str], pieces: Mapping[str, str]) -> None:
    for kind, text in pieces.items():
        said[kind] = said.get(kind, "") + text
