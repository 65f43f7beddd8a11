"""Layer 1: what a request is about.

Owns what a classifier says (`Ranking`) and the seam every classifier stands behind (`Classifier`). Judges nothing: what
follows from a ranking is decided in `moslm.escalation`. Knows neither graph nor nodes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from moslm.errors import ConfigError
from moslm.turn import Turn

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from moslm.config import ClassifierSettings


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the request: characters ``start`` to ``end`` of its text, and what they are about."""

    start: int
    end: int
    probabilities: Mapping[str, float]
    """Probability of each label for this part, read beside the whole request; sums to 1."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """What a classifier says of one request."""

    probabilities: Mapping[str, float]
    """Probability of each label; sums to 1."""
    parts: tuple[Part, ...]
    """The parts in reading order; neighbours differ in their most probable label. One part or none when the request is
    about one thing."""
    strangeness: float | None
    """How unlike anything fitted on, larger is stranger; None when the classifier cannot tell."""
    continued: bool
    """Whether the earlier turns settled the domain, because the last message alone does not say it."""
    several: float | None = None
    """Log-odds that the request is about several domains; None when the classifier cannot tell."""


@dataclass(frozen=True, slots=True)
class Yardstick:
    """What held-out requests measured, ascending: the yardstick of conformal p-values."""

    strangeness: tuple[float, ...] = ()
    """Strangeness of familiar requests; empty when the classifier cannot tell novelty."""
    several: tuple[float, ...] = ()
    """`Ranking.several` of requests about one domain; empty when nobody measured it."""


class Classifier(Protocol):
    """Ranks the domains of a conversation."""

    @property
    def name(self) -> str:
        """Name and version, as it stands in every Decision."""
        ...

    @property
    def labels(self) -> tuple[str, ...]:
        """What it can tell apart."""
        ...

    def rank(self, turns: Sequence[Turn]) -> Ranking:
        """Rank the labels for the last turn, read with the turns before it."""
        ...


class DescribedDomain(Protocol):
    """What a classifier has to know of a domain."""

    @property
    def name(self) -> str:
        """The label."""
        ...

    @property
    def title(self) -> str:
        """The label as people say it."""
        ...

    @property
    def description(self) -> str:
        """What belongs to the domain, in a sentence."""
        ...

    @property
    def examples(self) -> tuple[str, ...]:
        """Requests as people write them."""
        ...


def build_classifier(
    settings: ClassifierSettings, domains: Sequence[DescribedDomain], chat_model: BaseChatModel | None = None
) -> tuple[Classifier, Yardstick]:
    """Build the classifier that the settings name, for these domains.

    Args:
        settings: The section ``[classifier]``.
        domains: Every domain to tell apart, whether or not a small model serves it (complex_reasoning too).
        chat_model: The model of ``[classifier.model]``, built; needed for ``kind = "chat"`` only.

    Returns:
        The classifier, and what held-out requests measured under it (the yardstick of
        `moslm.escalation.novelty.p_value`).

    Raises:
        ConfigError: No domains; a domain the fitted head does not know has no examples; the head is missing, truncated
            or not the one its card describes; a chat classifier without a model.
    """
    if not domains:
        raise ConfigError("there is no domain to tell", key="domains", mend="add a domain folder")
    if settings.kind == "chat":
        from moslm.models.classifiers.chat import ChatClassifier

        if chat_model is None:
            raise ConfigError(
                "no chat model was given", key="classifier.model", mend="add a [classifier.model] section"
            )
        return ChatClassifier(chat_model, domains), Yardstick()
    from moslm.models.classifiers.adapting import head_for
    from moslm.models.classifiers.encoder import EncoderClassifier

    head = head_for(domains, folder=settings.head)
    return EncoderClassifier(head), Yardstick(tuple(head.calibration.tolist()), tuple(head.single.tolist()))
