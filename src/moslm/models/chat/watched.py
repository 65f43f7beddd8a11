"""`Watched`: a chat model whose answer is looked at while it is written, and ended where it is not worth finishing.

The answer is streamed and put together again, so that its caller gets one message as from ``invoke``. Knows neither
confidence nor threshold: it is asked after each piece whether to go on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import aclosing, closing
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, message_chunk_to_message
from langchain_core.messages.ai import add_ai_message_chunks
from langchain_core.runnables import Runnable, RunnableConfig

from moslm.models.chat.continuing import Diverged
from moslm.models.chat.logprobs import PRODUCED, rows_of
from moslm.models.halting import HALTED, Halt, watching

_MADE_ANEW = 3
"""How often an answer is made anew that broke off and turned out differently at another server."""


@dataclass(slots=True)
class Unfinished:
    """An answer as far as it is written."""

    text: str = ""
    tokens: int = 0
    """Tokens so far; pieces of text, where the server sends no log-probabilities."""
    calls: bool = False
    """Whether a tool call has begun."""
    _listed: list[Mapping[str, Any]] = field(default_factory=list)

    def logprobs(self) -> list[list[float]] | None:
        """Return the log-probabilities of its tokens, as `moslm.models.chat.logprobs.token_logprobs` does."""
        return rows_of(self._listed)

    def add(self, piece: AIMessageChunk) -> None:
        """Take in the next piece."""
        said = piece.text
        logprobs = piece.response_metadata.get("logprobs")
        listed = logprobs.get("content") if isinstance(logprobs, Mapping) else None
        self.text += said
        self.calls = self.calls or bool(piece.tool_call_chunks)
        if isinstance(listed, list):
            self._listed.extend(listed)
        self.tokens += len(listed) if isinstance(listed, list) else bool(said)


Unwanted = Callable[[Unfinished], bool]
"""Tells whether an answer is not worth finishing; asked after each piece of text."""


class Watched(Runnable[Any, AIMessage]):
    """A chat model that is asked to end an answer as soon as it is unwanted.

    Args:
        model: The model; one that cannot stream is asked as usual and never ended.
        unwanted: Tells when to end.
    """

    def __init__(self, model: Runnable[Any, Any], unwanted: Unwanted) -> None:
        self._model, self._unwanted = model, unwanted

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> AIMessage:
        """Answer; the message of an answer that was ended says ``halted`` as its ``finish_reason``."""
        for _ in range(_MADE_ANEW):
            try:
                return self._read(input, config, kwargs)
            except Diverged:
                continue
        return self._read(input, config, kwargs)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> AIMessage:
        """Answer, as `invoke` does, on the event loop."""
        for _ in range(_MADE_ANEW):
            try:
                return await self._aread(input, config, kwargs)
            except Diverged:
                continue
        return await self._aread(input, config, kwargs)

    def _read(self, input: Any, config: RunnableConfig | None, kwargs: dict[str, Any]) -> AIMessage:
        answer, pieces = Unfinished(), list[Any]()
        with watching() as halt, closing(self._model.stream(input, config, **kwargs)) as stream:  # type: ignore[type-var]
            for piece in stream:
                if not self._goes_on(piece, answer, pieces, halt):
                    break
        return _whole(pieces, answer, halt)

    async def _aread(self, input: Any, config: RunnableConfig | None, kwargs: dict[str, Any]) -> AIMessage:
        answer, pieces = Unfinished(), list[Any]()
        with watching() as halt:
            async with aclosing(self._model.astream(input, config, **kwargs)) as stream:  # type: ignore[type-var]
                async for piece in stream:
                    if not self._goes_on(piece, answer, pieces, halt):
                        break
        return _whole(pieces, answer, halt)

    def _goes_on(self, piece: Any, answer: Unfinished, pieces: list[Any], halt: Halt) -> bool:
        """Take in a piece; return False where the model was asked to end and goes on: it has to be cut off."""
        if halt.asked and piece.text:
            return False
        pieces.append(piece)
        if isinstance(piece, AIMessageChunk) and not halt.asked:
            answer.add(piece)
            halt.asked = bool(piece.text) and not answer.calls and self._unwanted(answer)
        return True


def _whole(pieces: list[Any], answer: Unfinished, halt: Halt) -> AIMessage:
    """Put an answer together; one that was ended counts the tokens it came to."""
    if len(pieces) == 1 and not isinstance(pieces[0], AIMessageChunk):
        return pieces[0]  # type: ignore[no-any-return]
    message = message_chunk_to_message(add_ai_message_chunks(pieces[0], *pieces[1:]))
    assert isinstance(message, AIMessage)
    if halt.asked:
        message.response_metadata["finish_reason"] = HALTED
        message.response_metadata[PRODUCED] = answer.tokens
    return message
