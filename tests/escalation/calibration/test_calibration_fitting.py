from datetime import date
from typing import Any

import numpy as np
import pytest

from moslm.errors import ConfigError
from moslm.escalation.calibration.curves import KINDS, fit_curve, log_loss
from moslm.escalation.calibration.fitting import Promise, fit_calibration, regressions
from moslm.escalation.calibration.labelled import LabelledAnswer, folds_of
from moslm.escalation.calibration.logistic import fit_logistic, sigmoid

TODAY = date(2026, 11, 23)


def answers(count: int, seed: int = 0, domain: str = "a", prefix: str = "g") -> list[LabelledAnswer]:
    random = np.random.default_rng(seed)
    score = random.normal(0.5, 1.5, count)
    right = random.random(count) < sigmoid(score)
    mean = sigmoid(score / 2 + 1)
    return [LabelledAnswer(domain, f"{prefix}{i}", {"mean": float(mean[i])}, bool(right[i])) for i in range(count)]


def fit(rows: list[LabelledAnswer], **options: Any) -> Any:
    return fit_calibration(rows, signals=["mean"], model="m", revision="1", created=TODAY, **options)


def test_a_signal_that_is_off_becomes_a_probability_that_is_honest() -> None:
    found = fit(answers(1500), held_out=answers(1500, seed=1, prefix="h")).figures[""]
    assert found.judged_on == "held_out"
    assert found.calibration_error < 0.04
    assert found.auroc > 0.75


def test_without_held_out_rows_the_figures_are_cross_fitted() -> None:
    found = fit(answers(400))
    assert found.figures[""].judged_on == "cross_fitted"
    assert found.figures[""].answers == 400


def test_a_signal_that_says_nothing_is_not_made_to_say_something() -> None:
    random = np.random.default_rng(5)
    rows = [
        LabelledAnswer("a", f"g{i}", {"mean": float(random.random())}, bool(random.random() < 0.6)) for i in range(400)
    ]
    found = fit(rows)
    # held-out folds of noise rank a little below chance: what one fold has more of, the others have less
    assert found.figures[""].auroc < 0.56
    said = [found.probability("a", {"mean": value}) for value in (0.05, 0.5, 0.95)]
    assert said == pytest.approx([0.665] * 3, abs=0.1)


def test_a_domain_with_few_rows_stays_near_the_others() -> None:
    few = [LabelledAnswer("b", f"f{i}", {"mean": 0.9}, False) for i in range(4)]
    found = fit([*answers(600), *few])
    common, own = found.probability("a", {"mean": 0.9}), found.probability("b", {"mean": 0.9})
    assert 0.3 < own < common


def test_a_domain_with_many_rows_speaks_for_itself() -> None:
    many = [LabelledAnswer("b", f"f{i}", {"mean": 0.9}, i % 5 == 0) for i in range(600)]
    assert fit([*answers(600), *many]).probability("b", {"mean": 0.9}) == pytest.approx(0.2, abs=0.06)


@pytest.mark.parametrize("right", [True, False])
def test_answers_of_one_kind_only_are_refused(right: bool) -> None:
    with pytest.raises(ConfigError, match=f"all 20 are {'right' if right else 'wrong'}"):
        fit([LabelledAnswer("a", f"g{i}", {"mean": 0.5}, right) for i in range(20)])


@pytest.mark.parametrize(
    ("rows", "options", "said"),
    [
        ([], {}, "there are none"),
        ([LabelledAnswer("a", "g", {"mean": 0.5}, i % 2 == 0) for i in range(9)], {}, "one group"),
        ([LabelledAnswer("a", f"g{i}", {"mean": None}, i % 2 == 0) for i in range(9)], {}, "any of the signals"),
        (answers(50), {"held_out": answers(10)}, "both fitted and held out"),
        (answers(50), {"held_out": answers(10, domain="z", prefix="h")}, "held-out domain z"),
    ],
)
def test_rows_that_cannot_be_fitted_are_refused(rows: list[LabelledAnswer], options: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        fit(rows, **options)


def test_the_thresholds_are_on_the_scale_of_the_probabilities() -> None:
    rows = answers(800)
    found = fit(rows, promise=Promise(0.2, 0.1), held_out=answers(800, seed=3, prefix="h"))
    threshold = found.threshold("a")
    assert threshold is not None
    later = answers(800, seed=4)
    kept = [row for row in later if (found.probability("a", row.signals) or 0) >= threshold]
    assert len(kept) > 100
    assert sum(not row.right for row in kept) / len(kept) <= 0.2


def test_progress_is_told_as_often_as_announced() -> None:
    told: list[int] = []
    fit(answers(100), step=lambda: told.append(1))
    assert len(told) == regressions(["mean"], held_out=False)


def test_groups_are_never_split_and_folds_are_even() -> None:
    groups = [f"g{i % 37}" for i in range(370)]
    folds = folds_of(groups)
    assert all(len({f for f, g in zip(folds, groups, strict=True) if g == group}) == 1 for group in set(groups))
    assert max(np.bincount(folds)) - min(np.bincount(folds)) <= 10


@pytest.mark.parametrize("kind", KINDS)
def test_every_curve_rises_and_stays_between_0_and_1(kind: Any) -> None:
    random = np.random.default_rng(2)
    score = random.normal(0, 2, 500)
    curve = fit_curve(kind, score, random.random(500) < sigmoid(score * 0.4 - 1))
    said = curve.apply(np.linspace(-30, 30, 400))
    assert (np.diff(said) >= -1e-12).all()
    assert said.min() >= 0
    assert said.max() <= 1


@pytest.mark.parametrize("kind", ["platt", "beta", "isotonic"])
def test_a_curve_mends_overconfidence(kind: Any) -> None:
    random = np.random.default_rng(2)
    score = random.normal(0, 2, 2000)
    right = random.random(2000) < sigmoid(score * 0.4)
    assert log_loss(fit_curve(kind, score, right).apply(score), right) < log_loss(sigmoid(score), right) - 0.02


def test_the_regression_finds_the_weights_that_made_the_data() -> None:
    random = np.random.default_rng(0)
    columns = random.normal(size=(20_000, 2))
    right = random.random(20_000) < sigmoid(columns @ np.array([1.5, -0.5]) + 0.3)
    weights, intercept = fit_logistic(columns, right, np.array([1e-3, 1e-3]))
    assert weights == pytest.approx([1.5, -0.5], abs=0.08)
    assert intercept == pytest.approx(0.3, abs=0.06)


def test_outcomes_that_a_line_divides_do_not_end_in_infinity() -> None:
    columns = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    weights, intercept = fit_logistic(columns, columns[:, 0] > 0, np.array([0.1]))
    assert np.isfinite([*weights, intercept]).all()
