"""From settings to what keeps things on disk encrypted: the seal, and the records and stores behind it."""

from __future__ import annotations

from collections.abc import Callable

from langgraph.store.base import BaseStore

from moslm.config import Config, home
from moslm.errors import AuditError, ConfigError
from moslm.governance.audit import AuditLog
from moslm.privacy.at_rest.configured import configured_seal
from moslm.privacy.at_rest.seal import Seal
from moslm.privacy.at_rest.store import SealedStore


def build_seal(config: Config, file: str | None) -> Seal | None:
    """Return what seals under these settings; None where nothing is sealed.

    Raises:
        ConfigError: A key is missing, is none, or is not the one under which the records that are there were written.
    """
    seal = configured_seal(config, file)
    if seal is None:
        return None
    log = audit_log(config, seal)
    try:
        log.check_newest()
    except AuditError as error:
        raise ConfigError(str(error), file=file, key="at_rest.seal", value=config.at_rest.seal) from None
    finally:
        log.close()
    return seal


def audit_log(config: Config, seal: Seal | None) -> AuditLog:
    """Return the audit log of these settings."""
    keep_s = None if config.audit_keep_days is None else config.audit_keep_days * 86_400
    return AuditLog(config.audit_file or home() / "audit.sqlite", sealing=seal, keep_s=keep_s)


def sealed_store(seal: Seal | None) -> Callable[[BaseStore], BaseStore] | None:
    """Return what puts a store behind the seal; one that is behind it already stays as it is."""
    if seal is None:
        return None
    return lambda store: store if isinstance(store, SealedStore) else SealedStore(store, seal)
