"""Chat models by kind of settings: one line here, one file beside it. Knows no domain and no prompt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel

from moslm.config import EmbeddedModel, HostedModel, ModelSettings, Profile, ScriptedModel, VLLMModel
from moslm.errors import ConfigError
from moslm.privacy.boundary import PREMISES

Factory = Callable[[Any, float, Sequence[str]], BaseChatModel]
"""Builds a model from its settings, its deadline in milliseconds and the allowed hosts."""


def build_chat_model(settings: ModelSettings, *, deadline_ms: float, allow_hosts: Sequence[str]) -> BaseChatModel:
    """Build a chat model; nothing is loaded and nobody is asked before its first call.

    Every model gives up at the deadline, tries once, asks for log-probabilities, reports usage, and says in ``profile``
    what it can do.

    Args:
        settings: What the configuration says about it.
        deadline_ms: When a call is given up.
        allow_hosts: Hosts that an address may name (`moslm.config.Config.allow_hosts`).

    Raises:
        ConfigError: An address that is not allowed, a key that is not set, a provider that is not known, or weights
            whose name stands for none.
        MissingExtraError: Its packages are not installed.
    """
    model = KINDS[settings.kind](settings, deadline_ms, allow_hosts)
    premises = getattr(settings, "premises", "auto")
    if premises != "auto":
        model.metadata = {**(model.metadata or {}), PREMISES: premises}
    return model


def _vllm(settings: VLLMModel, deadline_ms: float, allow_hosts: Sequence[str]) -> BaseChatModel:
    from moslm.models.chat.vllm import build_vllm

    return build_vllm(settings, _profile(settings.profile), deadline_ms, allow_hosts)


def _embedded(settings: EmbeddedModel, deadline_ms: float, allow_hosts: Sequence[str]) -> BaseChatModel:
    from moslm.models.chat.embedded import ChatEmbedded
    from moslm.models.weights.shelf import can_be_found, names_there_are

    if not can_be_found(settings.weights):
        mend = names_there_are(settings.weights)
        raise ConfigError("is no pinned name", key="weights", value=settings.weights, mend=mend)
    sizes = settings.model_dump(exclude={"kind", "profile"})
    return ChatEmbedded(**sizes, deadline_ms=deadline_ms, profile=_profile(settings.profile))


def _hosted(settings: HostedModel, deadline_ms: float, allow_hosts: Sequence[str]) -> BaseChatModel:
    from moslm.models.chat.hosted import build_hosted

    return build_hosted(settings, _profile(settings.profile), deadline_ms, allow_hosts)


def _scripted(settings: ScriptedModel, deadline_ms: float, allow_hosts: Sequence[str]) -> BaseChatModel:
    from moslm.models.chat.scripted import ScriptedChatModel

    return ScriptedChatModel(
        model=settings.name,
        replies=tuple(settings.replies),
        confidence=settings.confidence,
        delay_ms=settings.delay_ms,
        deadline_ms=deadline_ms,
        profile=_profile(settings.profile),
    )


def _profile(profile: Profile) -> dict[str, Any]:
    return profile.model_dump()


KINDS: dict[str, Factory] = {"vllm": _vllm, "embedded": _embedded, "hosted": _hosted, "scripted": _scripted}
"""Every kind of model that the configuration may name."""
