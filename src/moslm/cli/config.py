"""``moslm config``: check the configuration, print its schema for editors, or an example to start from."""

from __future__ import annotations

import argparse
import json
from importlib import resources

from moslm.cli.settings import HERE, config_file
from moslm.cli.table import items, labelled
from moslm.config import Config, EmbeddedModel, ModelSettings
from moslm.errors import ConfigError

HELP = "Check the configuration; print its schema or an example"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what to do with which file."""
    parser.add_argument("what", choices=["check", "schema", "example"], help="check a file, or print schema or example")
    parser.add_argument("file", nargs="?", metavar="FILE", help=f"for check: by default {HERE} in this folder")


def run(options: argparse.Namespace) -> int:
    """Check, or print."""
    if options.file and options.what != "check":
        raise ConfigError(
            f"there is nothing to check with {options.what}", key="FILE", value=options.file, mend="leave it out"
        )
    if options.what == "schema":
        print(json.dumps(schema(), indent=2))
    elif options.what == "example":
        print(example(), end="")
    else:
        print(_checked(options.file))
    return 0


def schema() -> dict[str, object]:
    """Return the JSON Schema of ``moslm.toml``."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Config.model_json_schema()}


def example() -> str:
    """Return a commented ``moslm.toml`` to start from."""
    return resources.files("moslm.cli").joinpath("moslm.example.toml").read_text(encoding="utf-8")


def named(model: ModelSettings) -> str:
    """Return a model's kind and name."""
    name = model.weights if isinstance(model, EmbeddedModel) else model.name
    return name if name == model.kind else f"{model.kind} {name}"


def _checked(file: str | None) -> str:
    """Build everything a request would need, as the graph does, and tell what stands."""
    from moslm.graph.parts import build_parts

    file = config_file(file)
    parts = build_parts(file)
    config = parts.config
    served = [f"{name} ({named(parts.domains[name].settings.model)})" for name in parts.agents]
    large = named(config.large_model.model) if config.large_model else "none: what must go up is handed over"
    lines = [
        ("domains", items(served)),
        ("large only", items([name for name in parts.domains if name not in parts.agents])),
        ("large model", large),
        ("classifier", config.classifier.kind),
    ]
    return f"{file or 'The embedded default'} is sound.\n{labelled(lines)}"
