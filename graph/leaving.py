"""From settings to the boundary: which models are outside, who hides personal data, and what is refused at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable

from moslm.config import Config
from moslm.domains import Domain
from moslm.errors import ConfigError
from moslm.models.leaving import MESSAGES, Door, Form, Outside
from moslm.nodes.doors import DoorOf
from moslm.privacy.at_rest.configured import configured_earlier
from moslm.privacy.boundary import Boundary, is_outside
from moslm.privacy.pseudonyms import pseudonymiser

Guard = Callable[[Runnable[Any, Any]], Runnable[Any, Any]]
"""Puts a model behind the door, or leaves it where it is."""


def boundary_of(config: Config) -> Boundary:
    """Return the rules on what may leave."""
    return Boundary(config.boundary.rules, config.boundary.default)


def doors_of(config: Config) -> DoorOf:
    """Return what gives each request its door.

    Raises:
        ConfigError: Personal data cannot be looked for as the settings say.
        MissingExtraError: The packages that look for it are not installed.
    """
    earlier = configured_earlier(config) if config.privacy.vault else ()
    boundary, privacy = boundary_of(config), pseudonymiser(config.privacy, earlier)
    return lambda labels, conversation: Door(boundary, labels, conversation, privacy.conversation)


def door_for(model: BaseChatModel, name: str) -> tuple[Form | None, Guard]:
    """Return how a model's calls are hidden, and what keeps them behind the door; for one inside, nothing."""
    if not is_outside(model):
        return None, lambda asked: asked
    return MESSAGES, lambda asked: Outside(asked, name)


def check_domain(config: Config, file: str | None, domain: Domain, model: BaseChatModel, name: str) -> None:
    """Refuse a domain whose requests may have to stay inside and whose own model is outside.

    Raises:
        ConfigError: They may and it is.
    """
    strictest = boundary_of(config).strictest(domain.name)
    if strictest.may_leave == "local_only" and is_outside(model):
        raise ConfigError(
            f"is answered off the premises, where its requests must not go ({strictest.why})",
            file=file,
            key=f"domains.{domain.name}.model",
            value=name,
            mend='give it a model inside, change the rule under [boundary], or set premises = "inside" if it is',
        )


def check_classifier(config: Config, file: str | None, model: BaseChatModel | None) -> None:
    """Refuse a classifier outside: it would see every request as it is.

    Raises:
        ConfigError: It is outside.
    """
    if model is not None and is_outside(model):
        raise ConfigError(
            "is off the premises, and a classifier sees every request as it is",
            file=file,
            key="classifier.model",
            mend='serve a small model inside, use kind = "encoder", or set premises = "inside" if it is',
        )
