"""From a JSON Web Token to a caller, by pinned algorithms and keys that are here (extra ``auth``)."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from moslm.config import JwtSettings
from moslm.errors import AccessDenied, ConfigError, MissingExtraError
from moslm.governance.access.actions import ROLES, Caller

_LONGEST = 16_384
_SHORTEST_SECRET = 32


class TokenVerifier:
    """Takes a token for its bearer's identity, or denies it.

    Args:
        settings: Issuer, audience, algorithms and keys.

    Raises:
        ConfigError: A key is missing, or is none of the kind that the algorithms need.
        MissingExtraError: The extra ``auth`` is not installed.
    """

    def __init__(self, settings: JwtSettings) -> None:
        try:
            from joserfc import jwt
            from joserfc.errors import JoseError
        except ImportError:
            raise MissingExtraError("JSON Web Tokens", "auth") from None
        self._settings, self._jwt, self._refusals = settings, jwt, (JoseError, ValueError, TypeError, KeyError)
        self._keys = _keys(settings)
        self._claims = jwt.JWTClaimsRegistry(
            leeway=settings.leeway_s,
            iss={"essential": True, "value": settings.issuer},
            aud={"essential": True, "value": settings.audience},
            exp={"essential": True},
        )

    def caller(self, token: str) -> Caller:
        """Return whom a token proves its bearer to be.

        Raises:
            AccessDenied: It proves nothing; the message never tells why in a way that helps to forge one.
        """
        if len(token) > _LONGEST:
            raise AccessDenied("the token is not accepted: it is too long")
        try:
            found = self._jwt.decode(token, self._keys, algorithms=list(self._settings.algorithms))
            self._claims.validate(found.claims)
        except self._refusals as error:
            raise AccessDenied(f"the token is not accepted: {type(error).__name__}") from None
        return self._named(found.claims)

    def _named(self, claims: dict[str, Any]) -> Caller:
        named = self._settings
        tenant, user, role = (claims.get(each) for each in (named.tenant_claim, named.user_claim, named.role_claim))
        if not isinstance(tenant, str) or not 0 < len(tenant) <= 128:
            raise AccessDenied(f"the token is not accepted: its claim {named.tenant_claim} names no tenant")
        if not isinstance(user, str) or not 0 < len(user) <= 256:
            raise AccessDenied(f"the token is not accepted: its claim {named.user_claim} names no user")
        if role not in ROLES:
            raise AccessDenied(f"the token is not accepted: its claim {named.role_claim} names no role")
        return Caller(tenant, user, role)


def _keys(settings: JwtSettings) -> Any:
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet, OctKey

    name = "key_env" if settings.jwks_file is None else "jwks_file"
    value = settings.key_env or str(settings.jwks_file)
    try:
        keys = _from_environment(settings) if settings.jwks_file is None else _from_file(settings.jwks_file)
        all_keys = keys.keys if isinstance(keys, KeySet) else [keys]
        fits = all(isinstance(each, OctKey) == settings.is_secret for each in all_keys) and bool(all_keys)
    except (JoseError, OSError, ValueError, TypeError, KeyError) as error:
        problem = error.strerror if isinstance(error, OSError) else "holds no key that can be read"
        raise ConfigError(str(problem), key=f"access.jwt.{name}", value=value) from None
    if not fits:
        kind = "shared secrets" if settings.is_secret else "public keys"
        raise ConfigError(f"the algorithms need {kind}, and it holds others", key=f"access.jwt.{name}", value=value)
    return keys


def _from_file(file: Path) -> Any:
    from joserfc.jwk import KeySet

    return KeySet.import_key_set(json.loads(file.read_text(encoding="utf-8")))


def _from_environment(settings: JwtSettings) -> Any:
    from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

    where: dict[str, Any] = {"key": "access.jwt.key_env", "value": settings.key_env}
    text = os.environ.get(settings.key_env or "", "")
    if not text:
        raise ConfigError("the environment variable is not set", mend=f"run: export {settings.key_env}=...", **where)
    if settings.is_secret:
        if len(text.encode()) < _SHORTEST_SECRET:
            raise ConfigError("the secret is too short", mend="make one with: openssl rand -base64 48", **where)
        return OctKey.import_key(text)
    kinds: dict[str, Any] = {"E": ECKey, "R": RSAKey, "P": RSAKey}
    kind: Any = OKPKey if "EdDSA" in settings.algorithms else kinds[settings.algorithms[0][0]]
    return kind.import_key(text)
