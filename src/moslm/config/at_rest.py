"""What is encrypted where it is kept, and which keys of the past still open."""

from __future__ import annotations

from pathlib import Path

from pydantic import model_validator

from moslm.config.settings import Settings


class EarlierKey(Settings):
    """A key-encryption key that is no longer used to encrypt."""

    key_env: str | None = None
    """Environment variable that holds it."""
    key_file: Path | None = None
    """File that holds it, in the place of ``key_env``."""

    @model_validator(mode="after")
    def _names_one_place(self) -> EarlierKey:
        if (self.key_env is None) == (self.key_file is None):
            raise ValueError("an earlier key is named by key_env or by key_file")
        return self


class AtRestSettings(Settings):
    """Encryption of what MoSLM keeps: audit records, paid answers, remembered answers (extra ``encryption``)."""

    seal: bool = False
    """Whether it is encrypted, under the key that ``[privacy]`` names in ``key_env`` or ``key_file``. What was kept in
    clear before is refused then: name new files."""
    earlier_keys: list[EarlierKey] = []
    """Keys of the past, the newest first: what they sealed still opens, nothing new is sealed with them."""
