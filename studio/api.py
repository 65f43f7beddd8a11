"""The OpenAI-compatible endpoint as the LangGraph server mounts it, beside the graph it serves.

It answers callers with a key alone (``[api.keys]`` in the configuration that ``MOSLM_CONFIG`` names), whatever the
server's own authentication is. Its meters are at ``/moslm/metrics``, because ``/metrics`` is the server's own.
"""

from __future__ import annotations

import os

from moslm import create_moslm, load
from moslm.integrations.api import build_api

_FILE = os.environ.get("MOSLM_CONFIG") or None

app = build_api(load(_FILE), lambda: create_moslm(_FILE).compile(name="moslm"), metrics_path="/moslm/metrics")
