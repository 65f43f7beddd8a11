"""`Seal`: bytes encrypted under their tenant's key and bound to the place they are kept in.

AES-256-GCM. Each piece has a key of its own, derived from the tenant's and a random salt, so that no number of pieces
wears a tenant's key out. The header names the key-encryption key: those of the past still open, the current one seals.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from moslm.errors import ConfigError, MissingExtraError, SealError
from moslm.privacy.keys import KeySource

_MAGIC = b"MoS1"
_ID, _SALT, _NONCE, _TAG = 8, 16, 12, 16
_HEADER = len(_MAGIC) + _ID
OVERHEAD = _HEADER + _SALT + _NONCE + _TAG
"""Bytes by which a sealed piece is longer than what it holds."""


class Seal:
    """Seals and opens, and gives names that tell nothing of what they stand for.

    Args:
        keys: Where the tenants' keys come from.
        earlier: Those of the past, the newest first.

    Raises:
        MissingExtraError: The extra ``encryption`` is not installed.
        ConfigError: A key source gives no key, or two of them give the same.
    """

    def __init__(self, keys: KeySource, earlier: Sequence[KeySource] = ()) -> None:
        self._rings = [_Ring(each) for each in (keys, *earlier)]
        self._by_id = {ring.id: ring for ring in self._rings}
        if len(self._by_id) < len(self._rings):
            raise ConfigError("names one key twice", key="at_rest.earlier_keys", mend="leave out the current key")

    @property
    def ids(self) -> list[bytes]:
        """What names each key-encryption key, the current one first; tells nothing of the keys."""
        return [ring.id for ring in self._rings]

    @property
    def has_earlier(self) -> bool:
        """Whether something may still be sealed under a key of the past."""
        return len(self._rings) > 1

    def seal(self, plain: bytes, tenant: str, *place: str) -> bytes:
        """Return the bytes sealed under the current key; see `moslm.sealing.Sealing`."""
        ring, salt, nonce = self._rings[0], os.urandom(_SALT), os.urandom(_NONCE)
        header = _MAGIC + ring.id
        cipher = ring.cipher(tenant, salt)
        return header + salt + nonce + bytes(cipher.encrypt(nonce, plain, header + joined(tenant, *place)))

    def open(self, sealed: bytes, tenant: str, *place: str) -> bytes:
        """Return what was sealed; see `moslm.sealing.Sealing`."""
        ring = self._ring_of(sealed)
        salt, rest = sealed[_HEADER : _HEADER + _SALT], sealed[_HEADER + _SALT :]
        bound = sealed[:_HEADER] + joined(tenant, *place)
        try:
            return bytes(ring.cipher(tenant, salt).decrypt(rest[:_NONCE], rest[_NONCE:], bound))
        except ring.refusals:
            raise SealError("what was kept was altered, or moved from where it was kept") from None

    def is_current(self, sealed: bytes) -> bool:
        """Tell whether this was sealed under the current key.

        Raises:
            SealError: It was not sealed, or under an unknown key.
        """
        return self._ring_of(sealed) is self._rings[0]

    def rotate(self, sealed: bytes, tenant: str, *place: str) -> bytes:
        """Return the same piece under the current key; one that already is comes back as it is.

        Raises:
            SealError: As in `open`.
        """
        plain = self.open(sealed, tenant, *place)
        return sealed if self.is_current(sealed) else self.seal(plain, tenant, *place)

    def names(self, tenant: str, *parts: str) -> list[str]:
        """Return what something is called where others read it: a keyed hash, under each key, the current one first."""
        return [ring.name(tenant, parts) for ring in self._rings]

    def name(self, tenant: str, *parts: str) -> str:
        """Return the name under the current key."""
        return self._rings[0].name(tenant, parts)

    def _ring_of(self, sealed: bytes) -> _Ring:
        if not isinstance(sealed, bytes) or len(sealed) < OVERHEAD or not sealed.startswith(_MAGIC):
            raise SealError("what was kept was never sealed, and is not read")
        ring = self._by_id.get(sealed[len(_MAGIC) : _HEADER])
        if ring is None:
            raise SealError("what was kept was sealed under a key that is not configured; add it to earlier_keys")
        return ring


class _Ring:
    """The tenants' keys under one key-encryption key."""

    def __init__(self, keys: KeySource) -> None:
        try:
            from cryptography.exceptions import InvalidTag
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        except ImportError:
            raise MissingExtraError("encryption at rest", "encryption") from None
        self._aes: Any = AESGCM
        self.refusals = (InvalidTag, ValueError)
        self._keys = keys
        # derived once more for this use, because the vault works with the tenant's key itself
        self._sealing = lru_cache(maxsize=4096)(lambda tenant: self._own(tenant, b"moslm at rest 1 seal"))
        self._naming = lru_cache(maxsize=4096)(lambda tenant: self._own(tenant, b"moslm at rest 1 name"))
        self.id = self._own("", b"moslm at rest 1 id")[:_ID]

    def cipher(self, tenant: str, salt: bytes) -> Any:
        return self._aes(hmac.digest(self._sealing(tenant), salt, "sha256"))

    def name(self, tenant: str, parts: Sequence[str]) -> str:
        return hmac.digest(self._naming(tenant), joined(*parts), "sha256").hex()[:40]

    def _own(self, tenant: str, use: bytes) -> bytes:
        key = self._keys.data_key(tenant)
        if len(key) != 64:
            raise ConfigError(f"the key source gave a key of {len(key)} bytes", key="privacy", mend="64 are needed")
        return hmac.digest(key, use, "sha256")


def joined(*parts: str) -> bytes:
    """Join texts so that no two lists of them give the same bytes."""
    raw = [each.encode("utf-8", "surrogatepass") for each in parts]
    return b"".join(len(each).to_bytes(4, "big") + each for each in raw)
