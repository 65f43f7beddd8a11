"""What a report says of a run: its figures are those of the metrics, and what is missing is missing in words."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from outcome_samples import outcome

from moslm.evals.gate import Gate
from moslm.evals.metrics import METRICS
from moslm.evals.outcomes import Outcome
from moslm.evals.reporting.confusion import NOWHERE, OTHERS, confusion
from moslm.evals.reporting.cost_quality import CALLS, PRICED
from moslm.evals.reporting.coverage import coverage
from moslm.evals.reporting.crossing import crossing
from moslm.evals.reporting.examples import LONGEST, SHOWN, without_grade, wrong
from moslm.evals.reporting.latency import latency
from moslm.evals.reporting.reliability import reliability
from moslm.evals.reporting.report import Asked, document, report_of

FEW = {name: METRICS[name] for name in ("accuracy", "escalation_share", "cost_per_success")}


def report(outcomes, **about):
    return report_of(outcomes, Asked("a run", metrics=FEW, **about))


def ours(run):
    return [each for each in run if each.system == "moslm"]


def test_every_figure_is_that_of_its_metric(run):
    found = report(run)
    assert [each.suite for each in found.summaries[:3]] == [None, "office", "desk"]
    assert found.summaries[0].figures == {name: metric(ours(run)) for name, metric in FEW.items()}
    assert found.summaries[0].endings["unparsed"] == 1


def test_a_document_is_plain_json_and_holds_the_same(run):
    found = report(run)
    told = json.loads(json.dumps(document(found), allow_nan=False))
    assert told["summaries"][0]["figures"]["accuracy"]["value"] == found.summaries[0].figures["accuracy"].value
    assert type(found).model_validate(document(found)) == found


def test_all_three_baselines_are_compared_and_one_that_was_not_run_is_named(run):
    found = report(run, margin=0.05)
    assert [(each.first, each.second) for each in found.comparisons] == [
        ("large", "moslm"),
        ("small", "moslm"),
        ("ungated", "moslm"),
    ]
    assert found.comparisons[0].points.margin == 0.05
    assert not found.missing
    assert report([each for each in run if each.system in ("moslm", "large")]).missing == ("small", "ungated")


def test_targets_stand_with_the_figure_that_was_held_against_them(run):
    gate = Gate.model_validate(
        {"name": "g", "targets": [{"metric": "accuracy", "at_least": 0.99}, {"metric": "accuracy", "at_least": 0.1}]}
    )
    found = report(run, gate=gate).gate
    assert (found.missed, found.reached) == (1, 1)
    assert found.targets[0].missed == "too low"
    assert found.targets[0].figure == METRICS["accuracy"](ours(run))


def test_bins_hold_all_graded_drafts_and_their_intervals_the_share(run):
    found = reliability("moslm", ours(run))
    assert sum(each.right.n for each in found.bins) == found.drafts == 80
    assert all(each.right.low <= each.right.value <= each.right.high for each in found.bins)
    assert [each.said for each in found.bins] == sorted(each.said for each in found.bins)


def test_too_few_drafts_draw_no_curve_and_say_so(run):
    assert "only 5 graded drafts" in reliability("moslm", ours(run)[:5]).why
    assert "no draft was graded" in coverage("large", [outcome(1)]).why


def test_the_threshold_in_force_stands_where_it_keeps(run):
    found, kept = coverage("moslm", ours(run)), [each for each in ours(run) if each.confidence >= 0.6]
    assert found.thresholds == (0.6,)
    assert found.at_threshold.coverage.value == pytest.approx(len(kept) / 80)
    assert found.at_threshold == found.in_fact
    assert found.at_threshold.risk.value == pytest.approx(sum(each.draft_score < 0.5 for each in kept) / len(kept))
    assert found.points[-1].coverage == 1.0


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=20, max_size=80))
@settings(max_examples=40, deadline=None)
def test_a_risk_lies_within_its_interval_whatever_the_ties(rows):
    made = [
        outcome(i, confidence=round(said, 1), threshold=0.5, draft_score=float(fine))
        for i, (said, fine) in enumerate(rows)
    ]
    for each in coverage("moslm", made).points:
        assert 0 <= each.low <= each.risk <= each.high <= 1


def test_needed_and_done_cross_to_every_request(run):
    found = crossing("moslm", ours(run))
    assert found.needed_up + found.needed_stayed + found.fine_up + found.fine_stayed == 80
    assert found.precision.value == pytest.approx(found.needed_up / (found.needed_up + found.fine_up))
    assert found.recall.value == pytest.approx(found.needed_up / (found.needed_up + found.needed_stayed))
    unknown = crossing("moslm", [outcome(1, way="escalated"), outcome(2)])
    assert (unknown.ungraded_up, unknown.ungraded_stayed) == (1, 1)
    assert unknown.why


def test_the_curve_ends_in_the_large_model_for_everything(run):
    found = report(run).cost_quality
    assert (found.unit, found.cases, found.curve_cases) == (PRICED, 80, 80)
    gate, blind = found.curves
    assert (gate.curve[-1].escalated, gate.curve[-1].quality) == (1.0, 1.0)
    assert gate.curve[-1].cost == pytest.approx(11.0)
    assert blind.curve[-1].cost == pytest.approx(10.0)
    assert {each.system for each in found.systems} == {"moslm", "large", "small", "small:a", "small:b", "ungated"}


def test_a_missing_price_counts_calls_and_a_missing_large_model_draws_no_curve(run):
    unpriced = [each.model_copy(update={"usd": None}) if each.system == "large" else each for each in run]
    found = report(unpriced).cost_quality
    assert found.unit == CALLS
    assert next(each for each in found.systems if each.system == "large").cost == 1.0
    assert "large was not run" in report(ours(run)).cost_quality.why


def test_what_drafts_cost_before_going_up_is_never_made_up(run):
    bare = [each.model_copy(update={"decision": None}) for each in run]
    found = report(bare).cost_quality
    assert "is not known" in found.why
    assert not found.curves


def test_a_service_level_is_kept_missed_or_not_measured(run):
    reading, local, up = latency("moslm", ours(run)).times
    assert (reading.level.verdict, local.level.verdict, up.level.verdict) == ("kept", "kept", "kept")
    slow = [each.model_copy(update={"classify_ms": 60.0}) for each in ours(run)]
    assert latency("moslm", slow).times[0].level.verdict == "missed"
    assert latency("large", [outcome(1, total_ms=None)]).times[1].level.verdict == "not measured"
    assert [share for _, share in local.curve] == sorted(share for _, share in local.curve)
    assert latency("large", [outcome(1)]).times[1].curve == ((101.0, 0.0), (101.0, 1.0))


def test_a_matrix_counts_every_routed_request_and_puts_rare_domains_together(run):
    found = confusion("moslm", ours(run))
    assert sum(map(sum, found.counts)) == 80
    assert found.accuracy == METRICS["router_accuracy"](ours(run))
    assert confusion("large", [outcome(1)]) is None
    many = confusion("m", [outcome(i, domain=f"d{i}", routed_to=f"d{i}") for i in range(30)])
    assert (len(many.rows), many.rows[-1], sum(map(sum, many.counts))) == (13, OTHERS, 30)
    assert confusion("m", [outcome(1, domain=None, routed_to="finance")]).rows == (NOWHERE,)


def test_wrong_answers_that_were_kept_come_first_the_surest_before_the_others():
    made = [
        outcome(1, right=False, confidence=0.9, way="escalated"),
        outcome(2, right=False, confidence=None),
        outcome(3, right=False, confidence=0.7),
        outcome(4, right=False, confidence=0.95),
        outcome(5, right=True, confidence=0.99),
    ]
    found = wrong("moslm", made, {("desk", "4"): "What is it?"})
    assert [each.case for each in found.shown] == ["4", "3", "2", "1"]
    assert found.shown[0].question == "What is it?"


def test_a_question_is_shown_only_where_the_run_kept_texts():
    made = [outcome(4, right=False, answer=None)]
    found = wrong("moslm", made, {("desk", "4"): "What is it?"}).shown[0]
    assert (found.question, found.answer) == (None, None)


def test_long_texts_and_many_cases_are_cut_and_counted():
    made = [outcome(i, ending="failed", answer="x" * 5000, why="down") for i in range(2 * SHOWN)]
    (found,) = without_grade("moslm", made, {})
    assert (found.of, len(found.shown), found.whys) == (2 * SHOWN, SHOWN, {"down": 2 * SHOWN})
    assert found.shown[0].answer.startswith("x" * LONGEST + " … and 3,800")


def test_a_run_without_outcomes_is_a_report_all_the_same():
    found = report([])
    assert (found.outcomes, found.systems, found.cost_quality.cases) == (0, (), 0)
    assert document(found)["latency"] == []


def test_a_run_without_moslm_is_about_the_system_that_states_a_confidence():
    made = [outcome(1, "a"), outcome(1, "b", confidence=0.5), outcome(1, "c")]
    found = report([Outcome.model_validate(each.model_dump()) for each in made])
    assert found.judged == "b"
    assert {each.first for each in found.comparisons} == {"a", "c"}
