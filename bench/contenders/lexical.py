"""The baseline anyone can write in an afternoon: TF-IDF of words (1-2) and characters (3-5), logistic regression.

Rows that belong nowhere are a class of their own, the better of the two ways on dev. Having no threshold of its own, it
is held to the one of the reference design: confidence >= 0.8.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from contenders import Answer, Contender
from contenders.rows import Data, LeftOut

THRESHOLD = 0.8
_NOWHERE = ""


@dataclass(frozen=True, slots=True)
class _Lexical:
    pipeline: Any

    def answer(self, text: str) -> Answer:
        return self.answer_all([text])[0]

    def answer_all(self, texts: Sequence[str]) -> list[Answer]:
        names = [str(name) for name in self.pipeline.classes_]
        domains = np.array([name != _NOWHERE for name in names])
        probabilities = self.pipeline.predict_proba(list(texts)) * domains
        best = probabilities.argmax(axis=1)
        sure = probabilities.max(axis=1)
        return [
            Answer(names[column], 1 - float(each), bool(each >= THRESHOLD))
            for column, each in zip(best, sure, strict=True)
        ]


def _fitted(data: Data) -> _Lexical:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline, make_union

    features = make_union(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True, min_df=3),
    )
    pipeline = make_pipeline(features, LogisticRegression(C=10, max_iter=200, tol=1e-3))
    pipeline.fit([row.text for row in data.train], [row.domain or _NOWHERE for row in data.train])
    return _Lexical(pipeline)


def _fit(data: Data, folder: Path) -> None:
    import joblib

    joblib.dump(_fitted(data).pipeline, folder / "pipeline.joblib")


def _load(folder: Path) -> _Lexical:
    import joblib

    return _Lexical(joblib.load(folder / "pipeline.joblib"))


def _left_out(data: Data, out: LeftOut, folder: Path) -> _Lexical:
    return _fitted(data.without(out.pairs))


CONTENDER = Contender(f"confidence >= {THRESHOLD}", {"sklearn": "scikit-learn"}, _fit, _load, _left_out)
