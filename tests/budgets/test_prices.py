from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from moslm.budgets.prices import PriceTable, _shipped
from moslm.config import Price
from moslm.errors import ConfigError

TABLE = PriceTable()


@pytest.mark.parametrize(
    ("model", "line"),
    [
        ("gpt-4o", "gpt-4o"),
        ("openai:gpt-4o", "gpt-4o"),
        ("azure_openai:gpt-4o", "gpt-4o"),
        ("openai/gpt-4o", "gpt-4o"),
        ("GPT-4o", "gpt-4o"),
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("gpt-4o-2024-05-13", "gpt-4o-2024-05-13"),
        ("openai:gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("gpt-4-0613", "gpt-4"),
        ("gpt-4-0125-preview", "gpt-4-0125-preview"),
        ("gpt-4-turbo-2024-04-09", "gpt-4-turbo"),
        ("gpt-4-turbo-preview", "gpt-4-turbo"),
        ("gpt-3.5-turbo-0125", "gpt-3.5-turbo"),
        ("anthropic:claude-3-5-sonnet-20241022", "claude-3-5-sonnet"),
        ("claude-3-5-sonnet-latest", "claude-3-5-sonnet"),
        ("claude-3-haiku@20240307", "claude-3-haiku"),
        ("us.anthropic.claude-3-haiku-20240307-v1:0", "claude-3-haiku"),
    ],
)
def test_a_model_is_found_under_every_way_it_is_written(model, line):
    assert TABLE.of(model) == _shipped().hosted[line]


def test_gpt_4o_costs_its_list_price():
    assert TABLE.cost_usd("gpt-4o", 1_000_000, 0) == 2.5
    assert TABLE.cost_usd("gpt-4o", 0, 1_000_000) == 10.0
    assert TABLE.cost_usd("openai:gpt-4o", 1000, 500) == pytest.approx(0.0075)


def test_tokens_from_the_cache_cost_their_own_price():
    assert TABLE.cost_usd("gpt-4o", 1_000_000, 0, cached_tokens=400_000) == pytest.approx(0.6 * 2.5 + 0.4 * 1.25)


def test_tokens_from_the_cache_cost_the_full_price_where_no_other_is_known():
    assert TABLE.cost_usd("gpt-4", 1_000_000, 0, cached_tokens=1_000_000) == 30.0


@pytest.mark.parametrize(
    "model",
    [
        "scripted",
        "generic-fake-chat-model",
        "SmolLM2-135M-Instruct-Q4_1.gguf",
        "Qwen2.5-7B-Instruct",
        "meta-llama/Llama-3.1-8B",
        "ollama:x",
    ],
)
def test_a_model_on_owned_hardware_costs_nothing_for_a_call(model):
    assert TABLE.cost_usd(model, 10**6, 10**6) == 0.0


@pytest.mark.parametrize(
    "model", ["openai:gpt-99", "groq:llama-3.1-8b-instant", "acme-7b", "gpt-4x", "o1-something-new"]
)
def test_a_hosted_model_without_a_price_is_refused_and_never_free(model):
    with pytest.raises(ConfigError, match="never taken for free") as caught:
        TABLE.cost_usd(model, 1, 1)
    assert f'"{model}" = {{ input = ...' in str(caught.value)


def test_a_name_nearly_right_is_suggested():
    with pytest.raises(ConfigError, match=r"did you mean gpt-4o-mini\?"):
        TABLE.of("openai:gpt-4o-mni")


def test_whoever_knows_that_it_owns_the_hardware_says_so():
    assert TABLE.of("acme-7b", owned=True).output == 0
    with pytest.raises(ConfigError):
        TABLE.of("qwen2.5-72b", owned=False)


def test_own_prices_come_first_and_price_what_the_table_does_not_know():
    table = PriceTable({"gpt-4o": Price(input=1, output=2), "acme-7b": Price(input=0.1, output=0.1)})
    assert table.of("openai:gpt-4o-2024-08-06").input == 1
    assert table.of("acme-7b", owned=True).input == 0.1
    assert table.of("gpt-4o-mini").input == 0.15


def test_every_shipped_price_is_dated_and_output_costs_no_less_than_input():
    for name, price in _shipped().hosted.items():
        assert date(2023, 1, 1) < date.fromisoformat(price.as_of) < date.today(), name
        assert 0 < price.input <= price.output, name
        assert price.cached_input is None or 0 < price.cached_input < price.input, name


@given(st.text(max_size=60))
def test_any_name_has_a_price_or_is_refused(model):
    try:
        price = TABLE.of(model)
    except ConfigError:
        return
    assert price.output >= 0


def test_an_answer_of_ones_own_gpu_costs_its_share_of_the_gpus_time():
    table = PriceTable({"qwen": Price(gpu_hour=0.72, gpus=2, tokens_per_second=400)})
    # two GPUs cost 0.0004 a second, in which they write 400 tokens
    assert table.cost_usd("qwen", 5_000, 400) == pytest.approx(0.0004)
    assert table.most_usd("qwen", 5_000, 800) == pytest.approx(0.0008)


def test_idle_time_is_paid_by_the_answers_where_the_utilisation_is_real():
    busy, half = (Price(gpu_hour=0.72, tokens_per_second=400, utilisation=each) for each in (1.0, 0.5))
    assert PriceTable({"m": half}).cost_usd("m", 0, 100) == pytest.approx(
        2 * PriceTable({"m": busy}).cost_usd("m", 0, 100)
    )


def test_reading_costs_its_own_time_where_that_is_measured_and_nothing_from_the_prefix_cache():
    table = PriceTable({"qwen": Price(gpu_hour=3.6, tokens_per_second=100, prompt_tokens_per_second=1000)})
    assert table.cost_usd("qwen", 2_000, 0) == pytest.approx(0.002)
    assert table.cost_usd("qwen", 2_000, 0, cached_tokens=2_000) == 0


def test_a_gpus_price_may_be_in_another_currency():
    table = PriceTable({"qwen": Price(gpu_hour=3.6, tokens_per_second=100, currency="EUR")}, {"EUR": 1.25})
    assert table.cost_usd("qwen", 0, 100) == pytest.approx(0.00125)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"input": 1}, "output is missing; add output = ..., per million tokens, or gpu_hour = ..."),
        ({}, "input is missing"),
        ({"gpu_hour": 1}, "tokens_per_second is missing"),
        ({"gpu_hour": 1, "tokens_per_second": 4, "input": 2}, "has two prices, gpu_hour and input"),
        ({"input": 1, "output": 1, "utilisation": 0.4}, "utilisation means nothing without gpu_hour"),
        ({"gpu_hour": 0, "tokens_per_second": 4}, "greater than 0"),
        ({"gpu_hour": 1, "tokens_per_second": 4, "utilisation": 1.4}, "less than or equal to 1"),
    ],
)
def test_a_price_is_of_one_kind_and_whole(said, problem):
    with pytest.raises(ValidationError, match=problem.replace(".", r"\.")):
        Price(**said)
