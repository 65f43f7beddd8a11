"""The comparison as one picture: what is right, what is noticed as novel, what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

COLOURS = ("#0b6e4f", "#e07a1f", "#5b7fb9", "#a9bcd9", "#8c8c8c")


def draw(figures: Mapping[str, Mapping[str, Any]], file: Path) -> None:
    """Write the picture to a file; the name's ending says in which format."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    picture, axes = pyplot.subplots(1, 4, figsize=(15, 4.6), width_ratios=(3, 2, 2, 1), layout="constrained")
    _bars(axes[0], figures, _ACCURACY, "accuracy", "{:.0%}")
    _bars(axes[1], figures, _NOVELTY, "novelty AUROC (0.5 is chance)", "{:.2f}")
    _bars(axes[2], figures, _TIME, "ms a request, one thread (log)", "{:.3g}", log=True)
    _bars(axes[3], figures, _MEMORY, "peak memory, MB", "{:.0f}")
    axes[0].set_ylim(0, 1.08)
    axes[1].set_ylim(0.4, 1.04)
    axes[1].axhline(0.5, color="black", linewidth=0.8, linestyle=":")
    handles, labels = axes[0].get_legend_handles_labels()
    picture.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    picture.savefig(file, dpi=150)
    pyplot.close(picture)


_ACCURACY = {
    "test": lambda f: f["test"]["accuracy"],
    "left-out\nsources, mean": lambda f: f["left_out"]["mean_recall"],
    "worst left-out\nsource": lambda f: f["left_out"]["worst"]["recall"],
}
_NOVELTY = {
    "test": lambda f: f["test"]["novelty_auroc"],
    "left-out\nsources": lambda f: f["left_out"]["novelty_auroc"],
}
_TIME = {"p50": lambda f: f["ms"]["p50"], "p95": lambda f: f["ms"]["p95"]}
_MEMORY = {"serving": lambda f: f["peak_mb"]}


def _bars(axis: Any, figures: Any, groups: Any, title: str, form: str, *, log: bool = False) -> None:
    width = 0.82 / len(figures)
    for place, (name, found) in enumerate(figures.items()):
        heights = [read(found) for read in groups.values()]
        at = [group + (place - (len(figures) - 1) / 2) * width for group in range(len(groups))]
        bars = axis.bar(at, heights, width * 0.92, label=name, color=COLOURS[place % len(COLOURS)])
        axis.bar_label(bars, [form.format(each) for each in heights], fontsize=7, rotation=90, padding=2)
    if log:
        axis.set_yscale("log")
    axis.margins(y=0.16)
    axis.set_xticks(range(len(groups)), list(groups))
    axis.set_title(title, fontsize=10)
    axis.spines[["top", "right"]].set_visible(False)
