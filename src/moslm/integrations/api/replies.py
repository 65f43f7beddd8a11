"""An answer of the graph as OpenAI's protocol writes it: one body, or the events of a stream. Knows no HTTP."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from moslm.integrations.api.wire import ChatRequest, written_calls
from moslm.integrations.asking import Answer
from moslm.integrations.chat_model import cut, words


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer, about to be written."""

    answer: Answer
    asked: ChatRequest

    @property
    def text(self) -> str:
        """The accepted words, up to a stop word."""
        return cut(self.answer.message.text, self.asked.stops)

    def body(self) -> dict[str, Any]:
        """Return the body of an answer that is not streamed."""
        calls = written_calls(self.answer.message)
        message: dict[str, Any] = {"role": "assistant", "content": None if calls else self.text, "refusal": None}
        if calls:
            message["tool_calls"] = calls
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self._ending}
        return {**self._head("chat.completion"), "choices": [choice], "usage": self._usage, **self._decision}

    def events(self) -> Iterator[str]:
        """Yield the events of a streamed answer, as server-sent events."""
        head = self._head("chat.completion.chunk")
        for delta in self._deltas():
            yield _event({**head, "choices": [_choice(delta, None)]})
        yield _event({**head, "choices": [_choice({}, self._ending)], **self._decision})
        if self.asked.stream_options and self.asked.stream_options.include_usage:
            yield _event({**head, "choices": [], "usage": self._usage})
        yield "data: [DONE]\n\n"

    def _deltas(self) -> Iterator[dict[str, Any]]:
        calls = written_calls(self.answer.message)
        yield {"role": "assistant", "content": None if calls else ""}
        if calls:
            yield {"tool_calls": [{"index": i, **call} for i, call in enumerate(calls)]}
            return
        for word in words(self.text):
            yield {"content": word}

    @property
    def _ending(self) -> str:
        return "tool_calls" if self.answer.message.tool_calls else "stop"

    @property
    def _usage(self) -> dict[str, int]:
        usage = self.answer.usage
        return {
            "prompt_tokens": usage["input_tokens"],
            "completion_tokens": usage["output_tokens"],
            "total_tokens": usage["total_tokens"],
        }

    @property
    def _decision(self) -> dict[str, Any]:
        return {"moslm": self.answer.decision.plain()} if self.asked.moslm.decision else {}

    def _head(self, kind: str) -> dict[str, Any]:
        id = f"chatcmpl-{self.answer.decision.id}"
        return {"id": id, "object": kind, "created": int(time.time()), "model": self.asked.model}


def _choice(delta: dict[str, Any], ending: str | None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": ending}


def _event(value: dict[str, Any]) -> str:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n"
