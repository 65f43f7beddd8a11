"""The OpenAI-compatible endpoint: the whole graph as one model behind ``/v1/chat/completions``.

Needs the extra ``api``; nothing of it is imported before `build_api` is called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from moslm.config import Config
from moslm.errors import MissingExtraError

if TYPE_CHECKING:
    from fastapi import FastAPI

    from moslm.integrations.asking import Graph

FOREIGN = ("fastapi", "prometheus_client", "starlette", "uvicorn")
"""Modules of the extra."""


def build_api(
    config: Config, graph: Callable[[], Graph], *, open_to_all: bool = False, metrics_path: str = "/metrics"
) -> FastAPI:
    """Build the endpoint as an ASGI application, to be served or mounted.

    Args:
        config: The settings; ``[api]`` names the callers.
        graph: Returns the compiled graph, without a checkpointer; called once, with the first request.
        open_to_all: Whether a request without a key is answered where no key is configured.
        metrics_path: Where the meters are read; that page asks for a key or a token under ``[access]`` alone.

    Raises:
        MissingExtraError: The extra ``api`` is not installed.
        ConfigError: The environment variable of a key is not set.
    """
    try:
        from moslm.integrations.api.app import create_app
    except ImportError as error:
        if (error.name or "").partition(".")[0] in FOREIGN:
            raise MissingExtraError("the OpenAI-compatible endpoint", "api") from None
        raise
    return create_app(config, graph, open_to_all=open_to_all, metrics_path=metrics_path)
