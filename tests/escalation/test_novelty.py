import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moslm.escalation.novelty import p_value

numbers = st.floats(-100, 100)


def test_it_is_the_share_that_is_at_least_as_strange():
    assert p_value(2.5, [1.0, 2.0, 3.0, 4.0]) == pytest.approx(3 / 5)
    assert p_value(2.0, [1.0, 2.0, 3.0, 4.0]) == pytest.approx(4 / 5)


def test_the_strangest_request_gets_the_smallest_value_there_is():
    assert p_value(99.0, [1.0, 2.0, 3.0]) == pytest.approx(1 / 4)
    assert p_value(math.inf, [1.0, 2.0, 3.0]) == pytest.approx(1 / 4)
    assert p_value(math.nan, [1.0, 2.0, 3.0]) == pytest.approx(1 / 4)


def test_without_calibration_nothing_is_unusual():
    assert p_value(99.0, []) == 1


@given(st.lists(numbers, max_size=50).map(sorted), numbers)
def test_it_is_a_probability_and_never_zero(calibration, strangeness):
    assert 1 / (len(calibration) + 1) <= p_value(strangeness, calibration) <= 1


@given(st.lists(numbers, min_size=1, max_size=50).map(sorted), numbers, numbers)
def test_stranger_is_never_more_probable(calibration, one, other):
    low, high = sorted((one, other))
    assert p_value(high, calibration) <= p_value(low, calibration)


@pytest.mark.parametrize("alpha", [0.02, 0.05, 0.1, 0.3, 0.5])
@pytest.mark.parametrize("decimals", [1, 12], ids=["with ties", "without ties"])
def test_at_most_alpha_of_exchangeable_requests_fall_to_alpha(alpha, decimals):
    # calibration and request are drawn alike; the share of p <= alpha may exceed alpha by chance alone (4 sigma)
    draws, size = 4000, 99
    scores = np.random.default_rng(7).standard_t(3, size=(draws, size + 1)).round(decimals)
    values = np.array([p_value(row[-1], sorted(row[:-1].tolist())) for row in scores])
    assert (values <= alpha).mean() <= alpha + 4 * math.sqrt(alpha * (1 - alpha) / draws)
