"""Every mistake of a case is one line with file, key, value and mend."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moslm.budgets.ownership import month
from moslm.budgets.ownership.case_file import example, parsed_case, read_case
from moslm.budgets.ownership.resolving import resolved
from moslm.budgets.prices import PriceTable
from moslm.errors import ConfigError


def case(e="0.2", single="per_month = 30_000", hardware="price = 150_000", months="36", more=""):
    text = f"""
[traffic]
requests_per_month = 1_000_000
escalated = {e}
[single]
{single}
[hardware]
{hardware}
months = {months}
[operating]
per_month = 3_000
{more}
"""
    return resolved(parsed_case(text, "case.toml"), PriceTable(), "case.toml")


GPT4 = 'model = "gpt-4"\ntokens_in = 600\n'
MISTAKES = {
    "a negative share": ({"e": "-0.1"}, "traffic.escalated = -0.1: must be at least 0; write a number at least 0"),
    "a share over 1": ({"e": "1.2"}, "traffic.escalated = 1.2: must be at most 1; write a number at most 1"),
    "an infinite share": ({"e": "inf"}, "traffic.escalated = inf: input should be a finite number"),
    "shares over 1 in all": (
        {"e": "0.7\nremembered = 0.4"},
        "traffic.escalated = 0.7: the shares escalated, remembered, handed over and refused come to 1.1, over 1",
    ),
    "no months": ({"months": "0"}, "hardware.months = 0: must be at least 1; write a number at least 1"),
    "an unknown key": ({"more": "per_mouth = 3"}, "operating.per_mouth = 3: unknown key; did you mean per_month?"),
    "a key nobody knows": ({"more": "xyz = 3"}, "operating.xyz = 3: unknown key; remove it (there are per_month,"),
    "no price": ({"single": ""}, "single: has no price; give one of per_month, per_request and model"),
    "two prices": (
        {"single": "per_month = 1\nper_request = 2"},
        "single: has two prices, per_month and per_request; give one of",
    ),
    "a model nobody prices": (
        {"single": 'model = "gpt-99"\ntokens_in = 1\ntokens_out = 1'},
        "single.model = 'gpt-99': has no known price; give per_request in its place, or its price under [prices]",
    ),
    "a model without lengths": ({"single": GPT4}, "single.tokens_out: is missing; a model is priced by tokens"),
    "hardware without a price": ({"hardware": ""}, "hardware: has no price; give one of price and items"),
    "an unknown class": (
        {"hardware": 'items = [{ name = "A100", count = 2 }]'},
        "hardware.items.0.name = 'A100': is no class of hardware; did you mean A100 40 GB?",
    ),
    "a class without a list price": (
        {"hardware": 'items = [{ name = "CPU node, 128-256 GB", count = 2 }]'},
        "hardware.items.0.name = 'CPU node, 128-256 GB': has no list price; add price = ...",
    ),
    "a price in another currency": (
        {
            "hardware": 'items = [{ name = "Box", count = 1 }]',
            "more": '[hardware_classes.Box]\nmemory_gb = 24\nprice = 900\ncurrency = "EUR"',
        },
        "hardware.items.0.name = 900.0: is in EUR, and the case in USD; give the worth of one EUR in US dollars: "
        "[currencies] EUR = ...",
    ),
    "busy in two ways": (
        {"hardware": "price = 1\nutilisation = 0.3\nrequests_per_month = 3"},
        "hardware.utilisation = 0.3: is said in two ways",
    ),
    "worth more in the end": (
        {"hardware": "price = 100\nresidual = 200"},
        "hardware.residual = 200.0: is more than the price of the hardware",
    ),
    "a range of nothing": ({"more": "[ranges]\ntraffic.escalatd = [0, 1]"}, "did you mean traffic.escalated?"),
    "a range that cannot be": ({"more": "[ranges]\ntraffic.escalated = [0, 2]"}, "2 cannot be: must be 0 to 1"),
    "a range from its end": ({"more": "[ranges]\noperating.per_month = [4, 2]"}, "begins after its end"),
    "half a triangle": (
        {"more": '[uncertain]\ntraffic.escalated = { distribution = "triangular", low = 0.1 }'},
        "uncertain.traffic.escalated.mode: is missing; a triangular distribution has low, mode, high",
    ),
    "a triangle with a mean": (
        {"more": '[uncertain]\ntraffic.escalated = { distribution = "uniform", low = 0.1, high = 0.2, mean = 0.3 }'},
        "uncertain.traffic.escalated.mean = 0.3: has no meaning for a uniform distribution; it has low, high",
    ),
    "a triangle out of order": (
        {"more": '[uncertain]\ntraffic.escalated = { distribution = "triangular", low = 0.3, mode = 0.2, high = 0.4 }'},
        "is not in order; write low, mode and high from the least to the most",
    ),
    "an unknown distribution": (
        {"more": '[uncertain]\ntraffic.escalated = { distribution = "beta" }'},
        "uncertain.traffic.escalated.distribution = 'beta': input should be 'triangular', 'uniform', 'normal'",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line(name):
    said, line = MISTAKES[name]
    with pytest.raises(ConfigError) as caught:
        case(**said)
    assert str(caught.value).startswith("case.toml: ")
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_says_how_to_begin(tmp_path):
    with pytest.raises(ConfigError, match=r"no such file; run: moslm cost --example > case\.toml"):
        read_case(tmp_path / "none.toml")
    (tmp_path / "wrong.toml").write_text("[traffic")
    with pytest.raises(ConfigError, match=r"wrong\.toml: not TOML"):
        read_case(tmp_path / "wrong.toml")


def test_a_model_is_priced_by_its_tokens():
    # the reference design's $30,000 a month for a million requests is, at gpt-4's list price, 600 tokens in and 200 out
    assert month(case(single=GPT4 + "tokens_out = 200").case).single == pytest.approx(30_000)


def test_hardware_is_the_sum_of_what_it_consists_of():
    made = case(hardware='items = [{ name = "RTX 4090", count = 4 }, { name = "L4", count = 1, price = 2_000 }]')
    assert made.case.hardware == 4 * 1_599 + 2_000


def test_money_is_taken_into_the_currency_of_the_case():
    made = case(
        hardware='items = [{ name = "RTX 4090", count = 1 }]', more="[currencies]\nEUR = 1.25"
    )  # the case is in US dollars still
    assert made.case.hardware == 1_599
    text = example().replace('currency = "USD"', 'currency = "EUR"')
    text = text.replace("price = 150_000", 'items = [{ name = "RTX 4090", count = 1 }]')
    said = parsed_case(f"{text}\n[currencies]\nEUR = 1.25\n", "case.toml")
    assert resolved(said, PriceTable(), "case.toml").case.hardware == pytest.approx(1_599 / 1.25)


def test_how_busy_hardware_is_says_what_it_can_do():
    assert case(hardware="price = 1\nutilisation = 0.4").case.capacity == pytest.approx(800_000 / 0.4)


def test_every_line_of_the_example_can_be_said():
    import re

    opened = re.sub(r"(?m)^# (?=\[|[a-z_.]+ = [^.])", "", example())
    opened = re.sub(r"(?m)^(items|model|tokens_in|tokens_out|samples) = .*$", "", opened)
    opened = opened.replace("tokens_per_second = 410", "tokens_in = 800\ntokens_out = 150\ntokens_per_second = 410")
    assert opened.count("[") > example().count("\n[")
    said = parsed_case(opened, "example")
    assert said.sizing is not None
    assert said.uncertain
    assert month(resolved(said, PriceTable(), "example").case).total == pytest.approx(13_166.67, abs=1)


@given(st.text(max_size=60))
def test_no_text_is_a_case_and_each_is_told_in_one_line(text):
    with pytest.raises(ConfigError) as caught:
        parsed_case(text, "case.toml")
    assert len(str(caught.value).splitlines()) == 1
