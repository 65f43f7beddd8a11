"""A recorded table is read as outcomes; what it lacks is named, and the rest goes on."""

from pathlib import Path

import numpy as np
import pytest

from moslm.errors import ConfigError
from moslm.evals.tables import TABLES, Assumptions
from moslm.evals.tables.llmrouter import LARGE, SMALL

PRICES = [{"model": model, "input_price_per_m": 0.2, "output_price_per_m": 0.4} for model in (LARGE, SMALL[0])]


def nine(**scores: float | None) -> dict:
    found = {LARGE: 1.0, SMALL[0]: 0.0, **scores}
    return {name: score for name, score in found.items() if score is not None}


def rows_of(*scores: dict) -> list[dict]:
    return [{"id": f"q{i}", "question": f"question {i}", "scores": each} for i, each in enumerate(scores)]


def test_a_case_without_an_outcome_is_failed_and_named(write) -> None:
    folder = write("llmrouter_9models", rows_of(nine(), nine(**{SMALL[0]: None})))
    write("llmrouter_prices", PRICES)
    table = TABLES["llmrouter_9models"](folder, Assumptions())
    assert f"{SMALL[0]} lacks 1 of the 2 cases." in table.notes
    outcomes = list(table.outcomes(SMALL[0], "small"))
    assert [each.ending for each in outcomes] == ["wrong", "failed"]
    assert (outcomes[1].score, outcomes[1].system) == (None, "small")


def test_a_missing_price_is_named_and_its_cost_is_unknown_rather_than_nothing(write) -> None:
    folder = write("llmrouter_9models", rows_of(nine()))
    write("llmrouter_prices", PRICES[:1])
    table = TABLES["llmrouter_9models"](folder, Assumptions())
    assert any(note.startswith(f"No price is known of {SMALL[0]}") for note in table.notes)
    assert next(table.outcomes(SMALL[0])).usd is None
    assert next(table.outcomes(LARGE)).usd == pytest.approx((10 / 4 * 0.2 + 200 * 0.4) / 1e6)


def test_a_model_without_any_outcome_is_left_out_and_named_and_without_the_large_one_there_is_no_table(write) -> None:
    folder = write("llmrouter_9models", rows_of(nine(**{LARGE: None, "codegemma-7b": 0.5})))
    write("llmrouter_prices", PRICES)
    with pytest.raises(ConfigError, match=f"llmrouter_9models: model = '{LARGE}': has no outcomes"):
        TABLES["llmrouter_9models"](folder, Assumptions())
    folder = write("llmrouter_9models", rows_of(nine(other=float("nan"))))
    table = TABLES["llmrouter_9models"](folder, Assumptions())
    assert "other has no outcomes and is left out." in table.notes
    with pytest.raises(ConfigError, match="one of: "):
        table.column("other")


def test_an_assumed_price_of_owned_hardware_holds_for_the_small_models_alone(write) -> None:
    folder = write("llmrouter_9models", rows_of(nine()))
    write("llmrouter_prices", PRICES)
    table = TABLES["llmrouter_9models"](folder, Assumptions(local_usd_per_million=0.0))
    assert next(table.outcomes(SMALL[0])).usd == 0
    assert (next(table.outcomes(LARGE)).usd or 0) > 0


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"id": "a", "question": "q"}, "key|scores: is missing"),
        ({"id": "q0", "question": "q", "scores": {}}, "id = 'q0': stands there twice"),
    ],
)
def test_a_row_that_cannot_be_read_is_named_by_file_line_and_key(write, line: dict, said: str) -> None:
    folder = write("llmrouter_9models", [*rows_of(nine()), line])
    write("llmrouter_prices", PRICES)
    with pytest.raises(ConfigError, match=said) as error:
        TABLES["llmrouter_9models"](folder, Assumptions())
    assert "llmrouter_9models.jsonl:2" in str(error.value)


def test_a_table_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"routellm_mmlu\.jsonl: cannot be read"):
        TABLES["routellm_mmlu"](tmp_path, Assumptions())


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "cases", "large"),
    [
        ("mmlu_pro_models", 7256, 0.626),
        ("routellm_mmlu", 3499, 0.803),
        ("routellm_gsm8k", 1319, 0.857),
        ("gsm8k_gpt3_6b_vs_175b", 1319, 0.563),
        ("llmrouter_9models", 6108, 0.617),
        ("routerarena_sub10", 802, 0.691),
    ],
)
def test_the_public_tables_are_what_they_are_known_to_be(data: Path, name: str, cases: int, large: float) -> None:
    table = TABLES[name](data, Assumptions())
    outcomes = list(table.outcomes(table.large))
    assert len(outcomes) == cases
    assert np.mean([each.worth for each in outcomes]) == pytest.approx(large, abs=6e-4)
    assert all((each.usd is None) == name.startswith("gsm8k_gpt3") for each in outcomes)
