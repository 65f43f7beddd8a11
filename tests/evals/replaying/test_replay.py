"""What records say of other settings, and where they say nothing."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from replay_samples import decision, stopped

from moslm.decision import CalibrationUse, Check, Classification, Reason, Review
from moslm.errors import ConfigError
from moslm.evals.outcomes import Outcome
from moslm.evals.replaying.changes import Changes, changes
from moslm.evals.replaying.records import Record, of_decisions, of_outcomes, read_outcomes, read_records
from moslm.evals.replaying.replay import replay


def some(count: int = 40) -> list[Record]:
    return of_decisions([decision(f"{n:08x}", n / count) for n in range(count)])


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.floats(0, 1))
def test_under_the_settings_it_was_recorded_under_nothing_changes(confidences: list[float], threshold: float) -> None:
    records = of_decisions([decision(f"{n:08x}", each, threshold=threshold) for n, each in enumerate(confidences)])
    found = replay(records, Changes(threshold=threshold))
    assert found.moved == {}
    assert found.before == found.after
    assert found.usd_saved.value == 0


@settings(max_examples=20, deadline=None)
@given(st.floats(0, 1), st.floats(0, 1))
def test_a_lower_threshold_never_escalates_more_nor_costs_more(one: float, other: float) -> None:
    low, high = sorted((one, other))
    below, above = (replay(some(), Changes(threshold=each)).after for each in (low, high))
    assert (below.escalated.value or 0) <= (above.escalated.value or 0)
    assert (below.usd.value or 0) <= (above.usd.value or 0) + 1e-12


def test_a_lower_threshold_saves_the_calls_of_what_it_keeps() -> None:
    found = replay(some(), changes(["defaults.threshold=0.5"]))
    assert found.moved == {"escalated > local": 12}
    assert found.usd_saved.value == pytest.approx(12 * 0.0011 / 40)
    assert found.after.kept.value == pytest.approx(0.5)


def test_a_call_that_was_never_made_is_reckoned_by_how_much_longer_recorded_ones_were_than_their_drafts() -> None:
    found = replay(some(), changes(["defaults.threshold=1"]))
    assert found.moved == {"local > escalated": 8}
    each = (200 * 2.5 + 60 * 10) / 1e6
    assert found.usd_saved.value == pytest.approx(-8 * each / 40)
    assert "prompts 2.00 and answers 3.00 times as long" in found.notes[0]


def test_other_prices_reckon_every_call_anew(tmp_path: Path) -> None:
    file = tmp_path / "prices.toml"
    file.write_text('[prices]\n"gpt-4o" = { input = 1, output = 1 }\nsmollm2 = { input = 1, output = 0 }\n')
    found = replay(some(), changes([], file))
    assert found.before == found.after
    assert found.before.usd.value == pytest.approx((40 * 100 + 32 * 260) / 1e6 / 40)


def test_a_price_that_is_missing_is_named(tmp_path: Path) -> None:
    file = tmp_path / "prices.toml"
    file.write_text("[prices]\nsmollm2 = { input = 1, output = 0 }\n")
    with pytest.raises(ConfigError, match="has no known price"):
        replay(some(), changes(["large_model.model.name=acme:unheard-of"], file))


def test_kept_drafts_count_their_calibrated_probability_and_the_large_models_answers_what_was_stated() -> None:
    found = replay(some(), Changes(threshold=0.5), large_quality=0.9)
    assert found.after.kept_quality.value == pytest.approx(np.mean([n / 40 for n in range(20, 40)]))
    assert found.after.quality.value == pytest.approx((0.9 * 20 + sum(n / 40 for n in range(20, 40))) / 40)
    assert found.measured == 0
    assert any("as stated" in note for note in found.notes)


def test_where_nothing_is_known_of_the_large_models_answers_the_quality_of_all_is_not_made_up() -> None:
    found = replay(some(), Changes(threshold=0.5))
    assert found.after.quality.value is None
    assert found.after.quality.why == "nothing is known of the quality of 20 of 40 answers"
    assert found.after.kept_quality.value is not None


def test_an_uncalibrated_confidence_is_no_probability() -> None:
    raw = decision("a", 0.9, draft={"calibration": CalibrationUse(state="uncalibrated")})
    assert replay(of_decisions([raw]), Changes()).after.kept_quality.value is None


def test_measured_scores_come_before_estimates() -> None:
    rows = [Record(decision(f"{n:08x}", n / 40), str(n), 1.0, float(n % 2), 1.0) for n in range(40)]
    found = replay(rows, Changes(threshold=0.5))
    assert found.measured == 40
    assert found.before.quality.value == 1.0
    assert found.after.quality.value == pytest.approx(1 - 6 / 40)


def test_the_interval_holds_what_the_other_threshold_really_gives() -> None:
    """Full information: every answer's right and wrong is drawn too, so the estimate can be held against what came."""
    held, runs = 0, 60
    for seed in range(runs):
        random = np.random.default_rng(seed)
        sure = random.random(80)
        came = np.where(sure >= 0.5, random.random(80) < sure, random.random(80) < 0.85).mean()
        records = of_decisions([decision(f"{n:08x}", float(each)) for n, each in enumerate(sure)])
        found = replay(records, Changes(threshold=0.5), large_quality=0.85, seed=seed).after.quality
        assert found.low is not None
        assert found.high is not None
        held += found.low <= came <= found.high
    assert held >= runs * 0.95 - 5


