"""Where a Redis is that keeps something for many machines: an address, or the variable that holds it, and a prefix."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from pydantic import Field, model_validator

from moslm.config.settings import Settings


class RedisPlace(Settings):
    """A section whose things lie in a file of this machine, or in a Redis for many (extra ``redis``)."""

    what: ClassVar[str] = "this"
    """What is kept, for messages."""

    file: Path | None = None
    redis_url: str | None = Field(default=None, pattern=r"^(rediss?|unix)://\S+$")
    """Redis that keeps it for many machines, in the place of a file (extra ``redis``)."""
    redis_url_env: str | None = None
    """Name of the environment variable that holds that address, when it carries a password."""
    redis_prefix: str = Field(default="moslm", pattern=r"^[A-Za-z0-9_.-]{1,64}$")
    """Begins every key in Redis; what has different prefixes knows nothing of each other."""

    @property
    def in_redis(self) -> bool:
        """Whether a Redis is named."""
        return bool(self.redis_url or self.redis_url_env)

    @model_validator(mode="after")
    def _one_place(self) -> RedisPlace:
        named = [key for key in ("file", "redis_url", "redis_url_env") if getattr(self, key) is not None]
        if len(named) > 1:
            raise ValueError(f"{self.what} in one place; leave out {named[0]} or {named[1]}")
        return self
