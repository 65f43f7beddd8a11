"""How much of a prompt a server has read before: what its prefix cache saves, told from the prompts it was sent.

A prompt is a chain: each message's mark stands for it and all before it. Conversations, system prompts and tool rounds
are recognised alike, without any name for them. Marks are salted hashes of this process; no text is kept.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from langchain_core.messages import AIMessage, BaseMessage

_CHARACTERS_PER_TOKEN = 4
_MESSAGE_TOKENS = 4
"""Tokens a chat template puts around a message."""
_MOST_MARKS = 8192
"""Marks kept of each server, about as many messages as a prefix cache of a million tokens holds."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt as marks, and how long it is up to each."""

    marks: tuple[int, ...]
    """A mark for each message, standing for it and all before it."""
    tokens: tuple[int, ...]
    """Tokens up to and with each message, estimated."""

    @property
    def length(self) -> int:
        """Tokens of the whole prompt, estimated."""
        return self.tokens[-1] if self.tokens else 0


def read(messages: Sequence[BaseMessage]) -> Prompt:
    """Return the marks and lengths of a prompt."""
    marks, tokens, mark, length = [], [], 0, 0
    for message in messages:
        text = _text(message)
        mark = hash((mark, message.type, text))
        length += _MESSAGE_TOKENS + math.ceil(len(text) / _CHARACTERS_PER_TOKEN)
        marks.append(mark)
        tokens.append(length)
    return Prompt(tuple(marks), tuple(tokens))


@dataclass(slots=True)
class PrefixMemory:
    """What one server was sent; the marks longest unused are forgotten first, as its own cache does."""

    most: int = _MOST_MARKS
    _marks: OrderedDict[int, None] = field(default_factory=OrderedDict)

    def held(self, prompt: Prompt) -> int:
        """Return the tokens of the longest part of the prompt, from its beginning, that the server has read before."""
        for mark, tokens in zip(reversed(prompt.marks), reversed(prompt.tokens), strict=True):
            if mark in self._marks:
                return tokens
        return 0

    def keep(self, prompt: Prompt) -> None:
        """Take note that the server reads the prompt."""
        for mark in prompt.marks:
            self._marks[mark] = None
            self._marks.move_to_end(mark)
        while len(self._marks) > self.most:
            self._marks.popitem(last=False)

    def forget(self) -> None:
        """Take note that the server began anew, and its cache with it."""
        self._marks.clear()


def _text(message: BaseMessage) -> str:
    content = message.content if isinstance(message.content, str) else repr(message.content)
    return content + repr(message.tool_calls) if isinstance(message, AIMessage) and message.tool_calls else content
