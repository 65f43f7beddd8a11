"""What may leave the premises: which requests may go to a model that others run, and how."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from moslm.config.settings import DomainName, Settings

MayLeave = Literal["any", "redacted", "local_only"]
Sensitivity = Literal["public", "internal", "confidential", "restricted"]


class BoundaryRule(Settings):
    """One rule; what it does not name matches everything. Of the rules that match, the strictest holds."""

    may_leave: MayLeave
    """``any``: as it is; ``redacted``: personal data behind placeholders; ``local_only``: not at all."""
    domain: DomainName | None = None
    tenant: str | None = Field(default=None, min_length=1)
    sensitivity: Sensitivity | None = None
    """Requests of this sensitivity and above."""
    region: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _names_something(self) -> BoundaryRule:
        if not (self.domain or self.tenant or self.sensitivity or self.region):
            raise ValueError(
                "a rule names a domain, tenant, sensitivity or region; for everything set boundary.default"
            )
        return self


class BoundarySettings(Settings):
    """What may leave the premises; see docs/guides/privacy.md."""

    default: MayLeave = "redacted"
    """What holds where no rule matches."""
    rules: list[BoundaryRule] = []
