"""What live traffic says without a grade, and that it says no more."""

from __future__ import annotations

import json
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "governance"))

from decision_samples import a_decision

from moslm.decision import Cost, Reason
from moslm.evals.reporting.traffic import traffic_document, traffic_of
from moslm.evals.reporting.traffic_page import traffic_page

NOW = datetime(2026, 12, 1, tzinfo=UTC)


def cost(spent, baseline):
    return Cost(spent_usd=spent, baseline_usd=baseline, baseline_model="gpt-4o", saved_usd=baseline - spent)


def window():
    made = []
    for number in range(40):
        up, day = number % 4 == 0, 20 + number // 10
        made.append(
            a_decision(
                id=f"r{number}",
                closed_at=f"2026-11-{day}T10:00:00.000+00:00",
                outcome="refused" if number == 1 else "escalated" if up else "answered",
                confidence=None if number == 2 else 0.5 if up else 0.9,
                reasons=[Reason(trigger="low_confidence", detail="0.5 < 0.8")] * (2 if up else 0),
                cost=cost(0.01 if up else 0.001, 0.01),
                total_ms=2000.0 if up else 200.0,
            )
        )
    return made


def traffic(decisions):
    return traffic_of(decisions, "audit.sqlite", NOW, "0.1.0")


def test_shares_are_of_the_requests_and_a_trigger_counts_once_a_request():
    found = traffic(window())
    assert found.requests == 40
    assert (found.endings["escalated"].value, found.endings["refused"].value) == (0.25, 1 / 40)
    assert found.escalated.value == pytest.approx(10 / 39)
    assert found.triggers["low_confidence"].value == 0.25
    assert sum(found.confidence_counts) == 39
    assert found.confidence_known.value == pytest.approx(39 / 40)


def test_money_is_summed_and_the_saving_has_its_interval():
    found = traffic(window())
    assert found.spent_usd == pytest.approx(0.13)
    assert found.saved.value == pytest.approx(1 - 0.13 / 0.4)
    assert found.saved.low < found.saved.value < found.saved.high
    assert found.days[0].requests == 10
    assert [each.day for each in found.days] == ["2026-11-20", "2026-11-21", "2026-11-22", "2026-11-23"]


def test_times_stand_beside_the_service_levels():
    _, local, up = traffic(window()).latency.times
    assert (local.n, up.n) == (29, 10)
    assert (local.level.verdict, up.level.verdict) == ("kept", "kept")


def test_the_page_says_that_nothing_is_graded_and_asks_nobody():
    html = traffic_page(traffic(window()))
    assert "Whether answers were right stands in no record" in html
    assert html.count("<figure>") == 7
    assert not re.search(r"(src|href)\s*=|url\(|<script", html)


def test_an_empty_window_is_said_in_words():
    found = traffic([])
    assert found.endings["answered"].value is None
    assert "No request was closed in this window." in traffic_page(found)


def test_one_request_is_a_page_too_and_names_are_escaped():
    found = traffic([a_decision(domain="<b>x</b>", outcome="refused", drafts=[], confidence=None)])
    html = traffic_page(found)
    assert "<b>" not in html
    assert "of no draft it is known" in html
    assert "all requests were closed on one day" in html


def test_a_document_is_plain_json():
    found = traffic(window())
    assert json.loads(json.dumps(traffic_document(found), allow_nan=False))["requests"] == 40
    assert type(found).model_validate(traffic_document(found)) == found


def test_days_on_which_all_was_refused_have_no_share_and_no_curve():
    refused = [each.model_copy(update={"outcome": "refused"}) for each in window()]
    assert "every request was refused" in traffic_page(traffic(refused))
