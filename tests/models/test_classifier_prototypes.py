import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moslm.models.classifiers.prototypes import Prototypes, find_prototypes


def around(centre, count, spread=0.1, seed=0):
    return centre + spread * np.random.default_rng(seed).standard_normal((count, len(centre))).astype(np.float32)


@pytest.fixture
def two_kinds():
    east, north = np.eye(8, dtype=np.float32)[:2]
    vectors = np.vstack([around(east, 60), around(north, 60, seed=1)])
    return vectors, np.repeat([0, 1], 60)


def test_what_lies_far_from_every_cluster_is_farther_than_what_lies_in_one(two_kinds):
    vectors, classes = two_kinds
    known = find_prototypes(vectors, classes, per_class=5).measured_on(vectors)
    stranger = -np.eye(8, dtype=np.float32)[:1] - np.eye(8, dtype=np.float32)[1:2]
    assert known.distances(stranger)[0] > known.distances(vectors).max() + 3


def test_distances_are_standard_deviations_from_the_typical(two_kinds):
    vectors, classes = two_kinds
    found = find_prototypes(vectors, classes, per_class=5).measured_on(vectors).distances(vectors)
    assert found.mean() == pytest.approx(0, abs=1e-4)
    assert found.std() == pytest.approx(1, abs=1e-4)


def test_the_same_vectors_give_the_same_prototypes(two_kinds):
    first, second = (find_prototypes(*two_kinds, per_class=7) for _ in range(2))
    assert np.array_equal(first.points, second.points)


def test_no_prototype_is_the_vector_of_a_single_request(two_kinds):
    vectors, classes = two_kinds
    lonely = np.eye(8, dtype=np.float32)[7:8]
    found = find_prototypes(np.vstack([vectors, lonely]), np.append(classes, 0), per_class=20)
    assert (found.points @ (lonely - found.origin).T).max() < 0.95


def test_an_example_given_later_is_familiar_from_then_on(two_kinds):
    vectors, classes = two_kinds
    known = find_prototypes(vectors, classes, per_class=5).measured_on(vectors)
    new = np.eye(8, dtype=np.float32)[5:6]
    assert known.with_examples(new).distances(new)[0] < known.distances(new)[0]
    assert known.with_examples(new).typical == known.typical


@given(st.integers(1, 40), st.integers(1, 12))
def test_any_number_of_rows_gives_at_least_one_prototype_a_class_and_finite_distances(count, per_class):
    vectors = around(np.ones(4, np.float32), count, spread=1.0)
    found = find_prototypes(vectors, np.zeros(count, np.int64), per_class=per_class)
    assert 1 <= len(found.points) <= per_class
    assert np.isfinite(Prototypes(found.origin, found.points).distances(vectors)).all()
