"""Who may do what, and by which tokens callers prove who they are."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from moslm.config.settings import Settings

Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA", "HS256", "HS512"]


class JwtSettings(Settings):
    """JSON Web Tokens that are taken for a caller's identity (extra ``auth``). Nothing is fetched from a network."""

    issuer: str = Field(min_length=1)
    """Who must have issued them (``iss``)."""
    audience: str = Field(min_length=1)
    """For whom they must be (``aud``)."""
    algorithms: list[Algorithm] = Field(default=["RS256"], min_length=1)
    """Algorithms that are taken, all for secrets (``HS``) or all for key pairs, whatever a token itself says."""
    jwks_file: Path | None = None
    """File with the issuer's public keys, as a JSON Web Key Set."""
    key_env: str | None = None
    """Environment variable with a public key in PEM or, for ``HS``, the secret; in the place of ``jwks_file``."""
    tenant_claim: str = "tenant"
    user_claim: str = "sub"
    role_claim: str = "role"
    leeway_s: int = Field(default=30, ge=0, le=300)
    """How far clocks may differ, seconds."""

    @model_validator(mode="after")
    def _one_key_of_one_family(self) -> JwtSettings:
        if (self.jwks_file is None) == (self.key_env is None):
            raise ValueError("tokens are verified with jwks_file or with key_env; name one")
        if len({each.startswith("HS") for each in self.algorithms}) > 1:
            raise ValueError("algorithms for secrets (HS) and for key pairs do not stand together; keep one kind")
        if self.is_secret and self.jwks_file is not None:
            raise ValueError("a shared secret does not stand in a file of public keys; name it in key_env")
        return self

    @property
    def is_secret(self) -> bool:
        """Whether issuer and verifier share a secret."""
        return self.algorithms[0].startswith("HS")


class AccessSettings(Settings):
    """Who may do what (extra ``auth``). Without this section roles are the caller's word."""

    policies: Path | None = None
    """Folder of Cedar policies (``*.cedar``), in the place of the shipped ones."""
    jwt: JwtSettings | None = None