def test_an_answer_that_stays_gains_and_loses_nothing_though_it_is_only_estimated() -> None:
    found = replay(some(), Changes(threshold=0.8), large_quality=0.9).quality_gained
    assert (found.low, found.value, found.high) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("rule", "reached", "threshold", "supported"),
    [
        ("declined", None, 0.1, True),
        ("out_of_reach", 0.4, 0.5, True),
        ("out_of_reach", 0.6, 0.5, False),
        ("running_low", 0.2, 0.5, False),
        ("running_low", 0.2, 0.9, True),
    ],
)
def test_a_draft_that_was_stopped_early_answers_only_what_it_knows(
    rule: str, reached: float | None, threshold: float, supported: bool
) -> None:
    records = [*some(), *of_decisions([stopped("beef", rule, reached)])]
    if supported:
        assert replay(records, Changes(threshold=threshold)).requests == 41
        return
    with pytest.raises(ConfigError, match=r"1 of 41 records do not support the question \(1 such as beef: its draft"):
        replay(records, Changes(threshold=threshold))


def without_draft(novelty: float) -> Record:
    reason = Reason(trigger="unfamiliar", detail="strange")
    found = Classification(
        classifier="c", domain="finance", probabilities={"finance": 1.0}, domains=["finance"], novelty_p=novelty
    )
    check = Check(stage="request", action="escalate", considered=[], reasons=[reason])
    made = decision("cafe", None).model_copy(update={"drafts": [], "classification": found, "checks": [check]})
    return Record(made, "g")


def test_what_went_up_before_any_draft_stays_up_and_is_not_brought_down_by_guessing() -> None:
    records = [*some(), without_draft(0.01)]
    assert replay(records, Changes(threshold=0.1)).after.escalated.value == pytest.approx(5 / 41)
    with pytest.raises(ConfigError, match="it went up before any draft"):
        replay(records, Changes(novelty_alpha=0.005))


def test_a_person_who_decided_is_not_second_guessed() -> None:
    reviewed = decision("feed", 0.6, reviews=[Review(what="answer", decision="approve")])
    with pytest.raises(ConfigError, match="a person decided about it"):
        replay(of_decisions([reviewed]), Changes(threshold=0.5))


def test_without_tokens_a_new_call_cannot_be_reckoned() -> None:
    bare = decision("dead", 0.9, usage=[])
    with pytest.raises(ConfigError, match="the usage of its small model is missing"):
        replay([*some(), *of_decisions([bare])], Changes(threshold=0.95))


def test_without_any_large_model_one_must_be_named() -> None:
    kept = of_decisions([decision("a", 0.9), decision("b", 0.95)])
    with pytest.raises(ConfigError, match=r"name one: --set large_model\.model\.name=NAME"):
        replay(kept, Changes(threshold=0.99))
    assert replay(kept, Changes(threshold=0.99, large="gpt-4o")).moved == {"local > escalated": 2}


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("defaults.model.name=other", "no record holds another small model's answers"),
        ("defaults.threshold=1.5", "must lie between 0 and 1"),
        ("recall.enabled=true", "is nothing that records can answer for"),
        ("threshold", "is no setting"),
    ],
)
def test_a_setting_that_records_cannot_answer_for_is_refused_in_one_line(setting: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        changes([setting])


def test_a_domain_that_no_record_is_of_is_named() -> None:
    with pytest.raises(ConfigError, match=r"domains\.fnance\.threshold: no record has a draft of this domain; one of"):
        replay(some(), changes(["domains.fnance.threshold=0.5"]))


def test_records_are_read_from_the_log_and_from_a_run(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps(each.decision.plain()) + "\n" for each in some(5)))
    assert [each.decision.id for each in read_records(log, pytest.fail)] == [f"{n:08x}" for n in range(5)]
    about = {"suite": "s", "case": "1", "group": "g"}
    outcomes = [
        Outcome(**about, system="moslm", ending="right", score=1, decision=some(1)[0].decision.plain()),
        Outcome(**about, system="large", ending="partly", score=0.5),
    ]
    (tmp_path / "outcomes.jsonl").write_text("".join(each.model_dump_json() + "\n" for each in outcomes))
    assert [(each.score, each.large_score) for each in read_records(tmp_path, pytest.fail)] == [(1.0, 0.5)]
    with pytest.raises(ConfigError, match="hold no decision"):
        of_outcomes(outcomes[1:])


def test_a_last_line_that_was_cut_off_is_named_and_the_others_count(tmp_path: Path) -> None:
    file, said = tmp_path / "outcomes.jsonl", list[str]()
    whole = Outcome(suite="s", case="1", group="g", system="moslm", ending="right", score=1)
    file.write_text(whole.model_dump_json() + '\n{"suite": "s"')
    assert read_outcomes(tmp_path, said.append) == [whole]
    assert said == [f"{file}:2 was cut off while it was written and is left out"]


def test_a_broken_line_among_others_is_refused(tmp_path: Path) -> None:
    (tmp_path / "outcomes.jsonl").write_text('{"suite": "s"\n{}\n')
    with pytest.raises(ConfigError, match=r"outcomes\.jsonl:1: is no JSON"):
        read_records(tmp_path, pytest.fail)
