import csv
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from decision_samples import a_decision

from moslm.decision import Cost, Usage

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
QUICK = "\n[draws]\ncount = 300\n"


@pytest.fixture
def case(folder):
    """The reference case as a file, with few draws; more may be added at its end."""
    file = folder / "case.toml"

    def write(more="", **changes):
        text = _example()
        for old, new in changes.items():
            line = re.search(rf"(?m)^{old} = [^#\n]*", text)
            assert line is not None
            text = text.replace(line[0], f"{old} = {new} ", 1)
        file.write_text(text + QUICK + more)
        return "case.toml"

    return write


def _example():
    from moslm.budgets.ownership.case_file import example

    return example()


def test_the_reference_designs_case_is_told_to_the_dollar(moslm_command):
    code, out, err = moslm_command("cost")
    assert (code, err) == (0, "")
    for told in ("$4,167", "$3,000", "$6,000", "$13,167", "$30,000", "$16,833 a month (56 %)", "$202,000 a year"):
        assert told in out
    assert "8.9 months by the saving after depreciation" in out
    assert "298,611 requests a month" in out
    assert "76.1 % escalated" in out
    assert max(map(len, out.splitlines())) <= 100


def test_the_readme_shows_what_the_command_prints(moslm_command):
    shown = re.search(r"<!-- moslm cost -->\n```\n(.*?)\n```\n<!-- /moslm cost -->", README, re.DOTALL)
    assert shown is not None
    assert moslm_command("cost")[1].rstrip() == shown[1]


def test_the_example_is_the_case_that_is_taken_without_a_file(moslm_command, folder):
    _, text, _ = moslm_command("cost", "--example")
    (folder / "mine.toml").write_text(text)
    one, two = (json.loads(moslm_command("cost", *which, "--json")[1]) for which in ([], ["mine.toml"]))
    assert {**one, "case": ""} == {**two, "case": ""}


def test_json_csv_and_page_tell_the_same_figures(moslm_command, case, folder):
    code, out, _ = moslm_command("cost", case(), "--json", "--csv", "cost.csv", "--html", "cost.html")
    told = json.loads(out)
    assert code == 0
    assert round(told["month"]["total"]) == 13_167
    assert told["horizon"]["simple_payback_months"] == pytest.approx(8.91, abs=0.01)
    lines = dict(csv.reader((folder / "cost.csv").read_text().splitlines()))
    assert float(lines["month.total"]) == told["month"]["total"]
    assert float(lines["monte_carlo.quantiles.saving.median"]) == told["monte_carlo"]["quantiles"]["saving"]["median"]
    page = (folder / "cost.html").read_text()
    assert "$13,167" in page
    assert "$16,833" in page


def test_the_page_holds_every_chart_and_asks_for_nothing(moslm_command, case, folder):
    moslm_command("cost", case(), "--html", "cost.html")
    page = (folder / "cost.html").read_text()
    for title in (
        "What a month costs, by part",
        "When it pays for itself",
        "The saving, with one input moved",
        "Cost by volume",
        "Cost by the share escalated",
        "The saving over all cases",
    ):
        assert f'aria-label="{title}"' in page
    assert not re.search(r"https?://|<script|<link|url\(", page)


@pytest.mark.parametrize(
    "changes",
    [
        {"per_month": "0", "price": "0", "escalated": "0"},
        {"months": "1", "requests_per_month": "1"},
        {"requests_per_month": "1e12", "per_month": "1e13"},
    ],
)
def test_a_case_at_the_edge_still_has_its_page(moslm_command, case, folder, changes):
    code, out, err = moslm_command("cost", case(**changes), "--html", "cost.html", "--csv", "cost.csv")
    assert (code, err) == (0, "")
    assert "</html>" in (folder / "cost.html").read_text()
    assert max(map(len, out.splitlines())) <= 100


def test_a_name_of_a_file_is_no_markup_on_the_page(moslm_command, case, folder):
    case()
    (folder / "<b>case.toml").write_text((folder / "case.toml").read_text())
    moslm_command("cost", "<b>case.toml", "--html", "cost.html")
    assert "<b>" not in (folder / "cost.html").read_text()


def test_what_is_left_out_of_the_design_is_told_where_it_is_said(moslm_command, case):
    more = '[people]\nper_month = 9_000\n[discount]\nper_year = 0.1\n[hardware_classes."Mine"]\nmemory_gb = 8\n'
    _, out, _ = moslm_command("cost", case(more, price="150_000\nutilisation = 0.3"))
    assert re.search(r"people +\$9,000", out)
    assert "busy 30 % of the time" in out
    assert "discounted by 10 % a year" in out


def test_money_is_written_in_the_currency_of_the_case(moslm_command, case):
    _, out, _ = moslm_command("cost", case(currency='"EUR"'))
    assert "13,167 EUR" in out
    assert "$" not in out


SIZING = """
[sizing]
requests_per_second = 2.8
tokens_in = 800
tokens_out = 150
tokens_per_second = 410
side_by_side = 16
hardware = "L4"
"""


def test_what_it_takes_is_told_alone_where_it_is_asked(moslm_command, case):
    code, out, _ = moslm_command("cost", case(SIZING), "--size")
    assert code == 0
    assert out.startswith("What it takes")
    assert "2 replicas and 1 to spare · 3 x L4" in out
    assert "M/M/c, exact" in out
    assert "change it to yours" in out
    sized = json.loads(moslm_command("cost", case(SIZING), "--size", "--json")[1])["sizing"]
    assert sized["plan"]["replicas"] == 2


