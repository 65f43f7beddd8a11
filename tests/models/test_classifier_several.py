import json
from pathlib import Path

import numpy as np
import pytest

from moslm import Turn
from moslm.models.classifiers import artefact
from moslm.models.classifiers.encoder import EncoderClassifier
from moslm.models.classifiers.judging import auroc
from moslm.models.classifiers.several import fit_several, log_odds, several_features

UNSEEN = Path(__file__).parent / "several" / "unseen.jsonl"
NONE = np.zeros((0, 4), np.float32)


def features(whole, pieces=NONE, words=10):
    return several_features(np.array(whole, np.float32), np.array(pieces, np.float32), words, np.zeros(0, np.float32))


def test_a_second_domain_in_a_part_raises_the_odds_and_more_so_when_that_part_reads_like_a_request():
    whole = [3, 2, -3, -4]
    alone = features(whole)
    split = features(whole, [[5, -2, -3, -4], [-2, 5, -3, -4]])
    strange = features(whole, [[5, -2, -3, -4], [-2, 5, -3, 9]])
    assert log_odds(split, None) > log_odds(strange, None)
    assert log_odds(split, None) > log_odds(alone, None)


def test_a_request_with_one_label_has_no_second_domain():
    assert not features([1, 0]).any()


def test_the_regression_learns_from_any_set_of_labels():
    chance = np.random.default_rng(0)
    rows = [features(chance.normal(size=4), chance.normal(size=(2, 4))) for _ in range(60)]
    several = np.array([row[2] > 0 for row in rows])
    fitted = fit_several(rows, several, np.array(["one"] * 60))
    found = np.array([log_odds(row, fitted) for row in rows])
    assert auroc(found[several], found[~several]) > 0.95


def test_most_requests_of_several_parts_from_another_writer_are_told_apart():
    classifier = EncoderClassifier(artefact.read(artefact.SHIPPED))
    lines = [json.loads(line) for line in UNSEEN.read_text(encoding="utf-8").splitlines()][::3]
    odds = np.array([classifier.rank([Turn("user", line["text"])]).several for line in lines])
    several = np.array([line["multi_domain"] for line in lines])
    assert auroc(odds[several], odds[~several]) > 0.85


def test_whether_it_is_several_does_not_depend_on_the_order_of_the_labels():
    whole, pieces = [3, 2, -3, -4], [[5, -2, -3, -4], [-2, 5, -3, -4]]
    turned = [2, 0, 1, 3]
    moved = features([whole[i] for i in turned], [[piece[i] for i in turned] for piece in pieces])
    assert moved == pytest.approx(features(whole, pieces))
