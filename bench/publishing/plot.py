"""The frontiers as one small SVG on white, legible on light and dark pages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

STYLES = {
    "moslm": ("#0b6e4f", "-", 2.2),
    "moslm, several small models": ("#12a377", "-", 2.2),
    "moslm, by the request": ("#0b6e4f", "--", 1.4),
    "probability alone": ("#12a377", ":", 1.2),
    "raw agreement": ("#5b7fb9", "--", 1.4),
    "cascadeflow, by the answer": ("#e07a1f", "-", 1.4),
    "cascadeflow, by the request": ("#e07a1f", "--", 1.4),
    "random mix": ("#8c8c8c", "--", 1.2),
    "oracle": ("#bbbbbb", "-", 1.2),
}


def draw(frontiers: Mapping[str, Mapping[str, Any]], file: Path) -> None:
    """Write the picture; the same figures give the same bytes."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "moslm", "font.size": 8})
    from matplotlib import pyplot

    columns = 3
    lines = -(-len(frontiers) // columns)
    size = (4.6 * columns, 3.3 * lines + 0.6)
    picture, axes = pyplot.subplots(lines, columns, figsize=size, layout="constrained", squeeze=False)
    for axis in axes.flat[len(frontiers) :]:
        axis.set_visible(False)
    for axis, (name, each) in zip(axes.flat, frontiers.items(), strict=False):
        _panel(axis, name, each)
    handles = {
        label: handle for axis in axes.flat for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)
    }
    picture.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=5, frameon=False)
    picture.savefig(file, facecolor="white", metadata={"Date": None})
    pyplot.close(picture)


def _panel(axis: Any, name: str, each: Mapping[str, Any]) -> None:
    for system in each["systems"]:
        colour, line, width = STYLES[system["system"]]
        costs, qualities = ([point[key] for point in system["curve"]] for key in ("cost", "quality"))
        axis.plot(costs, qualities, line, color=colour, linewidth=width, label=system["system"])
    priced = [model for model in each["models"] if model["cost"] is not None]
    axis.plot(
        [m["cost"] for m in priced], [m["quality"]["value"] for m in priced], "k.", markersize=5, label="one model"
    )
    axis.set_title(name, fontsize=9)
    axis.set_xlabel(each["unit"])
    axis.set_ylabel("points a case")
    axis.spines[["top", "right"]].set_visible(False)
