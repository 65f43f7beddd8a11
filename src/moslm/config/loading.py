"""From a TOML file to settings; every mistake is one line that names file, key, value and mend.

`tomllib` reads, pydantic judges.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from moslm.config.access import AccessSettings
from moslm.config.models import TlsSettings
from moslm.config.servers import ServerSettings
from moslm.config.settings import Settings
from moslm.config.whole import Config
from moslm.errors import ConfigError
from moslm.mistakes import first_mistake

S = TypeVar("S", bound=Settings)


def home() -> Path:
    """Return the folder of what MoSLM keeps between runs: ``$MOSLM_HOME``, by default ``~/.moslm``."""
    return Path(os.environ.get("MOSLM_HOME") or Path.home() / ".moslm")


def load(path: str | Path | None = None) -> Config:
    """Read the configuration.

    Args:
        path: A TOML file; None gives the embedded default. Relative paths inside it are relative to its folder.

    Raises:
        ConfigError: The file is missing or no TOML, or a setting cannot stand; one line with file, key, value and mend.
    """
    if path is None:
        return Config()
    file = Path(path)
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError("no such file", file=str(path), mend="run: moslm config example > moslm.toml") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"not TOML: {error}", file=str(path)) from None
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=str(path)) from None
    config = validated(Config, values, file=str(path))
    return _with_absolute_paths(config, file.resolve().parent)


def validated(section: type[S], values: dict[str, Any], *, file: str, prefix: str = "") -> S:
    """Judge plain values by a section's schema.

    Raises:
        ConfigError: The first setting that cannot stand.
    """
    try:
        return section.model_validate(values)
    except ValidationError as error:
        raise first_mistake(error, section, file, prefix) from None


def _with_absolute_paths(config: Config, folder: Path) -> Config:
    update: dict[str, Any] = {"domain_folders": [folder / each for each in config.domain_folders]}
    if config.audit_file:
        update["audit_file"] = folder / config.audit_file
    if config.recall.file:
        update["recall"] = config.recall.model_copy(update={"file": folder / config.recall.file})
    if config.review.file:
        update["review"] = config.review.model_copy(update={"file": folder / config.review.file})
    if config.budgets.file:
        update["budgets"] = config.budgets.model_copy(update={"file": folder / config.budgets.file})
    own_files = {"vault": config.privacy.vault, "key_file": config.privacy.key_file}
    absolute = {name: folder / each for name, each in own_files.items() if each}
    update["privacy"] = config.privacy.model_copy(update=absolute)
    earlier = [
        each.model_copy(update={"key_file": folder / each.key_file}) if each.key_file else each
        for each in config.at_rest.earlier_keys
    ]
    update["at_rest"] = config.at_rest.model_copy(update={"earlier_keys": earlier})
    if config.access is not None:
        update["access"] = _with_absolute_access(config.access, folder)
    if config.classifier.head:
        update["classifier"] = config.classifier.model_copy(update={"head": folder / config.classifier.head})
    if config.defaults.calibration:
        own = folder / config.defaults.calibration
        update["defaults"] = config.defaults.model_copy(update={"calibration": own})
    update["domains"] = {
        name: each.model_copy(update={"calibration": folder / each.calibration}) if each.calibration else each
        for name, each in config.domains.items()
    }
    update["servers"] = {name: _with_absolute_models(each, folder) for name, each in config.servers.items()}
    return _with_absolute_certificates(config.model_copy(update=update), folder)


def _with_absolute_certificates(section: S, folder: Path) -> S:
    """Return the section with the files of each ``tls`` in it relative to the folder, however deep it stands."""
    if isinstance(section, TlsSettings):
        named = {name: getattr(section, name) for name in ("ca_file", "cert_file", "key_file")}
        return section.model_copy(update={name: folder / each for name, each in named.items() if each is not None})
    update: dict[str, Any] = {}
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, Settings):
            update[name] = _with_absolute_certificates(value, folder)
        elif isinstance(value, dict) and any(isinstance(each, Settings) for each in value.values()):
            update[name] = {key: _with_absolute_certificates(each, folder) for key, each in value.items()}
    return section.model_copy(update=update)


def _with_absolute_access(access: AccessSettings, folder: Path) -> AccessSettings:
    jwt = access.jwt
    if jwt is not None and jwt.jwks_file is not None:
        jwt = jwt.model_copy(update={"jwks_file": folder / jwt.jwks_file})
    policies = None if access.policies is None else folder / access.policies
    return access.model_copy(update={"policies": policies, "jwt": jwt})


def _with_absolute_models(server: ServerSettings, folder: Path) -> ServerSettings:
    def absolute(name: str) -> str:
        # a hub name looks like a relative path: only what is there, or says that it is a path, is one
        is_path = name.startswith((".", "~")) or (folder / name).exists()
        return str(folder / Path(name).expanduser()) if is_path else name

    adapters = {domain: absolute(each) for domain, each in server.adapters.items()}
    return server.model_copy(update={"model": absolute(server.model), "adapters": adapters})
