"""Where the vault's keys come from: `KeySource`, and a key-encryption key out of the environment or a file.

A key management service plugs in as another `KeySource`: it answers with a tenant's data key, unwrapped.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from pathlib import Path
from typing import Protocol

from moslm.config import PrivacySettings
from moslm.errors import ConfigError, MissingExtraError

_BYTES = 32
_MAKE = "make one with: openssl rand -base64 32"


class KeySource(Protocol):
    """Gives each tenant a key of its own."""

    def data_key(self, tenant: str) -> bytes:
        """Return a tenant's key, 64 bytes, the same every time; ``""`` asks for the vault's own."""
        ...


class DerivedKeys:
    """Keys derived from one key-encryption key by HKDF-SHA256: knowing one tenant's tells nothing of another's.

    Args:
        key: The key-encryption key, 32 random bytes.

    Raises:
        MissingExtraError: The extra ``encryption`` is not installed.
    """

    def __init__(self, key: bytes) -> None:
        try:
            from cryptography.hazmat.primitives.hashes import SHA256
            from cryptography.hazmat.primitives.kdf.hkdf import HKDF
        except ImportError:
            raise MissingExtraError("a vault on disk", "encryption") from None

        def derive(tenant: str) -> bytes:
            info = b"moslm vault 1\0" + tenant.encode("utf-8", "surrogatepass")
            return HKDF(algorithm=SHA256(), length=64, salt=None, info=info).derive(key)

        self._derive = derive

    def data_key(self, tenant: str) -> bytes:
        """Return a tenant's key."""
        return self._derive(tenant)


def configured_keys(settings: PrivacySettings) -> DerivedKeys:
    """Read the key-encryption key that the settings name.

    Raises:
        ConfigError: It is not there, or is no key.
        MissingExtraError: The extra ``encryption`` is not installed.
    """
    if settings.key_env is not None:
        text = os.environ.get(settings.key_env, "")
        return DerivedKeys(_key(text, "key_env", settings.key_env, "the environment variable"))
    if settings.key_file is None:
        raise ConfigError("names no key", key="privacy", mend="name one in key_env or key_file")
    return DerivedKeys(_key(_read(settings.key_file), "key_file", str(settings.key_file), "the file"))


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        problem = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ConfigError(
            f"the key cannot be read: {problem}", key="privacy.key_file", value=str(file), mend=_MAKE
        ) from None


def _key(text: str, setting: str, place: str, what: str) -> bytes:
    """Read a key as it is written; the message never shows it."""
    where = {
        "key": f"privacy.{setting}",
        "value": place,
        "mend": f"{what} must hold 32 random bytes in base64; {_MAKE}",
    }
    plain = text.strip()
    if not plain:
        raise ConfigError(f"{what} is not set or empty", **where)
    try:
        key = bytes.fromhex(plain) if re.fullmatch(r"[0-9A-Fa-f]{64}", plain) else _from_base64(plain)
    except (binascii.Error, ValueError):
        raise ConfigError(f"{what} holds no base64", **where) from None
    if len(key) != _BYTES:
        raise ConfigError(f"{what} holds {len(key)} bytes", **where)
    if len(set(key)) < 8:
        raise ConfigError(f"{what} holds a key that is not random", **where)
    return key


def _from_base64(text: str) -> bytes:
    return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
