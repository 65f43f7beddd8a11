"""Chat completions as OpenAI and vLLM write them, turned into what the embedded engine takes, and back.

Pure: plain dicts in, plain dicts out. Knows no server and no engine.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterable
from typing import Any

_PASSED_ON = (
    *("temperature", "top_p", "top_k", "min_p", "seed", "stop", "logit_bias", "frequency_penalty", "presence_penalty"),
    *("logprobs", "top_logprobs", "tools", "tool_choice", "response_format", "grammar", "parallel_tool_calls"),
    *("chat_template_kwargs", "ignore_eos", "repetition_penalty"),
)
_TYPES: dict[str, tuple[type, ...]] = {
    "messages": (list,),
    "model": (str,),
    "stream": (bool,),
    "stream_options": (dict,),
    "structured_outputs": (dict,),
    "max_tokens": (int,),
    "max_completion_tokens": (int,),
    "logprobs": (bool,),
    "top_logprobs": (int,),
    "tools": (list,),
    "temperature": (int, float),
}
_MOST_TOKENS = 1024
"""Longest answer where the request does not say."""


class Refused(Exception):
    """A request that cannot be answered, in OpenAI's error shape.

    Args:
        status: The HTTP status.
        message: One sentence for whoever wrote the request.
        param: The field that is at fault.
        code: OpenAI's name of the fault, where it has one.
    """

    def __init__(self, status: int, message: str, param: str | None = None, code: str | None = None) -> None:
        self.status = status
        kind = "server_error" if status >= 500 else "invalid_request_error"
        self.body = {"error": {"message": message, "type": kind, "param": param, "code": code}}
        super().__init__(message)


def read(body: bytes, served: str) -> dict[str, Any]:
    """Read a request's body and check what every request must have.

    Args:
        body: The body as it came.
        served: The name of the one model that is served.

    Raises:
        Refused: It is no JSON object, asks for another model, or a field is of the wrong kind.
    """
    try:
        asked = json.loads(body)
    except ValueError:
        raise Refused(400, "the body is not JSON") from None
    if not isinstance(asked, dict):
        raise Refused(400, "the body is no JSON object")
    for name, kinds in _TYPES.items():
        value = asked.get(name)
        # True is an int to Python, and no number to anyone else
        if value is not None and (not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds)):
            raise Refused(400, f"{name} must be {_in_words(kinds)}", name)
    if not asked.get("messages") or not all(isinstance(each, dict) for each in asked["messages"]):
        raise Refused(400, "messages must be a list of at least one message", "messages")
    if asked.get("n") not in (None, 1):
        raise Refused(400, "n must be 1: this server gives one answer a request", "n")
    if asked.get("model", served) != served:
        message = f"the model {str(asked['model'])[:80]!r} does not exist; this server serves {served!r}"
        raise Refused(404, message, "model", "model_not_found")
    return asked


def for_engine(asked: dict[str, Any]) -> dict[str, Any]:
    """Return the request as the engine takes it.

    It is streamed wherever that is possible, also for callers who want the answer whole: only so can it be stopped.

    Raises:
        Refused: It asks for a constraint that the engine does not have.
    """
    most = asked.get("max_completion_tokens") or asked.get("max_tokens") or _MOST_TOKENS
    request = {"messages": asked["messages"], "max_tokens": most}
    request |= {name: asked[name] for name in _PASSED_ON if asked.get(name) is not None}
    request |= _constraint(asked.get("structured_outputs") or {})
    if not request.get("tools"):
        # with tools the engine gives log-probabilities only when it answers in one piece
        request |= {"stream": True, "stream_options": {"include_usage": True}, "return_progress": True}
    return request


def _constraint(wanted: dict[str, Any]) -> dict[str, Any]:
    """Return vLLM's ``structured_outputs`` in llama.cpp's words."""
    for name, value in wanted.items():
        if name == "choice" and isinstance(value, list) and value and all(isinstance(each, str) for each in value):
            return {"grammar": "root ::= " + " | ".join(json.dumps(each, ensure_ascii=False) for each in value)}
        if name == "json":
            schema = _schema(value)
            return {"response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}}
        if name == "json_object" and value is True:
            return {"response_format": {"type": "json_object"}}
        if name == "grammar" and isinstance(value, str):
            return {"grammar": value}
        if value is not None:
            message = "structured_outputs takes choice (a list of texts), json, json_object or grammar"
            raise Refused(400, message, f"structured_outputs.{name}")
    return {}


def _schema(value: object) -> dict[str, Any]:
    """Return a JSON schema that was sent as such, or as a text."""
    try:
        schema = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        schema = None
    if not isinstance(schema, dict):
        raise Refused(400, "structured_outputs.json must be a JSON schema", "structured_outputs.json")
    return schema


def as_chunks(piece: dict[str, Any], served: str, *, with_usage: bool) -> list[dict[str, Any]]:
    """Return what a caller who reads along is sent for one piece of the engine: none, one or, for a whole, several."""
    choices, usage = piece.get("choices") or [], piece.get("usage")
    head = {"id": piece.get("id", ""), "object": "chat.completion.chunk", "created": piece.get("created", 0)}
    head["model"] = served
    if choices and "message" in choices[0]:
        return [*_cut(choices[0], head), *_last(usage, head, with_usage)]
    if not choices:
        return _last(usage, head, with_usage)
    if _is_progress(choices[0]):
        return []
    return [{**head, "choices": choices}]


def _cut(choice: dict[str, Any], head: dict[str, Any]) -> list[dict[str, Any]]:
    """Cut a whole answer into what is said and how it ended."""
    message = choice["message"]
    calls = [{"index": index, **call} for index, call in enumerate(message.get("tool_calls") or ())]
    delta = {**message, **({"tool_calls": calls} if calls else {})}
    said = {"index": 0, "delta": delta, "logprobs": choice.get("logprobs"), "finish_reason": None}
    end: dict[str, Any] = {"index": 0, "delta": {}, "logprobs": None, "finish_reason": choice.get("finish_reason")}
    return [{**head, "choices": [said]}, {**head, "choices": [end]}]


def _last(usage: dict[str, Any] | None, head: dict[str, Any], with_usage: bool) -> list[dict[str, Any]]:
    return [{**head, "choices": [], "usage": usage}] if usage and with_usage else []


def opening(served: str) -> dict[str, Any]:
    """Return the chunk that a streamed answer begins with."""
    choice = {"index": 0, "delta": {"role": "assistant", "content": ""}, "logprobs": None, "finish_reason": None}
    return {"id": "", "object": "chat.completion.chunk", "created": 0, "model": served, "choices": [choice]}


def _is_progress(choice: dict[str, Any]) -> bool:
    """Tell whether a piece merely says how far the prompt is read, or who speaks."""
    said = {name: value for name, value in (choice.get("delta") or {}).items() if name != "role"}
    return not any(said.values()) and not choice.get("finish_reason") and not choice.get("logprobs")


async def collected(pieces: AsyncIterable[dict[str, Any]], served: str) -> dict[str, Any]:
    """Put the pieces of an answer together to the whole that a caller wants who does not read along."""
    whole: dict[str, Any] = {"id": "", "object": "chat.completion", "created": 0, "model": served}
    text, reasoning, finished, usage = "", "", None, None
    tokens: list[Any] = []
    async for piece in pieces:
        whole["id"], whole["created"] = piece.get("id", whole["id"]), piece.get("created", whole["created"])
        usage = piece.get("usage") or usage
        for choice in (piece.get("choices") or [])[:1]:
            if "message" in choice:
                return {**whole, "choices": [choice], "usage": usage}
            delta = choice.get("delta") or {}
            text += delta.get("content") or ""
            reasoning += delta.get("reasoning_content") or ""
            tokens += (choice.get("logprobs") or {}).get("content") or []
            finished = choice.get("finish_reason") or finished
    message = {"role": "assistant", "content": text, **({"reasoning_content": reasoning} if reasoning else {})}
    logprobs = {"content": tokens} if tokens else None
    choices = [{"index": 0, "message": message, "logprobs": logprobs, "finish_reason": finished}]
    return {**whole, "choices": choices, "usage": usage}


_WORDS = {list: "a list", str: "a text", bool: "true or false", dict: "an object", int: "a whole number"}


def _in_words(kinds: tuple[type, ...]) -> str:
    return "a number" if float in kinds else _WORDS[kinds[0]]
