"""Hosted models by LangChain's own names, such as ``openai:gpt-4o`` (extra ``hosted``). Knows no provider's API."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from langchain_core.language_models import BaseChatModel, ModelProfile

from moslm.config import HostedModel
from moslm.errors import ConfigError, MissingExtraError
from moslm.privacy.egress import check_base_url

_GIVES_LOGPROBS = re.compile(r"(azure_)?openai:(?!o\d|gpt-[5-9])")
"""Models that take ``logprobs``; OpenAI's reasoning models refuse a request that asks for them."""


def build_hosted(
    settings: HostedModel, profile: dict[str, Any], deadline_ms: float, allow_hosts: Sequence[str]
) -> BaseChatModel:
    """Build a model that LangChain's `init_chat_model` knows; nobody is asked yet.

    Naming a provider allows that provider's own host; an address given in ``options`` must be an allowed one. What the
    settings say in ``profile`` holds; otherwise LangChain's own knowledge of the model, where it has some.

    Raises:
        ConfigError: The provider is not known, its package or its key is missing, or an address is not allowed.
        MissingExtraError: The extra ``hosted`` is not installed.
    """
    try:
        from langchain.chat_models import init_chat_model
    except ImportError:
        raise MissingExtraError("a hosted model", "hosted") from None
    _check_addresses(settings.options, allow_hosts)
    try:
        model: BaseChatModel = init_chat_model(settings.name, **_arguments(settings, deadline_ms))
    except ImportError as error:
        raise _cannot(
            settings, f"the provider's package {error.name or ''} is not installed".replace("  ", " ")
        ) from None
    except Exception as error:  # each provider's client has its own way to say that a key is missing
        raise _cannot(settings, _first_line(error)) from error
    if "profile" in settings.model_fields_set or not model.profile:
        model.profile = cast(ModelProfile, {**(model.profile or {}), **profile})
    return model


def _arguments(settings: HostedModel, deadline_ms: float) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "max_tokens": settings.max_tokens,
        "timeout": deadline_ms / 1000,
        "max_retries": 0,
        **({"temperature": settings.temperature} if settings.temperature is not None else {}),
    }
    if settings.name.startswith(("openai:", "azure_openai:")):
        arguments["stream_usage"] = True
    if _GIVES_LOGPROBS.match(settings.name):
        arguments |= {"logprobs": True, "top_logprobs": 5}
    return arguments | settings.options


def _check_addresses(options: Mapping[str, Any], allow_hosts: Sequence[str]) -> None:
    for name, value in options.items():
        if isinstance(value, str) and re.match(r"\w+://", value):
            check_base_url(value, allow_hosts, key=f"options.{name}")


def _cannot(settings: HostedModel, why: str) -> ConfigError:
    return ConfigError(
        f"cannot be set up: {why}",
        key="name",
        value=settings.name,
        mend="install the provider's package and set its key, or name another model",
    )


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines or [type(error).__name__])[0].rstrip(".")[:200]
