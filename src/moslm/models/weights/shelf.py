"""Where weights are kept: ``$MOSLM_HOME/weights/NAME/FILE``, and only what its hash proves is ever there.

A file becomes visible by one atomic rename after its hash was checked; a stamp beside it (size, modification time)
spares hashing a large file at every start. Knows no source.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path

from moslm.config import home
from moslm.errors import WeightsError
from moslm.models.weights.catalog import PINNED, Weights, can_name

_CHUNK = 1 << 20


def folder_of(name: str) -> Path:
    """Return the folder that weights of this name are kept in; it need not exist."""
    return home() / "weights" / name


def find(name_or_path: str | Path) -> Path:
    """Return the file of weights that are ready to load.

    Args:
        name_or_path: A pinned name, the name of weights pulled by hash, or the path of a file of one's own, which is
            taken as it is.

    Raises:
        WeightsError: Nothing is there (names the command that pulls it), or the file is not the one that was pinned.
    """
    name = str(name_or_path)
    if isinstance(name_or_path, Path) or _is_path(name):
        path = Path(name).expanduser()
        if not path.is_file():
            raise WeightsError(f"no file of weights at {path}; correct the path, or use a name of moslm pull --list")
        return path
    found = kept(PINNED[name]) if name in PINNED else _pulled_by_hash(name)
    if found is None:
        if name not in PINNED:
            raise WeightsError(f"the weights {name!r} are neither pinned nor here; {names_there_are(name)}")
        raise WeightsError(f"the weights {name!r} are not here; run: moslm pull {name}")
    return found


def hash_of(name_or_path: str) -> str:
    """Return the sha256 of weights: the pinned one, or that of the file; empty where none is ready to load."""
    if name_or_path in PINNED:
        return PINNED[name_or_path].sha256
    try:
        return sha256_of(find(name_or_path))
    except WeightsError:
        return ""


def can_be_found(name_or_path: str) -> bool:
    """Tell whether this is a path or a pinned name, which may be missing yet, or the name of weights pulled by hash."""
    return name_or_path in PINNED or _is_path(name_or_path) or bool(_stamps(name_or_path))


def names_there_are(name: str) -> str:
    """Say which names are pinned, for somebody who wrote another, and how other weights are had."""
    close = get_close_matches(name, PINNED, n=1)
    meant = f"did you mean {close[0]}? " if close else ""
    others = "moslm pull hf:OWNER/REPO/FILE.gguf --sha256 HEX, or by the path of a GGUF file"
    return f"{meant}pinned: {', '.join(PINNED)}; others by {others}"


def kept(weights: Weights) -> Path | None:
    """Return the file of these weights if it is there and proven, else None.

    Raises:
        WeightsError: A file is there, but with other bytes.
    """
    path = folder_of(weights.name) / weights.file
    if not path.is_file():
        return None
    if _stamp(path) != _measured(path, weights.sha256):
        verify(path, weights)
        _write_stamp(path, weights.sha256)
    return path


def verify(path: Path, weights: Weights) -> None:
    """Hash a file and compare.

    Raises:
        WeightsError: Other bytes than those pinned; names both hashes.
    """
    found = sha256_of(path)
    if found != weights.sha256:
        raise WeightsError(
            f"{path.name} is not {weights.name}: its sha256 is {found}, pinned is {weights.sha256}; "
            f"delete it and run: moslm pull {weights.name}"
        )


def publish(partial: Path, weights: Weights) -> Path:
    """Make a complete file visible once its hash is proven; one with other bytes is removed.

    Raises:
        WeightsError: Other bytes than those pinned; names both hashes.
    """
    found = sha256_of(partial)
    if found != weights.sha256:
        partial.unlink()
        raise WeightsError(
            f"refused {weights.name}: its sha256 is {found}, pinned is {weights.sha256}; what was fetched is removed"
        )
    path = folder_of(weights.name) / weights.file
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.replace(path)
    _sync_folder(path.parent)
    _write_stamp(path, weights.sha256)
    return path


@contextmanager
def claimed(name: str, on_wait: Callable[[], None]) -> Iterator[Path]:
    """Hold the folder of these weights against other processes that pull them; yields the folder.

    Args:
        name: Name of the weights.
        on_wait: Called once if another process holds it.
    """
    folder = folder_of(name)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file as hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _pulled_by_hash(name: str) -> Path | None:
    for stamp in _stamps(name):
        path = stamp.with_name(stamp.name.removesuffix(".verified.json"))
        recorded = _stamp(path)
        if recorded:
            return kept(Weights(name, path.name, str(recorded.get("sha256"))))
    return None


def _is_path(name: str) -> bool:
    return "/" in name or name.endswith(".gguf")


def _stamps(name: str) -> list[Path]:
    here = can_name(name) and folder_of(name).is_dir()
    return sorted(folder_of(name).glob("*.verified.json")) if here else []


def _stamp(path: Path) -> dict[str, object] | None:
    try:
        recorded = json.loads(_stamp_path(path).read_text())
    except (FileNotFoundError, ValueError):
        return None
    return recorded if isinstance(recorded, dict) else None


def _measured(path: Path, sha256: str) -> dict[str, object]:
    stat = path.stat()
    return {"sha256": sha256, "bytes": stat.st_size, "mtime_ns": stat.st_mtime_ns}


def _write_stamp(path: Path, sha256: str) -> None:
    """Record what was proven; where the folder cannot be written the file is simply hashed again next time."""
    partial = _stamp_path(path).with_suffix(f".{os.getpid()}.part")
    try:
        partial.write_text(json.dumps(_measured(path, sha256)))
        partial.replace(_stamp_path(path))
    except OSError:
        return


def _stamp_path(path: Path) -> Path:
    return path.with_name(path.name + ".verified.json")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
