"""The reliability diagram: what was said against what came true, as text and as PNG.

Knows bins; nothing of how they were made.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from moslm.errors import ConfigError, MissingExtraError
from moslm.escalation.calibration.judging import Bin

_WIDTH = 40


def reliability_text(bins: Sequence[Bin]) -> str:
    """Return a line a bin: answers, probability said, share right, and a bar whose ``|`` marks what was said."""
    lines = [f"{'answers':>7}  {'said':>5}  {'right':>5}"]
    for each in bins:
        bar = list(("#" * round(each.right * _WIDTH)).ljust(_WIDTH + 1))
        bar[round(each.probability * _WIDTH)] = "|"
        lines.append(f"{each.answers:>7}  {each.probability:>5.3f}  {each.right:>5.3f}  {''.join(bar).rstrip()}")
    return "\n".join(lines)


def reliability_png(bins: Sequence[Bin], file: Path) -> None:
    """Draw the diagram.

    Raises:
        MissingExtraError: matplotlib is not installed.
        ConfigError: The file cannot be written.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError("the reliability diagram as PNG", "plots") from None
    figure = Figure(figsize=(4.5, 4.5), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="0.6", linewidth=1)
    axes.plot([each.probability for each in bins], [each.right for each in bins], marker="o")
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="probability said", ylabel="share right", aspect="equal")
    try:
        figure.savefig(file, format="png", dpi=120)
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}", file=str(file)) from None
