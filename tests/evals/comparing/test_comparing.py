"""Two systems are compared on the cases both have, and nothing is said that the cases do not show."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moslm.errors import ConfigError
from moslm.evals.comparing.baselines import against_baselines, best_single
from moslm.evals.comparing.comparison import compare
from moslm.evals.comparing.differences import difference
from moslm.evals.comparing.mcnemar import mcnemar
from moslm.evals.comparing.pairing import paired
from moslm.evals.outcomes import Outcome


def rows(system: str, points: list[float], usd: float | None = 0.01, group: int = 1) -> list[Outcome]:
    return [
        Outcome(
            suite="s",
            case=str(i),
            group=str(i // group),
            system=system,
            ending="right" if each == 1 else "wrong",
            score=each,
            usd=usd,
        )
        for i, each in enumerate(points)
    ]


def test_a_clear_gain_is_better_and_the_same_the_other_way_round_is_worse() -> None:
    weak, strong = [0.0] * 40 + [1.0] * 60, [1.0] * 90 + [0.0] * 10
    found = compare("a", rows("a", weak), "b", rows("b", strong))
    assert (found.points.verdict, found.points.figure.value) == ("better", pytest.approx(0.3))
    assert compare("b", rows("b", strong), "a", rows("a", weak)).points.verdict == "worse"
    assert found.mcnemar.only_second == 40
    assert found.mcnemar.only_first == 10


def test_ties_are_never_called_equal() -> None:
    found = compare("a", rows("a", [1.0] * 30), "b", rows("b", [1.0] * 30))
    assert found.points.verdict == "no difference found"
    assert "equal" not in found.points.said
    assert found.points.figure.low is not None
    assert found.points.figure.low < 0 < (found.points.figure.high or 0)


def test_ten_ties_do_not_show_that_nothing_is_lost_and_a_thousand_do() -> None:
    few = compare("a", rows("a", [1.0] * 10), "b", rows("b", [1.0] * 10), margin=0.02)
    many = compare("a", rows("a", [1.0] * 1000), "b", rows("b", [1.0] * 1000), margin=0.02)
    assert few.points.said == "no difference found; a loss of more than 0.02 is not excluded"
    assert many.points.said == "not worse by more than 0.02"


def test_a_small_loss_within_the_margin_is_told_as_both() -> None:
    first, second = [1.0] * 2000, [0.0] * 20 + [1.0] * 1980
    found = compare("a", rows("a", first), "b", rows("b", second), margin=0.05)
    assert found.points.said == "worse, but not by more than 0.05"


def test_five_groups_are_too_few_to_call_anything_better() -> None:
    first, second = [0.0] * 50, [1.0] * 50
    assert compare("a", rows("a", first, group=10), "b", rows("b", second, group=10)).points.verdict == (
        "no difference found"
    )
    assert compare("a", rows("a", first, group=8), "b", rows("b", second, group=8)).points.verdict == "better"


def test_the_interval_of_a_difference_holds_the_truth_as_often_as_it_says() -> None:
    random, held = np.random.default_rng(5), 0
    for seed in range(300):
        gaps = random.choice([-1.0, 0.0, 1.0], 30, p=[0.02, 0.88, 0.10])
        found = difference([0.0] * 30, list(gaps), [str(i) for i in range(30)], unit="score", seed=seed).figure
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0.08 <= found.high
    assert held >= 285 - 12


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.integers(0, 4)), min_size=1, max_size=30))
def test_swapping_the_systems_swaps_the_verdict(rows: list[tuple[float, float, int]]) -> None:
    first, second, groups = [a for a, _, _ in rows], [b for _, b, _ in rows], [str(g) for _, _, g in rows]
    other = {"better": "worse", "worse": "better"}
    there, back = difference(first, second, groups), difference(second, first, groups)
    assert back.verdict == other.get(there.verdict, there.verdict)


def test_what_has_no_counterpart_is_named_and_counts_for_nothing() -> None:
    first = rows("a", [1.0, 0.0, 1.0])
    second = [*rows("b", [1.0, 0.0]), Outcome(suite="s", case="new", group="g", system="b", ending="failed")]
    found = compare("a", first, "b", second)
    assert (found.cases, found.only_first, found.only_second) == (2, ("s/2",), ("s/new",))
    assert "2 cases have no counterpart" in found.notes[0]


def test_a_missing_price_is_named_and_is_not_nothing() -> None:
    second = rows("b", [1.0] * 8, usd=0.02)
    second[3] = second[3].model_copy(update={"usd": None})
    found = compare("a", rows("a", [1.0] * 8), "b", second)
    assert found.unpriced == ("s/3",)
    assert found.usd.figure.value == pytest.approx(0.01)
    assert (found.usd.figure.n, found.usd.verdict) == (7, "worse")
    nothing = compare("a", rows("a", [1.0] * 8, usd=None), "b", second)
    assert (nothing.usd.verdict, nothing.usd.figure.value) == ("not measured", None)


def test_a_case_that_stands_twice_or_changed_its_group_is_refused() -> None:
    first = rows("a", [1.0, 0.0])
    with pytest.raises(ConfigError, match="s/0: stands twice among the outcomes of a"):
        paired([*first, first[0]], first)
    with pytest.raises(ConfigError, match="s/1: is of the group 1 in one run and 0 in the other"):
        paired(first, rows("b", [1.0, 0.0], group=2))


@pytest.mark.parametrize(
    ("split", "how", "p"),
    [((0, 0), "exact", 1.0), ((5, 0), "exact", 0.0625), ((3, 3), "exact", 1.0), ((10, 30), "mid_p", 0.00146)],
)
def test_mcnemar_is_exact_for_few_and_mid_p_for_many(split: tuple[int, int], how: str, p: float) -> None:
    found = mcnemar(*split)
    assert found.how == how
    assert found.p == pytest.approx(p, abs=2e-4)


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemars_p_is_a_probability_and_knows_no_order(one: int, two: int) -> None:
    assert 0 <= mcnemar(one, two).p <= 1
    assert mcnemar(one, two).p == mcnemar(two, one).p


def test_mcnemars_test_errs_no_more_often_than_it_says_where_both_are_right_equally_often() -> None:
    random, alarms = np.random.default_rng(2), 0
    for count in random.integers(1, 120, 2000):
        only_first = int(random.binomial(count, 0.5))
        alarms += mcnemar(only_first, int(count) - only_first).p <= 0.05
    assert alarms <= 2000 * 0.05 + 20


def test_all_three_baselines_are_compared_and_a_missing_one_is_named() -> None:
    outcomes = [*rows("moslm", [1.0] * 20), *rows("large", [1.0] * 20), *rows("small", [0.0] * 20)]
    found = against_baselines(outcomes)
    assert [each.first for each in found.comparisons] == ["large", "small"]
    assert found.missing == ("ungated",)
    with pytest.raises(ConfigError, match="one of: large, moslm, small"):
        against_baselines(outcomes, "mosml")


def test_the_best_small_model_is_not_chosen_by_hindsight() -> None:
    """Among twenty coins the best by hindsight looks better than one half; the one chosen elsewhere does not."""
    random, points = np.random.default_rng(8), []
    for _ in range(60):
        coins = {f"small:{n}": rows(f"small:{n}", list(random.integers(0, 2, 60).astype(float))) for n in range(20)}
        hindsight = max(np.mean([each.worth for each in coin]) for coin in coins.values())
        chosen, notes = best_single(coins)
        points.append((hindsight, np.mean([each.worth for each in chosen])))
        assert "chosen on the other half" in notes[0]
    by_hindsight, elsewhere = np.mean(points, axis=0)
    assert by_hindsight > 0.58
    assert elsewhere == pytest.approx(0.5, abs=0.03)


def test_the_baseline_of_several_small_models_says_which_were_chosen() -> None:
    good, bad = rows("small:good", [1.0] * 30), rows("small:bad", [0.0] * 30)
    found = against_baselines([*rows("moslm", [1.0] * 30), *good, *bad[:-1]])
    small = found.comparisons[0]
    assert small.first == "small"
    assert "chosen on the other half of the groups: good." in small.notes[0]
    assert small.only_second == ("s/29",)
