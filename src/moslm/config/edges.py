"""What stands around the graph: MCP servers, remembered answers, the OpenAI-compatible endpoint."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from moslm.config.redis import RedisPlace
from moslm.config.settings import DomainName, HttpUrl, Probability, ServerName, Settings


class McpServer(Settings):
    """An MCP server whose tools plug in (extra ``mcp``)."""

    transport: Literal["stdio", "streamable_http", "sse"] = "stdio"
    command: str | None = None
    args: list[str] = []
    env: dict[str, str] = {}
    url: HttpUrl | None = None
    domains: list[DomainName] = []
    """Domains whose models may use its tools; empty means all."""
    effects: dict[str, Literal["read", "write"]] = {}
    """Effect of each tool; one that is not listed counts as a write and waits for a person."""

    @model_validator(mode="after")
    def _has_an_end(self) -> McpServer:
        if self.transport == "stdio" and not self.command:
            raise ValueError('transport = "stdio" needs a command')
        if self.transport != "stdio" and not self.url:
            raise ValueError(f'transport = "{self.transport}" needs a url')
        return self


class RecallSettings(RedisPlace):
    """Answers that are remembered and given again."""

    what: ClassVar[str] = "remembered answers are kept"
    enabled: bool = True
    ttl_minutes: float = Field(default=60, gt=0)
    """How long an answer holds."""
    semantic: bool = True
    """Whether the same request in other filler ("please", "could you tell me") counts as the same."""
    min_similarity: Probability = 0.85
    """Cosine that such a request needs beside that."""
    sample: Probability = 0.05
    """Share of these hits that is answered again in the background, where the domain's small model costs nothing."""
    max_false_rate: Probability = 0.01
    """A domain whose hits may be wrong more often than this, at the upper end of what the checks leave open, is
    answered anew until they say otherwise."""
    file: Path | None = None
    """SQLite file of the answers, where the graph runs without a LangGraph store and no Redis is named, and of their
    counts; by default ``recall.sqlite`` in `home`."""
    most_entries: int = Field(default=50_000, ge=1)
    """Answers kept in the file or in Redis; of more the oldest go."""


class ApiKey(Settings):
    """One caller of the OpenAI-compatible endpoint."""

    env: str
    """Name of the environment variable that holds the caller's key."""
    tenant: str = Field(default="default", min_length=1, max_length=128)
    user: str | None = Field(default=None, max_length=256)
    role: Literal["user", "operator", "reviewer", "auditor", "admin"] = "user"
    """What the caller may do: writes run without a person's approval for operators and admins alone."""
    may_escalate: bool = True


class ApiSettings(Settings):
    """The OpenAI-compatible endpoint (``moslm api``, extra ``api``)."""

    keys: dict[ServerName, ApiKey] = {}
    """The callers by name. Without any, the endpoint is served to this machine alone."""
    model: str = Field(default="moslm", min_length=1)
    """The model name that clients ask for."""
    max_body_kib: int = Field(default=1024, ge=1, le=65_536)
    """Longest body of a request."""
    most_in_flight: int = Field(default=256, ge=1)
    """Requests answered at once; one more is told to try again."""
