"""The published page is written from kept figures, and says what it does not have."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

from publishing import page, plot  # noqa: E402

KEPT = json.loads((ROOT / "docs" / "results" / "frontiers.json").read_text(encoding="utf-8"))


def test_the_committed_pages_are_those_of_the_committed_figures(tmp_path: Path) -> None:
    ownership, end_to_end = (
        json.loads(file.read_text()) if (file := ROOT / "docs" / "results" / f"{name}.json").exists() else None
        for name in ("ownership", "end_to_end")
    )
    pages = {"docs/results.md": page.results(KEPT, ownership, end_to_end), "README.md": page.summary(KEPT)}
    for name, text in pages.items():
        copy = tmp_path / "page.md"
        copy.write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
        page.put(copy, text)
        assert copy.read_text(encoding="utf-8") == (ROOT / name).read_text(encoding="utf-8"), name


def test_every_system_that_the_question_needs_stands_on_every_table() -> None:
    for name, each in KEPT["frontiers"].items():
        systems = {system["system"] for system in each["systems"]}
        assert {"moslm", "random mix", "oracle", "probability alone", "cascadeflow, by the request"} <= systems, name
        assert systems <= set(plot.STYLES)
        assert each["best_single"] in [model["model"] for model in each["models"]]
    by_answer = {system["system"] for system in KEPT["frontiers"]["mmlu_pro_models"]["systems"]}
    assert {"cascadeflow, by the answer", "raw agreement", "moslm, several small models"} <= by_answer


def test_figures_have_intervals() -> None:
    for each in KEPT["frontiers"].values():
        for system in each["systems"]:
            for name, figure in system["figures"].items():
                if figure["value"] is not None and not name.startswith("held_out"):
                    assert figure["low"] is not None or figure["why"], (system["system"], name)


def test_a_part_that_was_not_measured_says_how_it_is() -> None:
    text = page.results(KEPT, None, None)
    assert "`moslm cost --json > docs/results/ownership.json`" in text
    assert "`moslm eval --json > docs/results/end_to_end.json`" in text


def test_the_reference_case_is_shown_with_its_sensitivity() -> None:
    case = {
        "month": {
            "parts": {"hardware": 4166.7, "energy": 0.0},
            "single_parts": {"hardware": 0.0},
            "total": 13166.7,
            "single": 30000.0,
            "saving": 16833.3,
            "saved": 0.561,
            "saving_per_year": 202000.0,
        },
        "horizon": {"simple_payback_months": 8.91, "payback_months": 7.14},
        "tornado": [{"input": "traffic.escalated", "low": 0.16, "high": 0.24, "at_low": 18033.3, "at_high": 15633.3}],
        "break_even": {
            "escalated": {"value": 0.761, "why": "bisection"},
            "volume": {"value": None, "why": "no volume"},
        },
    }
    text = page.results(KEPT, case, None)
    assert "| hardware | 4,167 | 0 |" in text
    assert "Saved: $16,833 a month (56%), $202,000 a year." in text
    assert "| traffic.escalated | 0.16 | 0.24 | 18,033 | 15,633 |" in text
    assert "escalated 0.761; volume: none (no volume)" in text


def test_an_end_to_end_run_is_shown_a_column_a_system() -> None:
    share = {"value": 0.5, "low": 0.25, "high": 0.75, "n": 4, "unit": "share"}
    run = {"figures": {"moslm": {"all": {"kept": share}}, "large": {"all": {}}}, "endings": {"moslm": {"right": 2}}}
    text = page.results(KEPT, None, run)
    assert "| kept | 50.0% (25.0% to 75.0%) | – |" in text
    assert "moslm: 2 right" in text


def test_a_document_of_another_shape_is_shown_figure_by_figure() -> None:
    text = page.results(KEPT, {"monthly": {"saving": 16833.0}, "drawn": [1.0] * 500}, {"kept": [0.5, 0.25]})
    assert "| monthly.saving | 16,833 |" in text
    assert "| kept[1] | 0.25 |" in text
    assert "drawn" not in text


def test_a_page_without_its_marks_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text(f"{page.END}\n{page.BEGIN}\n")
    with pytest.raises(SystemExit, match="needs one line"):
        page.put(file, "x")


def test_the_picture_is_white_and_the_same_figures_give_the_same_bytes(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    one, two = tmp_path / "one.svg", tmp_path / "two.svg"
    for file in (one, two):
        plot.draw({"made": KEPT["frontiers"]["routellm_gsm8k"]}, file)
    assert one.read_bytes() == two.read_bytes()
    assert "#ffffff" in one.read_text()
