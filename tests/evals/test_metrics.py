"""A metric is a figure with its n; what was not measured is no number, and nothing is counted that it is not about."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moslm.errors import ConfigError
from moslm.evals.metrics import METRICS, figures, named_metric
from moslm.evals.metrics.escalation_reduction import escalation_reduction
from moslm.evals.outcomes import Outcome


def outcome(number=0, ending="right", way="local", **fields):
    score = {"right": 1.0, "wrong": 0.0, "partly": 0.5}.get(ending)
    made = {"suite": "s", "case": str(number), "group": str(number), "system": "moslm", "score": score}
    return Outcome.model_validate({**made, "ending": ending, "way": way, **fields})


def many(*kinds):
    """Outcomes from (count, fields) pairs."""
    return [outcome(f"{i}-{j}", **fields) for i, (count, fields) in enumerate(kinds) for j in range(count)]


def value(metric, outcomes):
    return METRICS[metric](outcomes).value


def test_accuracy_counts_what_got_no_answer():
    found = many(
        (6, {}), (2, {"ending": "partly"}), (1, {"ending": "unparsed"}), (1, {"ending": "failed", "way": "none"})
    )
    assert value("accuracy", found) == pytest.approx(0.7)
    assert (value("unparsed_share", found), value("failed_share", found), value("availability", found)) == (
        0.1,
        0.1,
        0.9,
    )


def test_resolution_leaves_out_what_a_person_has_to_answer():
    found = many((6, {}), (2, {"way": "escalated"}), (2, {"way": "handed_over"}))
    assert value("resolution", found) == 0.8
    assert value("accuracy", found) == 1.0


def test_what_was_only_routed_counts_for_the_router_alone():
    routed = {"tags": {"grader": "routing", "ordered": "escalate", "escalate": "yes"}, "way": "none"}
    found = many(
        (8, {"domain": "finance", "routed_to": "finance"}),
        (2, {"domain": "finance", "routed_to": "it_support", **routed}),
    )
    assert value("router_accuracy", found) == 0.8
    assert value("expected_up", found) == 1.0
    assert METRICS["accuracy"](found).n == METRICS["escalation_share"](found).n == 8


def test_a_share_of_escalations_leaves_out_what_was_refused():
    found = many((6, {}), (2, {"way": "escalated"}), (2, {"ending": "refused", "way": "refused"}))
    assert value("escalation_share", found) == 0.25
    assert METRICS["escalation_share"](found).n == 8
    assert value("refused_share", found) == 0.2


def test_escalating_is_judged_by_what_the_draft_was_worth():
    found = many(
        (5, {"way": "escalated", "draft_score": 0.0}),
        (1, {"way": "handed_over", "ending": "declined", "draft_score": 1.0}),
        (2, {"way": "local", "ending": "wrong", "draft_score": 0.0}),
        (4, {"way": "local", "draft_score": 1.0}),
        (3, {"way": "escalated"}),
    )
    assert value("escalation_precision", found) == pytest.approx(5 / 6)
    assert value("escalation_recall", found) == pytest.approx(5 / 7)
    assert value("kept_local_accuracy", found) == pytest.approx(4 / 6)
    nobody = METRICS["escalation_precision"](many((3, {"way": "escalated"})))
    assert (nobody.value, nobody.n) == (None, 0)
    assert "no draft was graded" in nobody.why


def test_a_missing_price_is_never_nothing():
    found = many((3, {"usd": 0.01}), (1, {"usd": None}))
    cost = METRICS["cost_per_success"](found)
    assert cost.value is None
    assert cost.why == "the price of 1 of 4 is missing"
    assert value("cost_reduction", found) is None


def test_cost_per_success_divides_by_what_was_right():
    cost = METRICS["cost_per_success"](many((30, {"usd": 0.01}), (10, {"usd": 0.03, "ending": "wrong"})))
    assert cost.value == pytest.approx(0.02)
    assert cost.low < 0.02 < cost.high
    assert (
        METRICS["cost_per_success"](many((3, {"usd": 1.0, "ending": "wrong"}))).why == "no request was answered right"
    )
    few = METRICS["cost_per_success"](many((1, {"usd": 1.0}), (5, {"usd": 1.0, "ending": "wrong"})))
    assert (few.value, few.high) == (6.0, None)


def test_cost_reduction_is_against_the_decisions_own_baseline():
    found = many((20, {"usd": 0.004, "decision": {"cost": {"baseline_usd": 0.01}}}))
    assert value("cost_reduction", found) == pytest.approx(0.6)
    answered, not_answered = {"cost": {"baseline_usd": 0.01}}, {"cost": {"baseline_usd": 0.0}}
    few = METRICS["cost_reduction"](
        many((2, {"usd": 0.0, "decision": answered}), (70, {"usd": 0.0, "decision": not_answered}))
    )
    assert (few.value, few.n) == (1.0, 2)
    assert "no Decision" in METRICS["cost_reduction"](many((1, {"usd": 0.0}))).why


def test_latencies_are_quantiles_of_their_own_way():
    local = [outcome(i, total_ms=float(i), classify_ms=5.0) for i in range(101)]
    found = [*local, *[outcome(f"e{i}", way="escalated", total_ms=2000.0 + i) for i in range(101)]]
    assert value("domain_answer_p90", found) == pytest.approx(90)
    assert value("escalation_p85", found) == pytest.approx(2085)
    assert value("classification_p95", found) == 5
    assert METRICS["domain_answer_p90"](found).unit == "ms"


def test_confidence_that_says_what_it_is_worth_has_little_error():
    honest = [
        outcome(i, "right" if i % 10 < 8 else "wrong", confidence=0.8, draft_score=float(i % 10 < 8))
        for i in range(200)
    ]
    boasting = [each.model_copy(update={"confidence": 0.99}) for each in honest]
    assert value("calibration_error", honest) < 0.1
    assert value("calibration_error", boasting) == pytest.approx(0.19, abs=0.02)
    assert value("calibration_error", honest[:5]) is None


def test_a_reduction_is_against_a_stated_baseline():
    found = many((80, {}), (20, {"way": "escalated"}))
    assert value("escalation_reduction", found) == pytest.approx(0.8)
    made = escalation_reduction(0.4)(found)
    assert made.value == pytest.approx(0.5)
    assert made.low < 0.5 < made.high
    with pytest.raises(ValueError, match="baseline"):
        escalation_reduction(0)


def test_people_come_before_a_judge():
    rated = many((9, {"tags": {"rating": "5", "judged": "1"}}), (1, {"tags": {"rating": "2"}}))
    found = METRICS["satisfaction"](rated)
    assert (found.value, found.why) == (0.9, "rated by people")
    assert "judge" in METRICS["satisfaction"](many((1, {"tags": {"judged": "5"}}))).why
    assert METRICS["satisfaction"](many((1, {}))).value is None


def test_what_has_no_closed_record_cannot_be_audited():
    assert value("recorded", many((3, {"decision": {"closed_at": "now"}}), (1, {}))) == 0.75


ANY = st.builds(
    outcome,
    number=st.integers(0, 5),
    ending=st.sampled_from(["right", "wrong", "partly", "declined", "refused", "unparsed", "failed"]),
    way=st.sampled_from(["local", "escalated", "recalled", "handed_over", "refused", "none"]),
    domain=st.sampled_from([None, "finance"]),
    routed_to=st.sampled_from([None, "finance", "it_support"]),
    confidence=st.none() | st.floats(0, 1),
    draft_score=st.none() | st.floats(0, 1),
    usd=st.none() | st.floats(0, 10),
    total_ms=st.none() | st.floats(0, 1e6),
    classify_ms=st.none() | st.floats(0, 1e6),
    tags=st.sampled_from([{}, {"grader": "routing"}, {"rating": "4"}, {"escalate": "yes"}, {"escalate": "no"}]),
)


@settings(deadline=None, max_examples=40)
@given(st.lists(ANY, max_size=8))
def test_any_outcomes_give_figures_that_hold_their_value(outcomes):
    for name, found in figures(outcomes).items():
        assert found.value is None or found.n > 0, name
        assert found.value is not None or found.why, name
        for bound in (found.low, found.high):
            assert bound is None or found.value is not None, name
        assert found.low is None or found.high is None or found.low <= found.high + 1e-9, name


def test_a_metric_of_ones_own_is_found_by_its_place():
    name, metric = named_metric("moslm.evals.metrics.accuracy:accuracy")
    assert (name, metric) == ("accuracy", METRICS["accuracy"])
    for place in ("nothing", "moslm.evals.metrics.accuracy:none", "no.such:thing"):
        with pytest.raises(ConfigError, match="metric"):
            named_metric(place)
