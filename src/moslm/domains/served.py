"""Which model a domain asks where its settings name a server in the place of a model.

Knows how a server's settings become a model's, and where a later source takes the place of an earlier one. Knows no
process: who brings servers up is the serving room.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from moslm.config import Defaults, DomainSettings, Profile, RaySettings, ServerSettings, VLLMModel
from moslm.errors import ConfigError

_EMBEDDED_CONTEXT = 4096
_USUAL_PROMPT = 8192
"""Tokens of a prompt where the server's settings leave the context to the model."""


def server_named(own: DomainSettings, defaults: Defaults, overrides: DomainSettings | None) -> str | None:
    """Return the server that a domain's model runs on; None where it is asked otherwise.

    The later source wins, be it by ``model`` or by ``server``: the domain's own file, ``[defaults]``,
    ``[domains.NAME]``.
    """
    server = None
    for source in (own, defaults, overrides):
        said = source.model_fields_set & {"model", "server"} if source else set()
        if source and said:
            server = source.server if "server" in said else None
    return server


def served_model(
    servers: Mapping[str, ServerSettings], name: str, domain: str, ray: RaySettings | None = None
) -> VLLMModel:
    """Return the settings of the model that a domain asks on a server.

    Args:
        servers: The ``[servers]`` section.
        name: The server's name.
        domain: The domain; it asks for the LoRA adapter of its name where the server has one.
        ray: The ``[ray]`` section: all replicas are then asked at one address.

    Raises:
        ConfigError: There is no such server.
    """
    server = servers.get(name)
    if server is None:
        close = get_close_matches(name, servers, n=1)
        add = f"add a [servers.{name}] section"
        mend = f"did you mean {close[0]}?" if close else add
        raise ConfigError("no such server", key="server", value=name, mend=mend)
    return VLLMModel(
        kind="vllm",
        name=server.name or name,
        base_url=[ray.base_url(name)] if ray else server.base_urls,
        balanced=ray is not None,
        api_key_env=server.api_key_env,
        lora=domain if domain in server.adapters else None,
        max_tokens=server.max_tokens,
        temperature=server.temperature,
        revision=server.revision,
        profile=_profile(server),
    )


def _profile(server: ServerSettings) -> Profile:
    """Return what its model can do: it calls tools where a parser reads its calls, and leaves room for its answer."""
    context = server.context or (_EMBEDDED_CONTEXT if server.engine == "embedded" else None)
    prompt = max(128, context - server.max_tokens) if context else _USUAL_PROMPT
    return Profile(tool_calling=server.tool_parser is not None, max_input_tokens=prompt)
