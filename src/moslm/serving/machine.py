"""What this machine offers a model server, and how much of its memory one takes. Reads /proc; Linux alone."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path

_MIB = 1 << 20


@cache
def has_gpu() -> bool:
    """Tell whether there is an NVIDIA GPU with a driver."""
    return Path("/dev/nvidiactl").exists() or Path("/dev/dxg").exists()


@cache
def has_bf16() -> bool:
    """Tell whether the CPU computes in bfloat16."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    except OSError:
        return False
    return not {"avx512_bf16", "amx_bf16", "bf16"}.isdisjoint(flags)


def descendants(pid: int) -> set[int]:
    """Return a process and everything that descends from it, as far as it is still there."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            parent = parent_of(int(entry.name))
            if parent is not None:
                children.setdefault(parent, []).append(int(entry.name))
    found, left = {pid}, [pid]
    while left:
        below = [child for child in children.get(left.pop(), ()) if child not in found]
        found.update(below)
        left.extend(below)
    return found


def parent_of(pid: int) -> int | None:
    """Return a process's parent; None where there is no such process."""
    try:
        # the second field is the name in brackets, which may hold spaces and brackets of its own
        return int(
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1]
        )
    except (OSError, IndexError, ValueError):
        return None


def memory_of(pids: Iterable[int]) -> int:
    """Return the main memory that processes take, bytes; what they share with others counts by its share."""
    total = 0
    for pid in pids:
        with suppress(OSError, ValueError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
    return total


def gpu_memory_of(pids: Iterable[int]) -> int:
    """Return the GPU memory that processes take, bytes; 0 where nvidia-smi is not there or cannot tell."""
    if not has_gpu() or shutil.which("nvidia-smi") is None:
        return 0
    query = ["nvidia-smi", "--query-compute-apps=pid,used_memory", "--format=csv,noheader,nounits"]
    try:
        told = subprocess.run(query, capture_output=True, text=True, timeout=5, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return 0
    return in_csv(told, set(pids))


def in_csv(told: str, pids: set[int]) -> int:
    """Add up what nvidia-smi told of some processes: lines of process number and MiB. Returns bytes."""
    total = 0
    for line in told.splitlines():
        pid, _, mib = line.partition(",")
        if pid.strip().isdigit() and mib.strip().isdigit() and int(pid) in pids:
            total += int(mib) * _MIB
    return total
