"""``moslm graph``: the steps and every way a request can go, as mermaid or as a picture."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from moslm.errors import ConfigError

if TYPE_CHECKING:
    from langchain_core.runnables.graph import Graph

HELP = "Draw the graph as mermaid or PNG"

LABELS = {
    ("screen", "recall"): "can be read",
    ("screen", "respond"): "turned away",
    ("recall", "classify"): "nothing remembered",
    ("recall", "respond"): "remembered",
    ("check_request", "answer"): "one domain, or each its part",
    ("check_request", "escalate"): "a trigger fired",
    ("check_request", "review"): "a person decides",
    ("check_draft", "respond"): "confident",
    ("check_draft", "escalate"): "not confident",
    ("check_draft", "review"): "a person decides",
    ("escalate", "respond"): "answered or handed over",
    ("escalate", "answer"): "capped: locally",
    ("escalate", "review"): "capped: a person",
    ("review", "answer"): "write decided",
    ("review", "escalate"): "approved",
    ("review", "respond"): "rejected or answered",
}
"""When each conditional edge is taken, for the drawing; a test holds it against the graph."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add where the drawing goes."""
    parser.add_argument("--png", type=Path, metavar="FILE", help="draw a picture (extra draw)")
    parser.add_argument("--mermaid", type=Path, metavar="FILE", help="write mermaid; without any option it is printed")


def run(options: argparse.Namespace) -> int:
    """Draw."""
    graph = drawn()
    if options.png:
        _draw_png(graph, options.png)
        print(f"Drawn: {options.png}")
    if options.mermaid:
        _write(options.mermaid, graph.draw_mermaid())
        print(f"Written: {options.mermaid}")
    if not (options.png or options.mermaid):
        print(graph.draw_mermaid(), end="")
    return 0


def drawn() -> Graph:
    """Return the graph with its edges labelled.

    Its shape is the same under every configuration, so it is built of scripted models that call no tools: drawing needs
    no weights, no server, no key and no database.
    """
    from moslm import create_moslm
    from moslm.config import Config, Defaults, Profile, ScriptedModel

    model = ScriptedModel(kind="scripted", profile=Profile(tool_calling=False))
    config = Config(defaults=Defaults(model=model))
    graph = create_moslm(config).compile(name="moslm").get_graph()
    graph.edges[:] = [edge._replace(data=LABELS.get((edge.source, edge.target))) for edge in graph.edges]
    return graph


def _draw_png(graph: Graph, file: Path) -> None:
    from moslm.cli.drawing import draw_png
    from moslm.cli.layout import Link

    groups = {name: str((node.metadata or {}).get("room", "")) for name, node in graph.nodes.items()}
    links = [Link(edge.source, edge.target, str(edge.data or "")) for edge in graph.edges]
    draw_png(list(graph.nodes), links, {name: room for name, room in groups.items() if room}, file)


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}", file=str(file)) from None
