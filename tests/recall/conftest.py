"""What the tests of memory stand on: memories in a folder of the test's own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from moslm.config import RecallSettings
from moslm.models.encoders import load_encoder
from moslm.recall.checking import Checker
from moslm.recall.memory import Memory, Policy
from moslm.recall.sqlite import RecallFile

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

ENCODER = load_encoder("wordllama-l2-supercat-256")
MakeMemory = Callable[..., Memory]


@pytest.fixture
def memory(tmp_path: Path) -> MakeMemory:
    """Make a memory: ``memory("version 2", ttl_minutes=1)``; all of one test share a file."""

    def make(
        version: str = "1",
        *,
        never: frozenset[str] = frozenset(),
        checker: Checker | None = None,
        file: RecallFile | None = None,
        sampled: float = 1.0,
        **settings: Any,
    ) -> Memory:
        policy = Policy(version, RecallSettings(**settings), never, sampled=lambda: sampled)
        return Memory(policy, ENCODER, file or RecallFile(tmp_path / "recall.sqlite"), checker)

    return make
