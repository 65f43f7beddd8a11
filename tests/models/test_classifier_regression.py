import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moslm.models.classifiers import designs
from moslm.models.classifiers.designs import DenseDesign, SparseDesign, sparse_product
from moslm.models.classifiers.lbfgs import minimised
from moslm.models.classifiers.regression import fit_softmax
from moslm.models.encoders import cores
from moslm.models.encoders.ngrams import BUCKETS, hashed_ngrams, inverse_document_frequency

TEXTS = ["pay the invoice", "", "pay the bill", "reset the router", "reset the phone", "?!", "why is the sky blue"]


def matrix(rows):
    """Write hashed rows out in full."""
    full = np.zeros((len(rows), BUCKETS), np.float32)
    for number in range(len(rows)):
        inside = slice(rows.starts[number], rows.starts[number + 1])
        full[number, rows.buckets[inside]] = rows.weights[inside]
    return full


@pytest.fixture(params=[1 << 16, 8])
def block(monkeypatch, request):
    """Run with one block for everything, and with blocks smaller than a row."""
    monkeypatch.setattr(designs, "_BLOCK", request.param)


def test_the_products_over_ngrams_are_those_of_the_full_matrix(block):
    rows, chance = hashed_ngrams(TEXTS), np.random.default_rng(0)
    sparse, full = SparseDesign(rows), DenseDesign(matrix(rows))
    weights = chance.normal(size=(BUCKETS, 3)).astype(np.float32)
    error = chance.normal(size=(len(rows), 3)).astype(np.float32)
    scale = chance.random(len(rows)).astype(np.float32)
    used = np.unique(rows.buckets)
    assert sparse.scores(sparse.narrowed(weights)) == pytest.approx(full.scores(weights), abs=1e-5)
    assert sparse.gradient(error) == pytest.approx(full.gradient(error)[used], abs=1e-5)
    assert sparse.squares(scale) == pytest.approx(full.squares(scale)[used], abs=1e-5)
    assert np.array_equal(sparse.narrowed(sparse.expanded(weights[: len(used)])), weights[: len(used)])


def test_many_rows_score_to_the_bit_as_each_does_alone(block):
    rows = hashed_ngrams([f"{text} {number}" for number in range(1000) for text in TEXTS])
    weights = np.random.default_rng(0).normal(size=(BUCKETS, 4)).astype(np.float32)
    assert len(rows.buckets) > BUCKETS
    alone = np.vstack([sparse_product(rows.take(np.array([number])), weights) for number in range(50)])
    assert np.array_equal(sparse_product(rows, weights)[:50], alone)


@pytest.mark.parametrize("many", [2, 5])
def test_a_fit_is_the_same_to_the_bit_on_any_number_of_cores(block, monkeypatch, many):
    rows, classes = hashed_ngrams(TEXTS * 20), np.array([0, 2, 0, 1, 1, 2, 2] * 20)
    found = []
    for number in (1, many):
        monkeypatch.setattr(cores, "cores", lambda number=number: number)
        found.append(fit_softmax(rows, classes, np.ones(140, np.float32), count=3, penalty=1e-5, iterations=15))
    assert np.array_equal(found[0].weights, found[1].weights)
    assert np.array_equal(found[0].bias, found[1].bias)


def test_what_is_worked_on_side_by_side_comes_in_order(monkeypatch):
    monkeypatch.setattr(cores, "cores", lambda: 3)
    assert list(cores.side_by_side(lambda number: number * number, range(50))) == [n * n for n in range(50)]


def test_a_fit_that_begins_at_another_ends_where_one_from_zero_does_in_fewer_steps():
    rows, classes = hashed_ngrams(TEXTS), np.array([0, 2, 0, 1, 1, 2, 2])
    weights = np.ones(7, np.float32)
    most = rows.take(np.arange(6))
    near = fit_softmax(most, classes[:6], weights[:6], count=3, penalty=1e-3, iterations=300)
    steps = {"zero": [], "near": []}

    def fitted(name, start):
        return fit_softmax(
            rows,
            classes,
            weights,
            count=3,
            penalty=1e-3,
            iterations=300,
            start=start,
            step=lambda: steps[name].append(1),
        )

    assert fitted("near", near).weights == pytest.approx(fitted("zero", None).weights, abs=0.02)
    assert len(steps["near"]) < len(steps["zero"])


def test_a_diagonal_that_fits_spares_most_steps():
    scales = np.geomspace(1e-4, 1e2, 200)

    def bowl(point):
        return float(scales @ np.square(point - 1)) / 2, scales * (point - 1)

    left = {
        (name, steps): bowl(minimised(bowl, np.zeros(200), curvature, steps, lambda: None))[0]
        for name, curvature, steps in [("flat", np.ones(200), 50), ("fitting", scales, 5)]
    }
    assert left["fitting", 5] < left["flat", 50]


@given(st.lists(st.text(max_size=40), max_size=300))
def test_a_text_has_the_same_ngrams_to_the_bit_alone_and_among_others(texts):
    together = hashed_ngrams(texts)
    alone = [hashed_ngrams([text]) for text in texts]
    assert np.diff(together.starts).tolist() == [len(each.buckets) for each in alone]
    if texts:
        assert np.array_equal(together.buckets, np.concatenate([each.buckets for each in alone]))
        assert np.array_equal(together.weights, np.concatenate([each.weights for each in alone]))


def test_ngrams_weighed_later_are_those_weighed_at_once():
    plain = hashed_ngrams(TEXTS)
    importance = inverse_document_frequency(plain)
    later, once = plain.times(importance), hashed_ngrams(TEXTS, importance)
    assert np.array_equal(later.starts, once.starts)
    assert np.array_equal(later.buckets, once.buckets)
    assert later.weights == pytest.approx(once.weights, abs=1e-6)
    assert len(hashed_ngrams(["", "?"][:1]).times(importance)) == 1
