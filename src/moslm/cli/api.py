"""``moslm api``: serves the graph as one model behind OpenAI's protocol, until it is told to stop."""

from __future__ import annotations

import argparse
import socket
from ipaddress import ip_address

from moslm.cli.settings import add_config, config_file, settings
from moslm.errors import ConfigError, MissingExtraError

HELP = "Serve the graph as one model behind OpenAI's protocol"
_GRACE_S = 10
"""How long requests in flight may take to end once the server is told to stop."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_config(parser)
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen at; others than this machine's need keys"
    )
    parser.add_argument("--port", type=int, default=8100, help="port to listen at (8100); 0 takes a free one")


def run(options: argparse.Namespace) -> int:
    """Serve until a signal ends it."""
    from moslm import create_moslm
    from moslm.cli.first_use import bring_weights
    from moslm.integrations.api import build_api

    config = settings(options.config)
    local = _is_this_machine(options.host)
    if not config.api.keys and not local:
        raise ConfigError(
            "is open to other machines, and no key is configured",
            key="--host",
            value=options.host,
            mend="add [api.keys.NAME] with env = the variable that holds the key",
        )
    bring_weights(config_file(options.config))
    graph = create_moslm(config_file(options.config)).compile(name="moslm")
    app = build_api(config, lambda: graph, open_to_all=local)
    try:
        import uvicorn
    except ImportError:
        raise MissingExtraError("moslm api", "api") from None
    with _listening(options.host, options.port) as listener:
        host, port = listener.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        print(f"serving {config.api.model} at http://{shown}:{port}/v1 (Ctrl-C ends it)", flush=True)
        server = uvicorn.Server(
            uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=_GRACE_S)
        )
        server.run(sockets=[listener])
    return 0


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"cannot be listened at: {why}", key="--port", value=port, mend="choose another") from None
