import json
import math
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from moslm.errors import ConfigError
from moslm.escalation.calibration.artefact import Calibration, read_calibration, write_calibration
from moslm.escalation.calibration.fitting import Promise, fit_calibration
from moslm.escalation.calibration.labelled import LabelledAnswer

TODAY = date(2026, 11, 23)


def answers(count: int = 300) -> list[LabelledAnswer]:
    rng = np.random.default_rng(7)
    rows = []
    for i in range(count):
        strength = rng.normal() + (1 if i % 3 else -1)
        mean = 1 / (1 + math.exp(-(strength + rng.normal() / 2)))
        second = None if i % 7 == 0 else float(rng.random() < 1 / (1 + math.exp(-2 * strength)))
        right = bool(rng.random() < 1 / (1 + math.exp(-2 * strength)))
        domain = "easy" if i % 3 else "hard"
        rows.append(LabelledAnswer(domain, f"g{i // 2}", {"mean": mean, "second": second}, right))
    return rows


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    return fit_calibration(
        answers(), signals=["mean", "second"], model="m", revision="1", created=TODAY, promise=Promise(0.3, 0.1)
    )


def test_what_is_written_is_read_back_equal_and_says_the_same(calibration: Calibration, tmp_path: Path) -> None:
    written = write_calibration(tmp_path / "deep" / "c.json", calibration)
    read = read_calibration(tmp_path / "deep" / "c.json")
    assert read == written == calibration
    assert read.probability("easy", {"mean": 0.7}) == calibration.probability("easy", {"mean": 0.7})


def test_a_truncated_file_is_refused_in_one_line(calibration: Calibration, tmp_path: Path) -> None:
    file = tmp_path / "c.json"
    write_calibration(file, calibration)
    whole = file.read_bytes()
    for size in (0, 1, len(whole) // 2, len(whole) - 3):
        file.write_bytes(whole[:size])
        with pytest.raises(ConfigError, match="only part of one") as caught:
            read_calibration(file)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["model", "expires", "signals", "calibrators", "guarantee", "fitted_on"])
def test_an_altered_field_is_refused(calibration: Calibration, tmp_path: Path, key: str) -> None:
    file = tmp_path / "c.json"
    write_calibration(file, calibration)
    about = json.loads(file.read_text())
    about["calibration"][key] = None
    file.write_text(json.dumps(about))
    with pytest.raises(ConfigError, match="was altered"):
        read_calibration(file)


@pytest.mark.parametrize("text", ["[]", "{}", '{"format": 1, "calibration": {}}', '{"format": 99, "calibration": {}}'])
def test_anything_else_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "c.json"
    file.write_text(text)
    with pytest.raises(ConfigError):
        read_calibration(file)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_calibration(tmp_path / "none.json")


def test_a_domain_that_was_not_calibrated_has_no_probability(calibration: Calibration) -> None:
    assert calibration.probability("legal", {"mean": 0.9, "second": 1.0}) is None
    assert calibration.threshold("legal") is None


@pytest.mark.parametrize("nothing", [None, math.nan, math.inf])
def test_signals_that_are_all_missing_have_no_probability(calibration: Calibration, nothing: float | None) -> None:
    assert calibration.probability("easy", {"mean": nothing, "second": None}) is None
    assert calibration.probability("easy", {}) is None


def test_cheap_signals_alone_have_a_probability_of_their_own(calibration: Calibration) -> None:
    cheap = calibration.probability("easy", {"mean": 0.6})
    doubted = calibration.probability("easy", {"mean": 0.6, "second": 0.0})
    agreed = calibration.probability("easy", {"mean": 0.6, "second": 1.0})
    assert cheap is not None
    assert doubted is not None
    assert agreed is not None
    assert doubted < cheap < agreed


def test_it_is_foreign_to_another_revision_and_stale_after_its_day(calibration: Calibration) -> None:
    assert calibration.unusable("m", "1", TODAY) is None
    assert calibration.unusable("m", "2", TODAY) == "foreign"
    assert calibration.unusable("n", "1", TODAY) == "foreign"
    assert calibration.unusable("m", "1", calibration.expires) == "stale"


def test_equal_data_give_an_equal_version_in_any_order(calibration: Calibration) -> None:
    rows = answers()
    again = fit_calibration(
        rows[::-1], signals=["mean", "second"], model="m", revision="1", created=TODAY, promise=Promise(0.3, 0.1)
    )
    assert again.fitted_on == calibration.fitted_on
