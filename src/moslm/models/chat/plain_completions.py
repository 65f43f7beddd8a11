"""The chat completions of a server, asked for and handed on as plain JSON.

Stands where ``ChatOpenAI`` keeps its client's resource. The resource walks through every key of what is asked, makes
typed objects of every token and every alternative that comes back, and ``ChatOpenAI`` then makes plain values of these
again: milliseconds of a request whose answer is plain to begin with. Connections, keys, timeouts and errors stay the
official client's. Knows no model and reads no answer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import openai

_PATH = "/chat/completions"
_OPTIONS = {"extra_headers": "headers", "extra_query": "params", "extra_body": "extra_json", "timeout": "timeout"}
"""What the resource calls its options, and what the client does."""


class PlainCompletions:
    """The resource of a synchronous client."""

    def __init__(self, client: openai.OpenAI) -> None:
        self._client = client

    @property
    def with_raw_response(self) -> _Parsing:
        """The same, for a caller who wants to parse the answer himself."""
        return _Parsing(self)

    def create(self, **asked: Any) -> Any:
        """Return the answer, or its pieces as they come, as plain values."""
        body, options = _divided(asked)
        if asked.get("stream"):
            return self._client.post(
                _PATH, body=body, options=options, cast_to=object, stream=True, stream_cls=openai.Stream[object]
            )
        return _read(self._client.post(_PATH, body=body, options=options, cast_to=object))


class AsyncPlainCompletions:
    """The resource of an asynchronous client."""

    def __init__(self, client: openai.AsyncOpenAI) -> None:
        self._client = client

    @property
    def with_raw_response(self) -> _AsyncParsing:
        """The same, for a caller who wants to parse the answer himself."""
        return _AsyncParsing(self)

    async def create(self, **asked: Any) -> Any:
        """Return the answer, or its pieces as they come, as plain values."""
        body, options = _divided(asked)
        if asked.get("stream"):
            return await self._client.post(
                _PATH, body=body, options=options, cast_to=object, stream=True, stream_cls=openai.AsyncStream[object]
            )
        return _read(await self._client.post(_PATH, body=body, options=options, cast_to=object))


class _Parsed:
    """An answer that was parsed already."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def parse(self) -> Any:
        return self._answer


class _Parsing:
    def __init__(self, plain: PlainCompletions) -> None:
        self._plain = plain

    def create(self, **asked: Any) -> _Parsed:
        return _Parsed(self._plain.create(**asked))


class _AsyncParsing:
    def __init__(self, plain: AsyncPlainCompletions) -> None:
        self._plain = plain

    async def create(self, **asked: Any) -> _Parsed:
        return _Parsed(await self._plain.create(**asked))


def _divided(asked: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
    """Return what goes into the body, and what is for the client alone."""
    options = {ours: asked[name] for name, ours in _OPTIONS.items() if asked.get(name) is not None}
    return {name: value for name, value in asked.items() if name not in _OPTIONS}, options


def _read(answer: Any) -> Any:
    """Return an answer as plain values, also where its server calls JSON something else."""
    return json.loads(answer) if isinstance(answer, str) else answer
