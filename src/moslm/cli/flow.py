"""Text that comes bit by bit, broken between words so that it fits the terminal; pipes and files get it as it is."""

from __future__ import annotations

import re
import shutil
import sys

from moslm.cli.style import WIDTH

_PIECES = re.compile(r"\n|[^\S\n]+|\S+")


class Flow:
    """Breaks one text. Give it what comes with `take`, and print `end` when nothing more comes.

    Args:
        width: Columns it has to fit; None breaks nothing.
    """

    def __init__(self, width: int | None) -> None:
        self._width, self._column = width, 0
        self._gap = self._word = ""

    def take(self, text: str) -> str:
        """Return what can be printed now: everything but a word that may go on."""
        if self._width is None:
            return text
        return "".join(self._piece(piece) for piece in _PIECES.findall(text))

    def end(self) -> str:
        """Return the last word."""
        if not self._word:
            return ""
        breaks = self._column + len(self._gap) + len(self._word) > (self._width or 0) and self._column > 0
        lead = "\n" if breaks else self._gap
        self._column = len(self._word) + (0 if breaks else self._column + len(self._gap))
        word, self._gap, self._word = self._word, "", ""
        return lead + word

    def _piece(self, piece: str) -> str:
        if not piece.isspace():
            self._word += piece
            return ""
        before = self.end()
        if piece != "\n":
            self._gap += piece
            return before
        self._column, self._gap = 0, ""
        return before + piece


def flow() -> Flow:
    """Return a flow that fits what stdout is."""
    return Flow(min(WIDTH, shutil.get_terminal_size().columns) if sys.stdout.isatty() else None)


def fitted(text: str) -> str:
    """Return a whole text as it fits what stdout is."""
    flowing = flow()
    return flowing.take(text) + flowing.end()
