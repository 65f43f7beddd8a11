from __future__ import annotations

import pytest

from moslm.decision import Classification
from moslm.escalation import triggers
from moslm.escalation.triggers import DraftEvidence, Evidence, Policy
from moslm.escalation.verdicts import judge_drafts, judge_request

SERVED = frozenset({"finance", "it_support", "customer_service"})


def policy(**changes):
    values = {"multi_domain": "escalate", "novelty_alpha": 0.02, "reasoning": 0.5, **changes}
    return Policy(served=SERVED, large_only=frozenset({"complex_reasoning"}), **values)


def classification(**changes):
    probabilities = {"finance": 0.9, "it_support": 0.05, "customer_service": 0.03, "complex_reasoning": 0.02}
    values = {"classifier": "c", "domain": "finance", "probabilities": probabilities, "domains": ["finance"]}
    return Classification(**{**values, **changes})


def draft(confidence=0.9, threshold=0.8, error=None, part="0"):
    return DraftEvidence(part, "finance", "m", confidence, threshold, error)


def test_an_ordinary_request_fires_nothing():
    check = judge_request(Evidence(classification(), policy()), triggers.REQUEST_TRIGGERS)
    assert check.action == "answer"
    assert check.reasons == []
    assert check.considered == ["asked_for", "needs_reasoning", "unfamiliar", "several_domains"]


@pytest.mark.parametrize(("p", "fires"), [(0.5, False), (0.02, False), (0.0199, True), (None, False)])
def test_unfamiliar_fires_below_its_alpha_and_never_on_the_unknown(p, fires):
    found = triggers.unfamiliar(Evidence(classification(novelty_p=p), policy()))
    assert (found is not None) == fires


def test_a_domain_that_nobody_serves_is_unfamiliar():
    found = triggers.unfamiliar(Evidence(classification(domain="legal"), policy()))
    assert "legal" in found.detail


@pytest.mark.parametrize(("confidence", "fires"), [(0.8, False), (0.79, True), (None, True), (1.0, False)])
def test_low_confidence_fires_below_the_threshold_and_on_the_unknown(confidence, fires):
    found = triggers.low_confidence(Evidence(classification(), policy(), (draft(confidence),)))
    assert (found is not None) == fires


def test_a_near_miss_never_reads_as_reached():
    found = triggers.low_confidence(Evidence(classification(), policy(), (draft(0.7996),)))
    assert "0.7996 (needs 0.8000)" in found.detail


def test_the_worst_of_several_drafts_is_named():
    drafts = (draft(0.7, part="0"), draft(None, part="1"), draft(0.1, part="2"))
    assert triggers.low_confidence(Evidence(classification(), policy(), drafts)).part == "1"


def test_a_failed_backend_is_told_before_low_confidence():
    evidence = Evidence(classification(), policy(), (draft(None, error="m is down"), draft(0.1, part="1")))
    check = judge_drafts(evidence, triggers.DRAFT_TRIGGERS)
    assert [reason.trigger for reason in check.reasons] == ["backend_failed", "low_confidence"]
    assert check.action == "escalate"


def test_a_domain_of_ones_own_that_only_the_large_model_answers_is_called_by_its_name():
    changes = {"probabilities": {"finance": 0.1, "legal_advice": 0.9}, "domain": "legal_advice"}
    own = Policy(SERVED, frozenset({"legal_advice"}), 0.02, 0.5, "escalate")
    found = triggers.needs_reasoning(Evidence(classification(**changes), own))
    assert found.detail.startswith("legal advice has probability 0.90")


def test_without_a_domain_for_the_large_model_nothing_needs_reasoning():
    none = Policy(SERVED, frozenset(), 0.02, 0.0, "escalate")
    assert triggers.needs_reasoning(Evidence(classification(), none)) is None


TWO = {"domains": ["finance", "it_support"]}


