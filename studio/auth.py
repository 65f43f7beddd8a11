"""Who may call the LangGraph server, as ``[access]`` says in the configuration that ``MOSLM_CONFIG`` names.

Without ``[access]`` everybody may do everything: a server for development.
"""

from __future__ import annotations

import os

from moslm import load
from moslm.integrations.server_auth import build_auth

auth = build_auth(load(os.environ.get("MOSLM_CONFIG") or None))
