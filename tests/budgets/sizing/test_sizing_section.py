"""From the section of a case to machines, and what in it cannot be."""

import json

import pytest

from moslm.budgets.sizing.hardware import Hardware, hardware_table
from moslm.budgets.sizing.settings import Sizing, load_of, sized
from moslm.config import validated
from moslm.errors import ConfigError

SAID = {"tokens_in": 800, "tokens_out": 150, "tokens_per_second": 410, "side_by_side": 16, "hardware": "L4"}


def sizing(**changes):
    return validated(Sizing, {**SAID, **changes}, file="case.toml", prefix="sizing")


def made(local=800_000, file="case.toml", **changes):
    return sized(sizing(**changes), local, hardware_table(), file)


def test_the_scaling_guides_example_comes_out():
    # Qwen2.5-7B in 4 bit on L4, S(16) = 5.85 s: two replicas and a spare one
    found = made(requests_per_second=2.8)
    assert found.load.answer_s == pytest.approx(16 * 150 / 410)
    assert (found.plan.replicas, found.pieces) == (2, 3)
    assert found.plan.load == pytest.approx(2.8 * 16 * 150 / 410)
    assert found.price == 3 * hardware_table()["L4"].price


def test_the_rate_comes_from_the_month_where_it_is_not_said():
    load = load_of(sizing(days=20, peak_hour=0.15, bursts=2, calls=1.3), 800_000, "case.toml")
    assert load.rate == pytest.approx(800_000 * 1.3 / 20 * 0.15 / 3600 * 2)


def test_reading_prompts_takes_the_time_of_all_side_by_side():
    apart = load_of(sizing(prompt_tokens_per_second=8_000), 1, "case.toml")
    assert apart.answer_s == pytest.approx(16 * (150 / 410 + 800 / 8_000))


def test_samples_of_the_capacity_bench_take_the_place_of_a_speed(tmp_path):
    rows = [{"side_by_side": each, "seconds": [each / 10 + i / 100 for i in range(40)]} for each in (8, 16)]
    (tmp_path / "capacity.json").write_text(json.dumps({"rows": rows}))
    file = str(tmp_path / "case.toml")
    load = load_of(sizing(samples="capacity.json", tokens_per_second=None), 1, file)
    assert load.samples[0] == 1.6
    (tmp_path / "seconds.txt").write_text("\n".join(["0.5", "1.5"] * 20))
    assert load_of(sizing(samples="seconds.txt"), 1, file).answer_s == 1.0


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"hardware": "H10"}, "sizing.hardware = 'H10': is no class of hardware; did you mean H100?"),
        ({"tokens_per_second": None}, "sizing.tokens_per_second: is missing; measure it on L4: bench/capacity.py"),
        ({"weights_gb": 30}, "sizing.weights_gb = 30.0: do not fit into 1 x 24 GB of L4; raise sizing.gpus"),
        ({"level": {"percentile": 0.9, "seconds": 0.3}}, "no number of replicas makes one faster"),
        ({"level": {"percentile": 90, "seconds": 0.3}}, "sizing.level.percentile = 90: must be less than 1"),
        ({"tokens_out": -1}, "sizing.tokens_out = -1: must be more than 0"),
        ({"samples": "none.json"}, "none.json': cannot be read: No such file"),
        ({"samples": "words.txt"}, "words.txt': holds no seconds"),
        ({"samples": "few.txt"}, "must hold 30 positive figures or more, and holds 2"),
        ({"samples": "other.json"}, "16 side by side were not measured, but 1, 2"),
        ({"samples": "empty.json"}, "holds no seconds"),
    ],
)
def test_a_mistake_is_one_line(tmp_path, monkeypatch, changes, line):
    monkeypatch.chdir(tmp_path)  # the temporary folder's own name may be too long to be shown whole
    (tmp_path / "words.txt").write_text("half a second")
    (tmp_path / "few.txt").write_text("1 2")
    (tmp_path / "empty.json").write_text("{}")
    (tmp_path / "other.json").write_text('{"rows": [{"side_by_side": 1}, {"side_by_side": 2}]}')
    with pytest.raises(ConfigError) as caught:
        made(file="case.toml", **changes)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nothing_is_sized_for_nothing():
    with pytest.raises(ConfigError, match="nothing is asked of small models"):
        made(local=0)


def test_every_class_of_the_reference_design_and_current_ones_are_there_with_dated_prices():
    table = hardware_table()
    assert {"A100 40 GB", "A100 80 GB", "RTX 4090", "H100", "H200", "L40S", "L4", "RTX 5090", "B200"} <= set(table)
    assert sum(each.kind == "cpu" for each in table.values()) >= 2
    for name, each in table.items():
        assert (each.price is None) == (not each.price_as_of), name
        assert (each.hour is None) == (not each.hour_as_of), name


def test_ones_own_class_takes_the_place_of_a_shipped_one():
    table = hardware_table({"L4": Hardware(memory_gb=24, price=1)})
    assert table["L4"].price == 1
    assert len(table) == len(hardware_table())
