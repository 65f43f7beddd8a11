"""MoSLM's layer 1: the classifier it ships, asked through its public seam.

It answers a request when its novelty p-value is not below ``triggers.novelty_alpha``. Left-out figures refit it on the
same rows as every other system; the shipped artefact's card says which rows that one was fitted on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from contenders import Answer, Contender
from contenders.rows import Data, Pair
from moslm.config import Config
from moslm.escalation.novelty import p_value
from moslm.models.classifiers import Classifier, Yardstick, build_classifier
from moslm.state import Turn

ALPHA = Config().triggers.novelty_alpha


@dataclass(frozen=True, slots=True)
class _Ours:
    classifier: Classifier
    yardstick: Yardstick

    def answer(self, text: str) -> Answer:
        ranking = self.classifier.rank([Turn("user", text)])
        strange = 0.0 if ranking.strangeness is None else ranking.strangeness
        best = max(ranking.probabilities, key=ranking.probabilities.__getitem__)
        return Answer(best, strange, p_value(strange, self.yardstick.strangeness) >= ALPHA)

    def answer_all(self, texts: Sequence[str]) -> Sequence[Answer]:
        # the seam ranks one conversation at a time
        return [self.answer(text) for text in texts]


def moslm_left_out(data: Data, pair: Pair) -> tuple[Classifier, Yardstick]:
    """Refit the classifier on train without one source; what `build_classifier` returns.

    The first reading alone: the shipped encoder of the second was tuned on every source of train, so it would know
    the one that is left out. ``bench/classifier.py --encoders`` measures both readings, with encoders tuned without.
    Temperature and calibration are the shipped ones: held-out rows of sources like the left-out one are not at hand
    when a source is new either.
    """
    from moslm.models.classifiers import artefact, fitting
    from moslm.models.classifiers.encoder import EncoderClassifier
    from moslm.models.encoders import load_encoder

    rows = [fitting.Row(row.text, row.domain, row.source, row.license) for row in data.without(pair).train]
    shipped = artefact.read(artefact.SHIPPED)
    head = fitting.fit_head(rows, [], shipped.fitted_labels, load_encoder(shipped.encoder_name))
    classifier = EncoderClassifier(replace(head, temperature=shipped.temperature))
    return classifier, Yardstick(tuple(shipped.calibration.tolist()))


def _fit(data: Data, folder: Path) -> None:
    """Nothing to learn: what is measured is what ships."""


def _load(folder: Path) -> _Ours:
    from moslm.domains import load_domains

    return _Ours(*build_classifier(Config().classifier, list(load_domains(Config()).values())))


def _left_out(data: Data, pair: Pair, folder: Path) -> _Ours:
    return _Ours(*moslm_left_out(data, pair))


CONTENDER = Contender(f"novelty p-value >= {ALPHA}", {}, _fit, _load, _left_out)
