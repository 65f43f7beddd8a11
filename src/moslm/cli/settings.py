"""Which configuration a command works under: the file that was named, the one here, or the embedded default."""

from __future__ import annotations

import argparse
from pathlib import Path

from moslm.config import Config, home, load
from moslm.governance.audit import AuditLog

HERE = "moslm.toml"


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add ``--config`` to a command."""
    parser.add_argument(
        "--config", metavar="FILE", help=f"settings; by default {HERE} in this folder, else the embedded default"
    )


def config_file(named: str | None) -> str | None:
    """Return the file in force; None means the embedded default."""
    return named or (HERE if Path(HERE).is_file() else None)


def settings(named: str | None) -> Config:
    """Read the configuration in force.

    Raises:
        ConfigError: It cannot stand.
    """
    return load(config_file(named))


def audit_file(config: Config) -> Path:
    """Return the file of the audit log."""
    return config.audit_file or home() / "audit.sqlite"


def audit_log(config: Config, named: str | None) -> AuditLog:
    """Return the audit log of the configuration in force.

    Args:
        config: That configuration.
        named: The file it was said to stand in.

    Raises:
        ConfigError: The key that its records are encrypted under is not there.
    """
    if not config.at_rest.seal:
        return AuditLog(audit_file(config))
    # loads LangGraph, which a command that only reads records does not need otherwise
    from moslm.privacy.at_rest.configured import configured_seal

    return AuditLog(audit_file(config), sealing=configured_seal(config, config_file(named)))
