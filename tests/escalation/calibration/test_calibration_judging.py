from pathlib import Path

import numpy as np
import pytest

from moslm.errors import MissingExtraError
from moslm.escalation.calibration.diagram import reliability_png, reliability_text
from moslm.escalation.calibration.judging import aurc, equal_mass_bins, equal_mass_error, judged, risk_coverage
from moslm.escalation.calibration.routing import escalations_needed, routed

RIGHT = np.array([True, True, False, True, False, False])
SAID = np.array([0.9, 0.8, 0.7, 0.6, 0.2, 0.1])


def test_risk_and_coverage_follow_the_order_of_the_probabilities() -> None:
    coverage, risk = risk_coverage(SAID, RIGHT)
    assert coverage == pytest.approx(np.arange(1, 7) / 6)
    assert risk == pytest.approx([0, 0, 1 / 3, 1 / 4, 2 / 5, 1 / 2])
    assert aurc(SAID, RIGHT) == pytest.approx(risk.mean())


def test_ties_do_not_depend_on_the_order_of_the_rows() -> None:
    flat = np.full(6, 0.5)
    assert aurc(flat, RIGHT) == pytest.approx(aurc(flat, RIGHT[::-1])) == pytest.approx(0.5)


def test_honest_probabilities_have_hardly_any_calibration_error() -> None:
    random = np.random.default_rng(0)
    said = random.random(20_000)
    assert equal_mass_error(said, random.random(20_000) < said) < 0.015
    assert equal_mass_error(np.full(100, 0.9), np.zeros(100, dtype=bool)) == pytest.approx(0.9)


def test_bins_hold_as_many_answers_each() -> None:
    assert [each.answers for each in equal_mass_bins(np.linspace(0, 1, 100), np.ones(100, dtype=bool))] == [10] * 10


def test_figures_that_the_rows_do_not_allow_are_none() -> None:
    assert judged(np.zeros(0), np.zeros(0, dtype=bool), "held_out").auroc is None
    one_kind = judged(SAID, np.ones(6, dtype=bool), "held_out")
    assert one_kind.auroc is None
    assert one_kind.accuracy == 1


def test_the_figures_of_a_perfect_router() -> None:
    weak = np.array([True] * 50 + [False] * 50)
    strong = np.ones(100, dtype=bool)
    found = routed(np.where(weak, np.linspace(0, 0.4, 100), np.linspace(0.6, 1, 100)), weak, strong)
    assert (found.weak, found.strong) == (0.5, 1.0)
    # half of the calls recover everything, so the area is a triangle of half a width and then full height
    assert found.apgr == pytest.approx(0.75)
    assert found.cpt50 == pytest.approx(0.25)
    assert found.cpt80 == pytest.approx(0.4)
    assert found.escalations == {"0.90": 0.4, "0.95": 0.45, "0.99": 0.49}


def test_a_router_that_tosses_coins_recovers_half() -> None:
    random = np.random.default_rng(0)
    weak, strong = random.random(20_000) < 0.4, random.random(20_000) < 0.8
    found = routed(random.random(20_000), weak, strong)
    assert found.apgr == pytest.approx(0.5, abs=0.02)
    assert found.cpt50 == pytest.approx(0.5, abs=0.04)
    assert found.cpt80 == pytest.approx(0.8, abs=0.04)


def test_a_strong_model_that_is_none_has_no_gap_to_recover() -> None:
    found = routed(SAID, RIGHT, np.zeros(6, dtype=bool))
    assert found.apgr is None
    assert found.escalations["0.95"] == 0


def test_escalations_are_counted_until_the_accuracy_is_reached() -> None:
    assert escalations_needed(-SAID, RIGHT, np.ones(6, dtype=bool), 0.8) == pytest.approx(2 / 6)
    assert escalations_needed(-SAID, RIGHT, np.ones(6, dtype=bool), 1.0) == pytest.approx(4 / 6)


def test_the_diagram_is_drawn_as_text_and_as_png(tmp_path: Path) -> None:
    bins = equal_mass_bins(SAID, RIGHT, 3)
    assert reliability_text(bins).count("\n") == 3
    reliability_png(bins, tmp_path / "r.png")
    assert (tmp_path / "r.png").read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"moslm\[plots\]"):
        reliability_png(equal_mass_bins(SAID, RIGHT), tmp_path / "r.png")
