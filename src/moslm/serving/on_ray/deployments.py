"""What Ray Serve's configuration names: the functions that build an application from plain values.

Runs where Ray runs, on each node of the cluster; needs the extra ``ray`` there, and what the server's engine needs.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ray import serve

from moslm.errors import ConfigError
from moslm.models.chat.engine import EngineSpec
from moslm.models.weights.shelf import find
from moslm.serving.embedded_server import EmbeddedServer
from moslm.serving.on_ray.engine_process import EngineProcess

if TYPE_CHECKING:
    from ray.serve import Application
    from starlette.applications import Starlette


def embedded(args: dict[str, Any]) -> Application:
    """Build an embedded server: each replica loads the engine and speaks OpenAI's protocol itself.

    Args:
        args: ``engine``: name, model, context, parallel, threads, api_key_env; ``deployment``: options of Ray Serve.
    """
    engine = args["engine"]

    def app() -> Starlette:
        spec = EngineSpec(find(engine["model"]), engine["context"], engine["parallel"], engine["threads"])
        # the figures of one replica would be told as those of all
        return EmbeddedServer(engine["name"], spec, _key(engine["api_key_env"]), metrics=False).app()

    application: Application = serve.deployment(**args["deployment"])(serve.ingress(app)(_Replica)).bind()
    return application


def process(args: dict[str, Any]) -> Application:
    """Build a server whose replicas each run vLLM in a process of their own.

    Args:
        args: ``server``: a ``[servers.NAME]`` section; ``deployment``: options of Ray Serve.
    """
    application: Application = serve.deployment(**args["deployment"])(EngineProcess).bind(args["server"])
    return application


class _Replica:
    """Gives the application a class; what it does stands in the application."""


def _key(variable: str | None) -> str | None:
    """Return the key that requests must bear; it is read on the node, so that no cluster keeps it."""
    if variable is None:
        return None
    key = os.environ.get(variable)
    if not key:
        mend = "set it on every node of the cluster"
        raise ConfigError("the environment variable is not set", key="api_key_env", value=variable, mend=mend)
    return key
