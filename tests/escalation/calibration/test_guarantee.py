import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moslm.errors import ConfigError
from moslm.escalation.calibration.guarantee import POOLED, certify, guarantee
from moslm.tails import binomial_tail, hypergeometric_tail, upper_bound


def drawn(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Answers whose probabilities are true."""
    random = np.random.default_rng(seed)
    probability = random.beta(4, 1.2, count)
    return probability, random.random(count) < probability


def test_the_binomial_tail_is_that_of_the_textbook() -> None:
    assert binomial_tail(2, 10, 0.3) == pytest.approx(0.3827827864)
    assert binomial_tail(0, 45, 0.05) == pytest.approx(0.95**45)
    assert binomial_tail(5, 5, 0.5) == 1


def test_the_hypergeometric_tail_is_that_of_the_textbook() -> None:
    # 5 of 20 drawn, 4 of the 20 wrong: C(16,5)/C(20,5), and with one wrong C(4,1)C(16,4)/C(20,5) more
    assert hypergeometric_tail(0, 5, 4, 20) == pytest.approx(4368 / 15504)
    assert hypergeometric_tail(1, 5, 4, 20) == pytest.approx((4368 + 4 * 1820) / 15504)


@given(wrong=st.integers(0, 40), more=st.integers(1, 60), delta=st.floats(0.01, 0.5))
def test_the_upper_bound_is_where_the_tail_meets_delta(wrong: int, more: int, delta: float) -> None:
    bound = upper_bound(wrong, wrong + more, delta)
    assert wrong / (wrong + more) <= bound <= 1
    assert binomial_tail(wrong, wrong + more, bound) == pytest.approx(delta, abs=1e-6)


@settings(deadline=None, max_examples=60)
@given(
    count=st.integers(0, 400),
    seed=st.integers(0, 9999),
    risk=st.floats(0.01, 0.9),
    level=st.floats(0.01, 0.5),
    method=st.sampled_from(["fixed_sequence", "bonferroni"]),
)
def test_a_threshold_is_given_only_where_the_bound_allows_it(
    count: int, seed: int, risk: float, level: float, method: str
) -> None:
    probability, right = drawn(count, seed)
    found = certify(probability, right, risk, level, method)  # type: ignore[arg-type]
    if found.state == "infeasible":
        assert found.threshold is None
        assert found.kept == 0
        return
    assert found.threshold is not None
    kept = probability >= found.threshold
    assert found.kept == kept.sum() > 0
    assert found.wrong == (~right[kept]).sum()
    assert found.bound is not None
    assert found.bound <= risk + 1e-9


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 9999), looser=st.floats(0.05, 0.4))
def test_a_looser_promise_never_keeps_less(seed: int, looser: float) -> None:
    probability, right = drawn(300, seed)
    strict = certify(probability, right, 0.1, 0.1, "bonferroni")
    loose = certify(probability, right, 0.1 + looser, 0.1, "bonferroni")
    assert loose.kept >= strict.kept


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 9999))
def test_what_is_offered_instead_of_an_infeasible_promise_is_feasible(seed: int) -> None:
    probability, right = drawn(200, seed)
    refused = certify(probability, right, 0.001, 0.1)
    assert refused.state == "infeasible"
    assert refused.feasible_risk is not None
    offered = certify(probability, right, refused.feasible_risk, 0.1)
    assert offered.state == "certified"
    assert offered.coverage == pytest.approx(refused.feasible_coverage)
    assert offered.coverage >= 0.1


def test_the_promise_is_broken_no_more_often_than_delta_says() -> None:
    broken = long_run = 0
    for seed in range(400):
        probability, right = drawn(300, seed)
        found = certify(probability, right, 0.15, 0.1)
        if found.threshold is None:
            continue
        later, later_right = drawn(300, 10_000 + seed)
        kept = later >= found.threshold
        broken += bool((~later_right[kept]).mean() > 0.15)
        many, many_right = drawn(20_000, 20_000 + seed % 20)
        long_run += bool((~many_right[many >= found.threshold]).mean() > 0.15)
    assert broken <= 0.1 * 400
    assert long_run <= 0.1 * 400


def test_probabilities_that_mislead_still_cannot_break_the_promise() -> None:
    random = np.random.default_rng(3)
    broken = 0
    for _ in range(300):
        probability, right = random.random(200), random.random(200) < 0.7
        found = certify(probability, right, 0.25, 0.1)
        broken += found.threshold is not None
    # the true risk is 0.3 wherever the threshold lies
    assert broken <= 0.1 * 300


def test_delta_is_divided_among_domains_so_that_all_hold_at_once() -> None:
    alone = guarantee({"a": drawn(300, 1)}, 0.15, 0.1)
    among = guarantee({name: drawn(300, 1) for name in "abcdefgh"}, 0.15, 0.1)
    assert among.certificates["a"].kept < alone.certificates["a"].kept


def test_a_pooled_promise_has_one_threshold_for_every_domain() -> None:
    found = guarantee({"a": drawn(200, 1), "b": drawn(200, 2)}, 0.2, 0.1, scope="pooled")
    assert found.certificates[POOLED].answers == 400
    assert found.threshold("a") == found.threshold("b") == found.threshold("never seen")
    assert found.threshold("a") is not None


def test_a_domain_without_answers_is_infeasible() -> None:
    found = guarantee({"a": (np.zeros(0), np.zeros(0, dtype=bool))}, 0.1, 0.1)
    assert found.certificates["a"].state == "infeasible"
    assert found.threshold("a") is None
    assert found.threshold("b") is None


@pytest.mark.parametrize(("risk", "delta"), [(0, 0.1), (1, 0.1), (0.1, 0), (0.1, 1.5), (float("nan"), 0.1)])
def test_a_promise_that_means_nothing_is_refused(risk: float, delta: float) -> None:
    with pytest.raises(ConfigError, match="between 0 and 1"):
        guarantee({"a": drawn(50, 1)}, risk, delta)


def test_answers_of_one_group_count_as_one() -> None:
    probability, right = drawn(400, 4)
    twice, twice_right = np.repeat(probability, 3), np.repeat(right, 3)
    alone = certify(probability, right, 0.25, 0.1)
    together = certify(twice, twice_right, 0.25, 0.1, groups=np.repeat(np.arange(400), 3))
    apart = certify(twice, twice_right, 0.25, 0.1)
    assert alone.threshold is not None
    assert together.kept < apart.kept


def test_the_promise_holds_where_whole_groups_are_right_or_wrong() -> None:
    broken = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        said = random.beta(4, 1.2, 120)
        outcome = random.random(120) < said
        groups = np.repeat(np.arange(120), random.integers(1, 9, 120))
        found = certify(said[groups], outcome[groups], 0.2, 0.1, groups=groups)
        if found.threshold is None:
            continue
        later = random.beta(4, 1.2, 4000)
        kept = later >= found.threshold
        broken += bool((1 - later[kept]).mean() > 0.2)
    assert broken <= 0.1 * 200


def test_a_group_may_span_domains_of_a_pooled_promise() -> None:
    answers = {"a": drawn(200, 1), "b": drawn(200, 2)}
    names = [f"g{i}" for i in range(200)]
    spanning = guarantee(answers, 0.2, 0.1, scope="pooled", groups={"a": names, "b": names})
    own = guarantee(answers, 0.2, 0.1, scope="pooled")
    assert spanning.certificates[POOLED].kept < own.certificates[POOLED].kept
