"""The bar that ``moslm fit`` shows: texts read and steps of its regressions, in proportion to the time they take.

How many texts there are to read is an estimate, since only doubtful parts of requests are read; the bar waits at its
end rather than run over.
"""

from __future__ import annotations

import threading
from types import TracebackType

_TEXTS_A_STEP = 15
"""A step of a regression takes about as long as it takes to read so many texts."""
_BANK_ROWS = 3000
_PIECES = 2
"""Parts of a request of several parts that are read."""


class FitProgress:
    """A bar on the terminal, none where nobody looks; safe to share between threads."""

    def __init__(self, rows: int, held_out: int, parted: int) -> None:
        from moslm.models.classifiers.fitting import CAREFUL_ROWS, STEPS

        texts = min(rows, CAREFUL_ROWS) + held_out + _PIECES * parted + min(rows, _BANK_ROWS)
        self._left = self._total = texts + STEPS * _TEXTS_A_STEP
        self._lock = threading.Lock()

    def __enter__(self) -> FitProgress:
        from tqdm import tqdm

        layout = "{l_bar}{bar}| {elapsed}, about {remaining} left"
        self._bar = tqdm(total=self._total, desc="fitting", bar_format=layout, leave=False, disable=None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()

    def read(self) -> None:
        """One text was read."""
        self._advance(1)

    def stepped(self) -> None:
        """A regression took a step."""
        self._advance(_TEXTS_A_STEP)

    def _advance(self, most: int) -> None:
        with self._lock:
            count = min(most, self._left)
            self._left -= count
            self._bar.update(count)
