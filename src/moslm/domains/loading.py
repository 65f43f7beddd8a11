"""From folders to `Domain` objects: the shipped ones and the user's own, every mistake in one line."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import replace
from difflib import get_close_matches
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from moslm.config import Config, DomainSettings, validated
from moslm.domains.domain import Domain, Page, ResolvedSettings, resolve_settings
from moslm.domains.served import served_model, server_named
from moslm.errors import ConfigError

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


class DomainFile(DomainSettings):
    """What a ``domain.toml`` may say: the settings of a domain and what it is."""

    title: Annotated[str, Field(min_length=1)]
    description: Annotated[str, Field(min_length=1)]
    large_model_only: bool = False


def load_domains(config: Config, *, file: str | None = None) -> dict[str, Domain]:
    """Read the shipped domains and those of ``domain_folders``.

    Args:
        config: The configuration in force.
        file: The file it was read from, for messages.

    Returns:
        The domains that are served, by name: the shipped ones first, each folder in alphabetical order.

    Raises:
        ConfigError: A folder or file is missing or cannot stand, two domains have one name, or the configuration
            names a domain that does not exist.
    """
    found: dict[str, Traversable] = {}
    for root in [files("moslm.domains"), *_own_folders(config, file)]:
        for folder in _domain_folders(root):
            if folder.name in found:
                raise ConfigError(
                    f"two domains have this name, the other one is {found[folder.name]}",
                    file=str(folder),
                    key="name of the folder",
                    value=folder.name,
                    mend="rename one of the folders",
                )
            found[folder.name] = folder
    served = _served(config, list(found), file)
    return {name: _read_domain(found[name], config, file) for name in served}


def _own_folders(config: Config, file: str | None) -> list[Traversable]:
    for folder in config.domain_folders:
        key, value = "domain_folders", str(folder)
        if not folder.is_dir():
            raise ConfigError("no such folder", file=file, key=key, value=value, mend="create it or remove the entry")
        if (folder / "domain.toml").is_file():
            mend = f"write the folder that holds it: {str(folder.parent)!r}"
            raise ConfigError("is a domain, not a folder of domains", file=file, key=key, value=value, mend=mend)
    return list(config.domain_folders)


def _domain_folders(root: Traversable) -> list[Traversable]:
    found = sorted(root.iterdir(), key=lambda each: each.name)
    folders = [each for each in found if each.is_dir() and not each.name.startswith((".", "__"))]
    for folder in folders:
        if not _NAME.fullmatch(folder.name):
            mend = "use small letters, digits and underscores, such as human_resources"
            key = "name of the folder"
            raise ConfigError("cannot be a domain's name", file=str(folder), key=key, value=folder.name, mend=mend)
    return sorted(folders, key=lambda folder: folder.name)


def _served(config: Config, names: list[str], file: str | None) -> list[str]:
    for name in config.domains:
        if name not in names:
            raise ConfigError("no such domain", file=file, key=f"domains.{name}", mend=_did_you_mean(name, names))
    for server, settings in config.mcp.items():
        _check_named(settings.domains, names, f"mcp.{server}.domains", file)
    wanted = config.only_domains
    if wanted is None:
        return names
    _check_named(wanted, names, "only_domains", file)
    if not wanted:
        raise ConfigError("names no domain", file=file, key="only_domains", value=wanted, mend="name one or remove it")
    return [name for name in names if name in wanted]


def _check_named(wanted: list[str], names: list[str], key: str, file: str | None) -> None:
    for name in wanted:
        if name not in names:
            raise ConfigError("no such domain", file=file, key=key, value=name, mend=_did_you_mean(name, names))


def _did_you_mean(name: str, names: list[str]) -> str:
    close = get_close_matches(name, names, n=1)
    return f"did you mean {close[0]}?" if close else f"there are {', '.join(names)}"


def _read_domain(folder: Traversable, config: Config, file: str | None) -> Domain:
    own = _read_settings(folder / "domain.toml")
    if own.calibration:
        own = own.model_copy(update={"calibration": Path(str(folder)) / own.calibration})
    return Domain(
        name=folder.name,
        title=own.title,
        description=own.description,
        prompt=_read_prompt(folder / "prompt.md"),
        examples=_read_examples(folder / "examples.jsonl"),
        knowledge=_read_knowledge(folder / "knowledge"),
        settings=_on_its_server(own, folder, config, file),
        large_model_only=own.large_model_only,
        file=str(folder / "domain.toml"),
    )


def _on_its_server(own: DomainFile, folder: Traversable, config: Config, file: str | None) -> ResolvedSettings:
    """Resolve a domain's settings, its model among them where they name the server it runs on."""
    overrides = config.domains.get(folder.name)
    settings = resolve_settings(own, config.defaults, overrides)
    server = server_named(own, config.defaults, overrides)
    if server is None:
        return settings
    try:
        return replace(settings, model=served_model(config.servers, server, folder.name, config.ray))
    except ConfigError as error:
        if overrides and overrides.server:
            raise error.at(file, f"domains.{folder.name}") from None
        raise (
            error.at(file, "defaults") if config.defaults.server else error.at(str(folder / "domain.toml"), "")
        ) from None


def _read_settings(file: Traversable) -> DomainFile:
    text = _read_text(file, mend='write title = "..." and description = "..." into it')
    try:
        values: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"not TOML: {error}", file=str(file)) from None
    return validated(DomainFile, values, file=str(file))


def _read_prompt(file: Traversable) -> str:
    mend = "write the domain's system prompt into it"
    prompt = _read_text(file, mend=mend).strip()
    if not prompt:
        raise ConfigError("is empty", file=str(file), mend=mend)
    return prompt


def _read_examples(file: Traversable) -> tuple[str, ...]:
    mend = 'write one {"text": "a request"} a line'
    lines = _read_text(file, mend=mend).split("\n")
    examples = tuple(_example(line, number, file, mend) for number, line in enumerate(lines, 1) if line.strip())
    if not examples:
        raise ConfigError("holds no example", file=str(file), mend=mend)
    return examples


def _example(line: str, number: int, file: Traversable, mend: str) -> str:
    try:
        row = json.loads(line)
    except ValueError:
        row = None
    text = row.get("text") if isinstance(row, dict) else None
    if not isinstance(text, str) or not text.strip():
        raise ConfigError("is no example", file=str(file), key=f"line {number}", value=line.strip(), mend=mend)
    return text


def _read_knowledge(folder: Traversable) -> tuple[Page, ...]:
    if not folder.is_dir():
        return ()
    pages = sorted((each for each in folder.iterdir() if each.name.endswith(".md")), key=lambda page: page.name)
    return tuple(Page(source=page.name, text=_read_text(page, mend="")) for page in pages)


def _read_text(file: Traversable, *, mend: str) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError("no such file", file=str(file), mend=mend) from None
    except UnicodeDecodeError:
        raise ConfigError("is not UTF-8 text", file=str(file), mend="save it as UTF-8") from None
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=str(file)) from None
