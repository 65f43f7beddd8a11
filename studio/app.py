"""The graph as LangGraph Studio and the LangGraph server load it.

``MOSLM_CONFIG`` names a moslm.toml; without it the embedded default is served. Compiled without a checkpointer or
store: the server brings its own, and refuses to start with another.
"""

from __future__ import annotations

import os

from moslm import create_moslm
from moslm.telemetry.hiding import hide_texts_from_traces

hide_texts_from_traces()
graph = create_moslm(os.environ.get("MOSLM_CONFIG") or None).compile(name="moslm")
