"""The systems compared by ``bench/routing.py``, each behind the same seam.

A contender learns from rows what it can learn, keeps that in a folder, and is loaded from the folder by a fresh process
that answers requests. One file a system; a peer's package is imported only by the functions that run it. Knows nothing
of figures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from contenders.rows import Data, LeftOut


@dataclass(frozen=True, slots=True)
class Answer:
    """What a system says of one request."""

    domain: str | None
    """Its best domain, whatever any threshold says; None when it names none."""
    strangeness: float
    """How unlike what it knows, larger is stranger; only the order counts."""
    kept: bool
    """Whether the system's own threshold lets the domain stand."""


class Router(Protocol):
    """A loaded system."""

    def answer(self, text: str) -> Answer:
        """Answer one request, as the system's documentation says to ask it."""
        ...

    def answer_all(self, texts: Sequence[str]) -> Sequence[Answer] | None:
        """Take many requests at once in the system's own way; None where that way returns no single answers."""
        ...


@dataclass(frozen=True, slots=True)
class Contender:
    """One system of the comparison."""

    threshold: str
    """Its own rule for letting an answer stand, in words."""
    needs: Mapping[str, str]
    """Packages it cannot run without: name of the module to name of the package."""
    fit: Callable[[Data, Path], None]
    """Learn and keep in the folder what `load` needs."""
    load: Callable[[Path], Router]
    """Start from the folder, as a service would."""
    left_out: Callable[[Data, LeftOut, Path], Router]
    """Learn again without some sources and start."""


def _moslm() -> Contender:
    from contenders.moslm_itself import CONTENDER

    return CONTENDER


def _semantic_router() -> Contender:
    from contenders.aurelio import CONTENDER

    return CONTENDER


def _cascadeflow() -> Contender:
    from contenders.lemony import HYBRID

    return HYBRID


def _cascadeflow_rules() -> Contender:
    from contenders.lemony import RULES

    return RULES


def _tfidf() -> Contender:
    from contenders.lexical import CONTENDER

    return CONTENDER


CONTENDERS: dict[str, Callable[[], Contender]] = {
    "moslm": _moslm,
    "semantic-router": _semantic_router,
    "cascadeflow": _cascadeflow,
    "cascadeflow-rules": _cascadeflow_rules,
    "tfidf": _tfidf,
}
"""Every system by name; a new one is a file beside this and a line here."""