def test_sizing_is_refused_where_the_case_says_nothing_of_it(moslm_command):
    code, _, err = moslm_command("cost", "--size")
    assert code == 2
    assert err == "moslm: the reference design: sizing: is missing; add the section (moslm cost --example shows it)\n"


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"escalated": "-0.2"}, "moslm: case.toml: traffic.escalated = -0.2: must be at least 0; write a number"),
        ({"escalated": "1.2"}, "moslm: case.toml: traffic.escalated = 1.2: must be at most 1"),
        ({"months": "0"}, "moslm: case.toml: hardware.months = 0: must be at least 1"),
        ({"per_month": "nan"}, "moslm: case.toml: single.per_month"),
    ],
)
def test_a_mistake_is_one_line(moslm_command, case, changes, line):
    code, out, err = moslm_command("cost", case(**changes))
    assert (code, out) == (2, "")
    assert err.startswith(line)
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["none.toml"], "none.toml: no such file; run: moslm cost --example > case.toml"),
        (["--html", "no/such/folder.html"], "--html = 'no/such/folder.html': cannot be written: No such file"),
        (["--from-records", "--least", "0"], "--least = 0: must be at least 1"),
        (["--from-records"], "the record holds 0 requests"),
        (["--from-records", "--since", "yesterday"], "is no moment"),
    ],
)
def test_what_cannot_be_done_is_one_line(moslm_command, arguments, line):
    code, out, err = moslm_command("cost", *arguments)
    assert (code, out) == (2, "")
    assert line in err
    assert err.count("\n") == 1


def decided(place, usage, outcome="answered", baseline=0.003):
    opened = datetime.now(UTC) - timedelta(days=4, minutes=place)
    spent = sum(each.cost_usd for each in usage)
    return a_decision(
        id=f"{place:08d}",
        opened_at=opened.isoformat(timespec="milliseconds"),
        closed_at=opened.isoformat(timespec="milliseconds"),
        outcome=outcome,
        usage=usage,
        cost=Cost(spent_usd=spent, baseline_usd=baseline, baseline_model="gpt-4o", saved_usd=baseline - spent),
    )


@pytest.fixture
def traffic(log):
    small = Usage(model="smollm2", role="small", input_tokens=600, output_tokens=100)
    large = Usage(model="gpt-4o", role="large", input_tokens=600, output_tokens=100, cost_usd=0.0025)
    for place in range(16):
        log.append(decided(place, [small]))
    for place in range(16, 20):
        log.append(decided(place, [small, large], "escalated", baseline=0.0025))
    return log


def test_a_case_is_taken_from_real_traffic(moslm_command, traffic):
    code, out, err = moslm_command("cost", "--from-records", "--least", "20", "--json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert told["inputs"]["traffic.escalated"] == pytest.approx(0.2)
    assert told["inputs"]["large.per_request"] == pytest.approx(0.0025)
    assert told["inputs"]["single.per_request"] == pytest.approx((16 * 0.003 + 4 * 0.0025) / 20)
    assert told["inputs"]["traffic.requests_per_month"] == pytest.approx(20 * 730.5 / 96, rel=0.01)
    assert told["records"]["outcomes"] == {"answered": 16, "escalated": 4}
    assert told["inputs"]["hardware.price"] == 150_000


def test_real_traffic_is_told_with_its_models(moslm_command, traffic):
    _, out, _ = moslm_command("cost", "--from-records", "--least", "20")
    assert "From 20 requests of 4.0 days" in out
    assert re.search(r"smollm2 +small +20 +12,000 +2,000", out)
    assert "answered 16 · escalated 4" in out


def test_a_price_by_gpu_hour_tells_what_tokens_really_cost(moslm_command, traffic, folder):
    (folder / "moslm.toml").write_text('[prices]\n"smollm2" = { gpu_hour = 0.5, tokens_per_second = 400 }\n')
    told = json.loads(moslm_command("cost", "--from-records", "--least", "20", "--json")[1])
    (effective,) = told["effective_prices"]
    # 96 hours of half a dollar for the 2,000 tokens that were written in them
    assert effective["usd_per_million"] == pytest.approx(1e6 * 96 * 0.5 / 2000, rel=0.01)
    assert 0 < effective["utilisation"] < 0.001
    assert any("not counted twice" in each for each in told["notes"])


def test_too_little_traffic_is_no_month(moslm_command, traffic):
    code, _, err = moslm_command("cost", "--from-records")
    assert code == 2
    assert "the record holds 20 requests from" in err
    assert "a month is scaled from 200 or more; name a longer window (--since 30d) or a lower --least" in err


def test_another_tenants_traffic_is_not_counted(moslm_command, traffic):
    _, _, err = moslm_command("cost", "--from-records", "--least", "20", "--tenant", "stranger")
    assert "the record holds 0 requests" in err


def test_traffic_in_dollars_needs_a_rate_for_a_case_in_euros(moslm_command, traffic, case):
    arguments = ["cost", case(currency='"EUR"'), "--from-records", "--least", "20"]
    _, _, err = moslm_command(*arguments)
    assert "give the worth of one EUR in US dollars: [currencies] EUR = ..." in err
    arguments[1] = case("[currencies]\nEUR = 1.25\n", currency='"EUR"')
    told = json.loads(moslm_command(*arguments, "--json")[1])
    assert told["inputs"]["large.per_request"] == pytest.approx(0.002)
