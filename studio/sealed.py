"""Threads of a LangGraph server in Postgres behind the seal: what the key ``checkpointer`` of a langgraph.json names.

``MOSLM_CONFIG`` names a moslm.toml with ``[at_rest]`` and ``[checkpoints]``. The server reads threads without saying
whose they are, so all are sealed as one tenant's; who may read which is what its ``auth`` decides.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver

from moslm import load
from moslm.errors import ConfigError
from moslm.graph.checkpoints import aopen_saver

_FILE = os.environ.get("MOSLM_CONFIG") or None
_CONFIG = load(_FILE)
if not _CONFIG.at_rest.seal:
    raise ConfigError("is not set", file=_FILE, key="at_rest.seal", mend="set it to true")


@asynccontextmanager
async def checkpointer() -> AsyncIterator[BaseCheckpointSaver[Any]]:
    """Open the saver for the lifetime of the server."""
    async with aopen_saver(_CONFIG, _FILE, tenant="server") as saver:
        yield saver
