"""What ``moslm doctor`` finds out about models: weights, servers, keys, packages and prices. Asks no model anything."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal
from urllib.parse import urlsplit

from moslm.budgets.prices import PriceTable
from moslm.cli.config import named
from moslm.cli.table import items
from moslm.config import Config, EmbeddedModel, HostedModel, ModelSettings, VLLMModel
from moslm.errors import ConfigError, MoSLMError
from moslm.models.chat.vllm import tls_of
from moslm.privacy.egress import check_base_url
from moslm.serving.looking import Seen, load_of, look

State = Literal["ok", "missing", "note"]

EXTRAS = {
    "local": ("xllamacpp", "models inside this process"),
    "tools": ("sqlalchemy", "tools over a company database"),
    "hosted": ("langchain", "hosted models"),
    "mcp": ("langchain_mcp_adapters", "tools of MCP servers"),
    "hub": ("huggingface_hub", "weights from the Hugging Face hub"),
    "draw": ("PIL", "the graph as a picture"),
    "encryption": ("cryptography", "encryption of what is kept"),
    "auth": ("joserfc", "tokens and policies"),
    "studio": ("langgraph_cli", "LangGraph Studio"),
    "ray": ("ray", "model servers on a Ray cluster"),
}
"""Extras: the module that shows they are installed, and what they are for."""

_KEYS = {
    "openai": "OPENAI_API_KEY",
    "azure_openai": "AZURE_OPENAI_API_KEY",
    "anthropic": "ANTHROPIC_API_KEY",
    "google_genai": "GOOGLE_API_KEY",
    "mistralai": "MISTRAL_API_KEY",
    "groq": "GROQ_API_KEY",
    "together": "TOGETHER_API_KEY",
    "cohere": "COHERE_API_KEY",
    "deepseek": "DEEPSEEK_API_KEY",
}
"""Where the providers' own packages look for their key."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    state: State
    what: str
    detail: str
    mend: str = ""
    """The command, or the words, that mend it."""


def distinct(models: list[ModelSettings]) -> list[ModelSettings]:
    """Return each model once, in order."""
    return [model for i, model in enumerate(models) if model not in models[:i]]


def model_findings(config: Config, model: ModelSettings, users: str) -> Iterator[Finding]:
    """Yield what there is to find about one configured model and those who use it."""
    what = f"{named(model)} for {users}"
    if isinstance(model, EmbeddedModel):
        yield from _embedded(model, what)
    elif isinstance(model, VLLMModel):
        yield from _served(config, model, what)
    elif isinstance(model, HostedModel):
        yield from _hosted(config, model, what)
    else:
        yield Finding("note", what, "answers from a script, for tests and documentation")


def _embedded(model: EmbeddedModel, what: str) -> Iterator[Finding]:
    from moslm.models.weights import PINNED, find

    if not installed("local"):
        yield lacking("local", what)
    try:
        yield Finding("ok", what, f"weights at {find(model.weights)}")
    except MoSLMError as error:
        # what is not pinned cannot be pulled by its name alone; the error itself says what can be done
        yield Finding("missing", what, str(error), f"moslm pull {model.weights}" if model.weights in PINNED else "")


def _unset(variable: str, what: str) -> Finding:
    return Finding("missing", what, f"the variable {variable} is not set", f"export {variable}=...")


def _served(config: Config, model: VLLMModel, what: str) -> Iterator[Finding]:
    key = os.environ.get(model.api_key_env) if model.api_key_env else None
    if model.api_key_env and not key:
        yield _unset(model.api_key_env, what)
    allowed = []
    for url in model.base_url:
        try:
            check_base_url(url, config.allow_hosts)
        except ConfigError as error:
            # whoever may not be asked is not looked at either, and is sent no key
            yield Finding("missing", what, str(error))
        else:
            allowed.append(url)
    try:
        tls = tls_of(model)
    except ConfigError as error:
        yield Finding("missing", what, str(error))
        return
    for place, seen in enumerate(look(allowed, key, tls=tls), 1):
        whose = what if len(allowed) == 1 else f"{what}, server {place} of {len(allowed)}"
        yield _server(config, model, seen, whose, key, tls)


def _server(
    config: Config, model: VLLMModel, seen: Seen, what: str, key: str | None, tls: ssl.SSLContext | None
) -> Finding:
    if seen.problem:
        ours = next((name for name in config.servers if seen.base_url in config.base_urls(name)), None)
        if ours is not None:
            return Finding("missing", what, f"{seen.base_url}: {seen.problem}", f"moslm serve {ours}")
        address = urlsplit(seen.base_url)
        port = address.port or (443 if address.scheme == "https" else 80)
        mend = f"vllm serve MODEL --served-model-name {model.name} --port {port}"
        return Finding("missing", what, f"{seen.base_url}: {seen.problem}", mend)
    wanted = model.lora or model.name
    if wanted not in seen.models:
        serves = items(list(seen.models)) or "nothing"
        mend = f"serve it under that name (--lora-modules {wanted}=DIR)" if model.lora else f'set name to "{serves}"'
        return Finding(
            "missing", what, f"{seen.base_url} answers but does not serve {wanted}; it serves {serves}", mend
        )
    load = load_of(seen.base_url, key, tls=tls)
    busy = f"; {load.running} requests are running and {load.waiting} wait" if load else ""
    return Finding("ok", what, f"{seen.base_url} answers{busy}")


def _hosted(config: Config, model: HostedModel, what: str) -> Iterator[Finding]:
    if not installed("hosted"):
        yield lacking("hosted", what)
    provider = model.name.partition(":")[0]
    package = "openai" if provider == "azure_openai" else provider
    if provider in _KEYS and find_spec(f"langchain_{package}") is None:
        name = f"langchain-{package.replace('_', '-')}"
        yield Finding("missing", what, f"the package {name} is not installed", f"pip install {name}")
    if provider in _KEYS and not os.environ.get(_KEYS[provider]):
        yield _unset(_KEYS[provider], what)
    try:
        price = PriceTable(config.prices).of(model.name, owned=False)
    except MoSLMError as error:
        yield Finding("missing", what, str(error))
        return
    known = f"${price.input:g} in, ${price.output:g} out per million tokens"
    yield Finding("ok", what, f"{known} ({price.as_of or 'your own price'})")


def installed(extra: str) -> bool:
    """Tell whether an extra's packages are there."""
    return find_spec(EXTRAS[extra][0]) is not None


def how_to_install(extra: str) -> str:
    """Return the command that installs an extra."""
    return f"pip install 'moslm[{extra}]'"


def lacking(extra: str, what: str) -> Finding:
    """Return the finding that something needs an extra that is not there."""
    return Finding("missing", what, f"needs the extra {extra}, which is not installed", how_to_install(extra))
