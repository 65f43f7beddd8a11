"""Where the threads of the graph are kept, for programs that leave it to MoSLM."""

from __future__ import annotations

from pydantic import Field, model_validator

from moslm.config.settings import Settings


class CheckpointSettings(Settings):
    """Checkpoints in Postgres (extra ``postgres``), sealed where ``[at_rest]`` says so; see docs/guides/at-rest.md."""

    postgres_url: str | None = Field(default=None, pattern=r"^postgres(ql)?://\S+$")
    """Its address; one outside of private networks needs ``sslmode=verify-full``."""
    postgres_url_env: str | None = None
    """Name of the environment variable that holds that address, when it carries a password."""

    @model_validator(mode="after")
    def _one_place(self) -> CheckpointSettings:
        if self.postgres_url and self.postgres_url_env:
            raise ValueError("checkpoints are kept in one place; leave out postgres_url or postgres_url_env")
        return self
