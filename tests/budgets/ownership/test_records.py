"""A case from what real traffic left behind, and what a record does not support."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from moslm.budgets.ownership import Case, month
from moslm.budgets.ownership.records import case_of, recorded
from moslm.budgets.stores import Total
from moslm.decision import Cost, Recalled, Usage
from moslm.errors import ConfigError

sys.path.insert(0, str(Path(__file__).parents[2] / "governance"))

from decision_samples import a_decision

START = datetime(2026, 11, 1, tzinfo=UTC)
BASE = Case(requests=1.0, escalated=0.0, single_per_request=1.0, hardware=36_000.0, months=36, operating=500.0)
SMALL = Usage(model="smollm2", role="small", calls=1, input_tokens=600, output_tokens=80)
LARGE = Usage(model="gpt-4o", role="large", calls=1, input_tokens=700, output_tokens=120, cost_usd=0.004)


def decided(place, outcome, *, usage=(SMALL,), baseline=0.003, hours=0.0, **changes):
    opened = START + timedelta(hours=hours, minutes=place)
    spent = sum(each.cost_usd for each in usage)
    return a_decision(
        id=f"{place:08d}",
        opened_at=opened.isoformat(timespec="milliseconds"),
        closed_at=(opened + timedelta(seconds=1)).isoformat(timespec="milliseconds"),
        outcome=outcome,
        usage=list(usage),
        cost=Cost(spent_usd=spent, baseline_usd=baseline, baseline_model="gpt-4o", saved_usd=baseline - spent),
        **changes,
    )


def traffic():
    """A thousand requests in ten days: 600 kept, 200 escalated, 100 remembered, 80 handed over, 20 refused."""
    kept = [decided(i, "answered") for i in range(600)]
    up = [decided(i, "escalated", usage=(SMALL, LARGE), hours=24) for i in range(600, 800)]
    old = [decided(i, "recalled", usage=(), baseline=0.0, recalled=MEMORY, hours=48) for i in range(800, 900)]
    people = [decided(i, "handed_over", baseline=0.0, hours=72) for i in range(900, 980)]
    refused = [decided(i, "refused", usage=(), baseline=0.0, hours=96) for i in range(980, 1000)]
    return [*kept, *up, *old, *people, *refused]


MEMORY = Recalled(decision="0", how="exact", similarity=1.0)
END = START + timedelta(days=10)


def record(decisions=None, *, since=START, until=END, ledger=None, ever_usd=0.8):
    found = traffic() if decisions is None else decisions
    return recorded(found, since, until, ledger=ledger, ever_usd=ever_usd)


def test_shares_prices_and_volume_are_those_of_the_traffic():
    case, notes = case_of(record(), BASE, [])
    assert case.requests == pytest.approx(1000 / 240 * 730.5)
    shares = case.escalated, case.remembered, case.handed_over, case.refused, case.local
    assert shares == pytest.approx((0.2, 0.1, 0.08, 0.02, 0.6))
    assert case.single_per_request == pytest.approx(0.003)
    assert case.large_per_request == pytest.approx(0.004)
    assert (case.hardware, case.operating) == (36_000, 500)
    assert month(case).parts["large model"] == pytest.approx(case.requests * 0.2 * 0.004)
    assert notes[0].startswith("From 1,000 requests of 10.0 days (2026-11-01 to 2026-11-11), scaled to a month")


def test_a_record_that_begins_later_than_the_window_is_not_scaled_by_the_window():
    late = record([decided(i, "answered", hours=120) for i in range(300)])
    assert late.begins == START + timedelta(days=5)
    assert late.hours == pytest.approx(120)


def test_every_model_is_told_with_its_tokens_and_money():
    small, large = sorted(record().models, key=lambda each: each.role, reverse=True)
    assert (small.model, small.calls, small.output_tokens, small.usd) == ("smollm2", 880, 880 * 80, 0)
    assert (large.model, large.calls, large.usd) == ("gpt-4o", 200, pytest.approx(0.8))
    assert large.busy is None


def test_how_busy_a_model_was_is_the_time_it_was_writing():
    # every decision of the sample drafts for 312 ms; a minute lies between two of them, so none overlap
    (small,) = [each for each in record().models if each.role == "small"]
    assert small.busy == pytest.approx(1000 * 0.312 / 864_000)
    both = [decided(1, "answered"), *(decided(1, "answered") for _ in range(299))]
    (together,) = record(both).models
    assert together.busy == pytest.approx(0.312 / 864_000, rel=1e-3)
    assert together.writing == pytest.approx(300 * 0.312 / 864_000, rel=1e-3)


def test_hardware_is_as_busy_as_its_busiest_model_unless_the_case_says_it():
    case, _ = case_of(record(), BASE, [])
    assert month(case).utilisation == pytest.approx(1000 * 0.312 / 864_000)
    said = Case(**{**_fields(BASE), "capacity": 5_000.0})
    assert case_of(record(), said, [])[0].capacity == 5_000


def test_what_the_large_model_cost_for_nobodys_words_counts_as_failed():
    lost = [*traffic(), *(decided(2000 + i, "handed_over", usage=(SMALL, LARGE), baseline=0) for i in range(20))]
    assert case_of(record(lost), BASE, [])[0].retried == pytest.approx(20 / 200)


def test_what_the_ledger_booked_beyond_all_decisions_counts_as_failed():
    ledger = Total(nanos=880_000_000, tokens=1, calls=220, unknown=20, held_nanos=0)
    assert case_of(record(ledger=ledger), BASE, [])[0].retried == pytest.approx(0.1)


def test_a_ledger_that_holds_less_than_the_decisions_says_nothing():
    ledger = Total(nanos=1_000_000, tokens=1, calls=2, unknown=0, held_nanos=0)
    case, notes = case_of(record(ledger=ledger), BASE, [])
    assert case.retried == 0
    assert any("holds less than the decisions" in each for each in notes)


def test_money_is_taken_into_the_currency_of_the_case():
    assert case_of(record(), BASE, [], rate=0.5)[0].single_per_request == pytest.approx(0.0015)


def test_a_model_priced_by_gpu_hour_is_not_counted_beside_its_hardware():
    paid = SMALL.model_copy(update={"cost_usd": 0.001})
    decisions = [decided(i, "answered", usage=(paid,)) for i in range(300)]
    assert case_of(record(decisions), BASE, [])[0].local_per_request == pytest.approx(0.001)
    case, notes = case_of(record(decisions), BASE, ["smollm2"])
    assert case.local_per_request == 0
    assert any("not counted twice" in each for each in notes)


def test_a_large_model_of_ones_own_counts_as_free_and_says_so():
    free = LARGE.model_copy(update={"cost_usd": 0.0})
    decisions = [decided(i, "escalated", usage=(SMALL, free)) for i in range(300)]
    case, notes = case_of(record(decisions), BASE, [])
    assert case.large == 0
    assert any("counts as free" in each for each in notes)


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (
            lambda: record(traffic()[:150]),
            "the record holds 150 requests from 2026-11-01 00:00 to 2026-11-11 00:00 UTC",
        ),
        (lambda: record([], since=None), "the record holds 0 requests"),
        (
            lambda: record([decided(i, "answered") for i in range(300)], until=START + timedelta(hours=6)),
            "the record spans 6.0 hours",
        ),
        (
            lambda: record([decided(i, "answered", baseline=0.0) for i in range(300)]),
            "baseline_model: the record prices no answer on gpt-4o; name a hosted model there",
        ),
    ],
)
def test_what_a_record_does_not_support_is_refused_in_one_line(made, line):
    with pytest.raises(ConfigError) as caught:
        case_of(made(), BASE, [])
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def _fields(case):
    return {name: getattr(case, name) for name in case.__dataclass_fields__}