@pytest.mark.parametrize(
    ("changes", "mode", "action"),
    [
        (TWO, "escalate", "escalate"),
        (TWO, "fan_out", "fan_out"),
        ({**TWO, "asked_for": "think hard"}, "fan_out", "escalate"),
        ({"domains": ["finance", "complex_reasoning"]}, "fan_out", "escalate"),
    ],
)
def test_several_domains_fan_out_only_when_that_is_the_policy_and_the_only_reason(changes, mode, action):
    evidence = Evidence(classification(**changes), policy(multi_domain=mode))
    assert judge_request(evidence, triggers.REQUEST_TRIGGERS).action == action


def test_where_escalations_are_reviewed_a_person_is_asked_first():
    evidence = Evidence(classification(asked_for="think hard"), policy(review_escalations=True))
    assert judge_request(evidence, triggers.REQUEST_TRIGGERS).action == "review"


def test_every_trigger_is_listed_under_its_own_name():
    listed = {trigger.__name__ for trigger in (*triggers.REQUEST_TRIGGERS, *triggers.DRAFT_TRIGGERS)}
    wanted = {
        "several_domains",
        "needs_reasoning",
        "low_confidence",
        "stopped_early",
        "asked_for",
        "unfamiliar",
        "backend_failed",
        "declined",
        "upset_customer",
        "vulnerable_customer",
    }
    assert listed == wanted


def test_a_request_about_too_many_domains_goes_up_whole():
    spread = classification(domains=["finance", "it_support", "customer_service"], spread="too_many")
    evidence = Evidence(spread, policy(multi_domain="fan_out"))
    assert judge_request(evidence, triggers.REQUEST_TRIGGERS).action == "escalate"


ASKING = {"customer_service": frozenset({"vulnerable"})}


def felt(domain="customer_service", **mood):
    return classification(domain=domain, domains=[domain], mood=mood)


def test_a_mood_asks_a_person_and_says_who_would_answer_otherwise():
    check = judge_request(Evidence(felt(vulnerable=0.9), policy(ask_when=ASKING)), triggers.REQUEST_TRIGGERS)
    assert (check.action, check.asks, check.then) == ("review", "customer", "answer")
    assert check.reasons[0].trigger == "vulnerable_customer"


@pytest.mark.parametrize("found", [felt(vulnerable=0.4), felt(upset=0.9), felt("finance", vulnerable=0.9)])
def test_a_mood_that_is_unsure_not_asked_about_or_of_another_domain_asks_nobody(found):
    check = judge_request(Evidence(found, policy(ask_when=ASKING)), triggers.REQUEST_TRIGGERS)
    assert check.action == "answer"


def test_moods_are_considered_only_where_they_are_asked_about():
    asked, other = (
        judge_request(Evidence(felt(domain), policy(ask_when=ASKING)), triggers.REQUEST_TRIGGERS)
        for domain in ("customer_service", "finance")
    )
    assert "upset_customer" in asked.considered
    assert "upset_customer" not in other.considered


@pytest.mark.parametrize(("usd", "action"), [(None, "escalate"), (0.05, "escalate"), (0.051, "review")])
def test_the_price_of_going_up_asks_a_person_above_its_limit(usd, action):
    evidence = Evidence(classification(), policy(review_above_usd=0.05), (draft(0.3),), usd)
    check = judge_drafts(evidence, triggers.DRAFT_TRIGGERS)
    assert check.action == action
    assert (check.then == "escalate") == (action == "review")


def test_a_doubtful_draft_of_high_risk_goes_to_a_person_unless_more_speaks_against_it():
    risky = policy(high_risk=frozenset({"finance"}))
    doubtful = judge_drafts(Evidence(classification(), risky, (draft(0.3),)), triggers.DRAFT_TRIGGERS)
    failed = judge_drafts(Evidence(classification(), risky, (draft(None, error="down"),)), triggers.DRAFT_TRIGGERS)
    assert (doubtful.action, doubtful.asks, doubtful.then) == ("review", "draft", "answer")
    assert failed.action == "escalate"
