"""The boundary: whether a request may go to a model that others run, by its labels. Pure; opens no connection.

A model is inside the premises where its own hardware is: in this process, or at a loopback or private address. A model
of which that cannot be seen is outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args
from urllib.parse import urlsplit

from moslm.config import BoundaryRule, MayLeave, Sensitivity
from moslm.privacy.egress import is_inside_host

_STRICTNESS: tuple[MayLeave, ...] = ("any", "redacted", "local_only")
_LEVELS: tuple[Sensitivity, ...] = get_args(Sensitivity)
_ADDRESSES = ("base_urls", "base_url", "openai_api_base", "api_base", "endpoint", "azure_endpoint")
"""Where chat models of LangChain keep the address they ask."""
PREMISES = "premises"
"""Key of a model's ``metadata`` that says ``inside`` or ``outside`` where its address does not."""


@dataclass(frozen=True, slots=True)
class Labels:
    """What a request is labelled with.

    Attributes:
        tenant: Whose it is.
        domain: What it is about; None where nobody knows.
        sensitivity: How much harm it would do elsewhere.
        region: Where its data belongs; None where nobody says.
    """

    tenant: str
    domain: str | None
    sensitivity: Sensitivity
    region: str | None


@dataclass(frozen=True, slots=True)
class Ruling:
    """What holds for a request.

    Attributes:
        may_leave: Whether and how it may leave.
        why: The rule, in words.
    """

    may_leave: MayLeave
    why: str


class Boundary:
    """Rules on what may leave.

    Args:
        rules: The rules; of those that match the strictest holds.
        default: What holds where none matches.
    """

    def __init__(self, rules: Sequence[BoundaryRule], default: MayLeave) -> None:
        self._rules, self._default = tuple(rules), default

    def ruling(self, labels: Labels) -> Ruling:
        """Return what holds for a request.

        A request whose domain is unknown is held against the rules of every domain: it may belong to any.
        """
        matching = [rule for rule in self._rules if _matches(rule, labels)]
        if not matching:
            return Ruling(self._default, "default")
        strictest = max(matching, key=lambda rule: _STRICTNESS.index(rule.may_leave))
        return Ruling(strictest.may_leave, _in_words(strictest))

    def strictest(self, domain: str) -> Ruling:
        """Return the strictest that can hold for a domain, whoever asks."""
        concerned = [rule for rule in self._rules if rule.domain in (None, domain)]
        rulings = [Ruling(self._default, "default"), *(Ruling(each.may_leave, _in_words(each)) for each in concerned)]
        return max(rulings, key=lambda each: _STRICTNESS.index(each.may_leave))


def is_outside(model: Any) -> bool:
    """Tell whether asking a model takes data off the premises.

    What its metadata says under ``premises`` comes first, then whether it runs in this process, then its address.
    """
    said = (getattr(model, "metadata", None) or {}).get(PREMISES)
    if said is not None:
        return bool(said != "inside")
    if getattr(model, "in_process", False):
        return False
    urls = [url for name in _ADDRESSES for url in _each(getattr(model, name, None))]
    return not urls or not all(_is_inside(url) for url in urls)


def _each(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value] if "://" in value else []
    return [each for each in value if isinstance(each, str)] if isinstance(value, list | tuple) else []


def _is_inside(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    return is_inside_host(host)


def _matches(rule: BoundaryRule, labels: Labels) -> bool:
    return (
        (rule.domain is None or labels.domain in (None, rule.domain))
        and rule.tenant in (None, labels.tenant)
        and rule.region in (None, labels.region)
        and (rule.sensitivity is None or _LEVELS.index(labels.sensitivity) >= _LEVELS.index(rule.sensitivity))
    )


def _in_words(rule: BoundaryRule) -> str:
    named = {"domain": rule.domain, "tenant": rule.tenant, "region": rule.region}
    parts = [f"{key} {value}" for key, value in named.items() if value]
    level = [f"{rule.sensitivity} and above"] if rule.sensitivity else []
    return ", ".join([*parts, *level])
