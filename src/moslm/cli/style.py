"""Bold and dim text for people; plain text for pipes, files and whoever sets NO_COLOR.

Also makes text from outside safe to print: a model's answer must not be able to steer the terminal it is shown on.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TextIO

WIDTH = 100
"""Columns that every table and every paragraph fits."""


@dataclass(frozen=True, slots=True)
class Style:
    """How emphasis is written on one stream."""

    colour: bool

    def bold(self, text: str) -> str:
        """Return text that stands out."""
        return f"\x1b[1m{text}\x1b[0m" if self.colour and text else text

    def dim(self, text: str) -> str:
        """Return text that stands back."""
        return f"\x1b[2m{text}\x1b[0m" if self.colour and text else text


PLAIN = Style(colour=False)


def style_for(stream: TextIO | None = None) -> Style:
    """Return the style of a stream, by default stdout: emphasis on a terminal only, and never against NO_COLOR."""
    stream = sys.stdout if stream is None else stream
    return Style(stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb")


def safe(text: str) -> str:
    """Return text without control characters other than line ends and tabs."""
    return "".join(char if char.isprintable() or char in "\n\t" else " " for char in text)
