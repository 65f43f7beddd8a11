"""What the tests of memory stand on: memories in stores of the test's own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

import pytest
from recall_samples import a_memory

from moslm.recall.memory import Memory
from moslm.recall.redis import RedisRecall
from moslm.recall.sqlite import RecallFile
from moslm.recall.stores import OwnStore

MakeMemory = Callable[..., Memory]


@pytest.fixture(params=["sqlite", "redis"])
def own(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OwnStore]:
    """A store of the test's own, once of each kind."""
    made: OwnStore
    if request.param == "sqlite":
        made = RecallFile(tmp_path / "recall.sqlite")
    else:
        server = request.getfixturevalue("redis_server")
        made = RedisRecall(server.url, prefix=uuid4().hex, timeout_s=10)
    yield made
    made.close()


@pytest.fixture
def memory(own: OwnStore) -> MakeMemory:
    """Make a memory: ``memory("version 2", ttl_minutes=1)``; all of one test share a store."""
    return partial(a_memory, own)


@pytest.fixture
def filed(tmp_path: Path) -> MakeMemory:
    """Make a memory in a file."""
    return partial(a_memory, RecallFile(tmp_path / "recall.sqlite"))
