"""MoSLM's layer 1: the classifier it ships, asked through its public seam.

It answers a request when its novelty p-value is not below ``triggers.novelty_alpha``. Left-out figures refit it on the
same rows as every other system; the shipped artefact's card says which rows that one was fitted on. Where no encoder
was tuned without the sources that are left out, the refitted head has its first reading alone: the shipped encoder of
the second was tuned on every source of train, so it would know them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from measures.encoders import registered

from contenders import Answer, Contender
from contenders.rows import Data, LeftOut, Row
from moslm.config import Config
from moslm.escalation.novelty import p_value
from moslm.models.classifiers import Classifier, Yardstick, build_classifier
from moslm.models.classifiers.rows import Row as FitRow
from moslm.turn import Turn

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


def moslm_left_out(data: Data, out: LeftOut) -> tuple[Classifier, Yardstick]:
    """Refit the classifier on train without some sources; what `build_classifier` returns.

    With an encoder that was tuned without them, both readings are refitted and calibrated on dev, as ``moslm fit``
    does it. Without one it is the first reading, with the shipped temperature and calibration.
    """
    from moslm.models.classifiers import artefact
    from moslm.models.classifiers.encoder import EncoderClassifier
    from moslm.models.classifiers.fitting import fit_head
    from moslm.models.encoders import load_encoder

    left = data.without(out.pairs)
    shipped = artefact.read(artefact.SHIPPED)
    first = load_encoder(shipped.encoder_name)
    if out.encoder is not None:
        second = registered(out.encoder)
        head = fit_head(_as_fitted(left.train), _as_fitted(left.dev), shipped.fitted_labels, first, second)
        return EncoderClassifier(head), Yardstick(tuple(head.calibration.tolist()), tuple(head.single.tolist()))
    head = fit_head(_as_fitted(left.train), [], shipped.fitted_labels, first)
    classifier = EncoderClassifier(replace(head, temperature=shipped.temperature))
    return classifier, Yardstick(tuple(shipped.calibration.tolist()))


def _as_fitted(rows: Sequence[Row]) -> list[FitRow]:
    return [FitRow(row.text, row.domain, row.source, row.license) for row in rows]


def _fit(data: Data, folder: Path) -> None:
    """Nothing to learn: what is measured is what ships."""


def _load(folder: Path) -> _Ours:
    from moslm.domains import load_domains

    return _Ours(*build_classifier(Config().classifier, list(load_domains(Config()).values())))


def _left_out(data: Data, out: LeftOut, folder: Path) -> _Ours:
    return _Ours(*moslm_left_out(data, out))


CONTENDER = Contender(f"novelty p-value >= {ALPHA}", {}, _fit, _load, _left_out)
