"""Agreement as its authors' own examples have it, with intervals that hold the value."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moslm.evals.people.agreement import (
    cohen_kappa,
    fleiss_kappa,
    krippendorff_alpha,
    nominal,
    ordinal,
    percent_agreement,
)

# Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", section D: four observers, twelve units, gaps
OBSERVED = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]
UNITS = [
    {str(rater): code - 1 for rater, said in enumerate(OBSERVED) if (code := said[unit]) is not None}
    for unit in range(12)
]
ALONE = [str(n) for n in range(12)]


@pytest.mark.parametrize(("distance", "published"), [(nominal, 0.743), (ordinal, 0.815)])
def test_alpha_is_krippendorffs_own(distance, published):
    figure = krippendorff_alpha(UNITS, ALONE, 5, distance)
    assert figure.value == pytest.approx(published, abs=5e-4)
    assert figure.n == 11
    assert figure.low < figure.value < figure.high


def test_kappa_of_two_is_cohens():
    # the table of two readers and fifty grant proposals: 20 both yes, 15 both no, 5 and 10 apart
    rated = [{"a": a, "b": b} for a, b, n in ((1, 1, 20), (1, 0, 5), (0, 1, 10), (0, 0, 15)) for _ in range(n)]
    figure = cohen_kappa(rated, [str(n) for n in range(50)], 2)
    assert figure.value == pytest.approx(0.4)
    assert figure.low < 0.4 < figure.high


def test_kappa_of_many_is_fleisss():
    # Fleiss (1971) as it is usually worked through: fourteen raters, ten subjects, five categories
    table = [
        [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
    ]  # fmt: skip
    rated = [
        {str(n): code for n, code in enumerate(code for code, times in enumerate(row) for _ in range(times))}
        for row in table
    ]
    assert fleiss_kappa(rated, [str(n) for n in range(10)], 5).value == pytest.approx(0.210, abs=5e-4)


def test_each_says_what_it_is_not_for():
    three = [{"a": 0, "b": 0, "c": 1}, {"a": 1, "b": 1}]
    assert cohen_kappa(three, ["1", "2"], 2).why == "for two raters, and there are 3"
    assert "unequal numbers" in fleiss_kappa(three, ["1", "2"], 2).why
    assert krippendorff_alpha([{"a": 0}], ["1"], 2).why == "no answer was rated by two"
    alike = krippendorff_alpha([{"a": 0, "b": 0}] * 3, ["1", "2", "3"], 2)
    assert (alike.value, alike.why) == (None, "all say the same of all, so chance alone would agree")


CODES = st.lists(st.dictionaries(st.sampled_from("abcd"), st.integers(0, 2), min_size=1), min_size=2, max_size=12)


@given(CODES)
def test_percent_agreement_is_the_mean_over_answers_of_pairs_that_agree(rated):
    figure = percent_agreement(rated, ["one"] * len(rated))
    shares = []
    for each in rated:
        said = list(each.values())
        pairs = [(i, j) for i in range(len(said)) for j in range(i)]
        if pairs:
            shares.append(np.mean([said[i] == said[j] for i, j in pairs]))
    assert figure.value is None if not shares else figure.value == pytest.approx(np.mean(shares))


@given(CODES, st.permutations("abcd"))
def test_who_is_called_what_changes_no_agreement(rated, names):
    renamed = [{dict(zip("abcd", names, strict=True))[rater]: code for rater, code in each.items()} for each in rated]
    groups = ["one"] * len(rated)  # a single group is not resampled
    for distance in (nominal, ordinal):
        mine, theirs = (krippendorff_alpha(each, groups, 3, distance).value for each in (rated, renamed))
        assert mine is theirs is None or mine == pytest.approx(theirs)
