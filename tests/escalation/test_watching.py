from __future__ import annotations

import hashlib
import logging
import random
import sqlite3
import threading
from dataclasses import replace
from datetime import date

import pytest

from moslm.decision import CalibrationUse, DraftRecord, Signal, Stopped
from moslm.escalation.calibration.fitting import fit_calibration
from moslm.escalation.calibration.labelled import LabelledAnswer
from moslm.escalation.confidence import Reading
from moslm.escalation.drift_file import DriftFile
from moslm.escalation.gauges import watched
from moslm.escalation.stopping import finishes
from moslm.escalation.watching import Watch, watch_drafts

NAMES = ("mean", "grounding", "agreement")


def signals(chance, level=0.6):
    mean = min(1.0, max(0.0, chance.gauss(level, 0.1)))
    return {"mean": mean, "grounding": float(chance.random() < 0.8), "agreement": chance.random()}


def made():
    chance = random.Random(3)
    rows = [LabelledAnswer("finance", f"g{i}", signals(chance), chance.random() < 0.6) for i in range(120)]
    return fit_calibration(rows, signals=NAMES, model="m", revision="1", created=date(2026, 11, 24))


CALIBRATION = made()


def watch(file=None, *, calibration=CALIBRATION, alpha=0.01):
    return Watch(calibration, "finance", alpha, file, settle_s=0)


def serve(watched_by, count, *, level=0.6, seed=0):
    """Let so many drafts be noticed, of which costly signals are missing; return after how many it alarms."""
    chance = random.Random(seed)
    for served in range(count):
        watched_by.notice({**signals(chance, level), "agreement": None})
        if watched_by.alarm:
            return served + 1
    return None


def test_drafts_like_the_labelled_answers_raise_no_alarm():
    assert serve(watch(), 500) is None


def test_costly_signals_that_were_not_asked_for_are_no_drift():
    watching = watch()
    chance = random.Random(0)
    for _ in range(300):
        values = signals(chance)
        watching.notice({**values, "agreement": None if values["mean"] > 0.6 else 0.0})
    assert watching.alarm is None


def test_drift_is_named_once_in_the_log(caplog):
    watching = watch()
    with caplog.at_level(logging.WARNING, "moslm.escalation"):
        assert serve(watching, 150, level=0.4) is not None
        serve(watching, 50, level=0.4)
    assert "than in the answers it was fitted on; run: moslm calibrate" in watching.alarm
    assert [record.getMessage().startswith("finance keeps nothing local from now on") for record in caplog.records] == [
        True
    ]


def test_a_restart_forgets_nothing(tmp_path):
    alone = serve(watch(), 150, level=0.45)
    assert alone is not None
    file = DriftFile(tmp_path / "drift.sqlite")
    chance = random.Random(0)
    for served in range(alone):
        restarted = watch(file)
        assert restarted.alarm is None, served
        restarted.notice({**signals(chance, 0.45), "agreement": None})
    assert watch(file).alarm is not None


def test_two_workers_watch_one_stream_and_share_its_alarm(tmp_path):
    file = DriftFile(tmp_path / "drift.sqlite")
    one, two = watch(file), watch(file)
    chance = random.Random(0)
    for _ in range(60):
        for worker in (one, two):
            worker.notice({**signals(chance, 0.4), "agreement": None})
    assert one.alarm == two.alarm is not None


def test_threads_lose_no_draft(tmp_path):
    watching = watch(DriftFile(tmp_path / "drift.sqlite"))
    threads = [threading.Thread(target=serve, args=(watching, 20), kwargs={"seed": seed}) for seed in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {play.seen for play in watching._state.plays.values()} == {100}


def test_drafts_that_come_fast_are_taken_in_together(tmp_path):
    watching = Watch(CALIBRATION, "finance", 0.01, DriftFile(tmp_path / "drift.sqlite"), settle_s=3600)
    serve(watching, 30)
    assert {play.seen for play in watching._state.plays.values()} == {1}
    watching._settled = float("-inf")  # the clock counts from the start of the machine, which may be an hour ago or not
    serve(watching, 1)
    assert {play.seen for play in watching._state.plays.values()} == {31}


def test_a_request_that_is_repeated_tells_nothing_new(tmp_path):
    file = DriftFile(tmp_path / "drift.sqlite")
    for i in range(200):
        watch(file).notice({"mean": 0.9, "grounding": 1.0}, f"request {i % 9}")
    remembered = watch(file)
    assert remembered.alarm is None
    assert {play.seen for play in remembered._state.plays.values()} == {9}


def test_another_calibration_starts_afresh(tmp_path):
    file = DriftFile(tmp_path / "drift.sqlite")
    assert serve(watch(file), 150, level=0.4) is not None
    assert watch(file, calibration=replace(CALIBRATION, version="another")).alarm is None


@pytest.mark.parametrize("spoilt", ["no database", "nonsense inside", "another grid", "a folder"])
def test_a_file_that_cannot_be_used_fails_no_request(tmp_path, caplog, spoilt):
    path = tmp_path / "drift.sqlite"
    if spoilt == "no database":
        path.write_text("this is no database" * 100)
    elif spoilt == "a folder":
        path.mkdir()
    else:
        text = "{" if spoilt == "nonsense inside" else '{"plays": {}, "alarm": "drifted"}'
        DriftFile(path).exchange(CALIBRATION.version, "finance", lambda _: text)
    with caplog.at_level(logging.WARNING, "moslm.escalation"):
        watching = watch(DriftFile(path))
        assert watching.alarm is None
        assert serve(watching, 150, level=0.4) is not None
    alone = [record for record in caplog.records if "in this process alone" in record.getMessage()]
    assert len(alone) == (1 if spoilt in ("no database", "a folder") else 0)


def test_reading_makes_no_file(tmp_path):
    watch(DriftFile(tmp_path / "drift.sqlite"))
    assert list(tmp_path.iterdir()) == []


def test_an_old_calibration_without_reference_is_never_called_drifted(tmp_path):
    watching = watch(DriftFile(tmp_path / "drift.sqlite"), calibration=replace(CALIBRATION, references={}))
    assert not watching.watches
    assert serve(watching, 100, level=0.1) is None


def test_what_all_domains_are_allowed_is_divided_among_them():
    own = CALIBRATION.references["finance"]
    three = replace(CALIBRATION, references=dict.fromkeys(("finance", "it_support", "legal"), own))
    assert watch(calibration=three)._limit == pytest.approx(3 * watch()._limit)


def test_nothing_that_is_missing_or_strange_raises(tmp_path):
    watching = watch()
    strange = {"mean": float("nan"), "grounding": float("inf"), "other": 3.0}
    for values in ({}, strange, {"mean": None}):
        watching.notice(values)
    assert watching.alarm is None


def test_a_drifted_calibration_has_no_confidence_and_says_why():
    use = CalibrationUse(state="in_force", version="v")
    gauge = watched(lambda _: Reading(0.9, use), lambda: "mean is lower")
    reading = gauge({})
    assert reading.value is None
    assert reading.calibration == CalibrationUse(state="drifted", version="v", why="mean is lower")
    stale = CalibrationUse(state="stale", why="it has expired")
    assert watched(lambda _: Reading(None, stale), lambda: "mean is lower")({}).calibration == stale


def draft(**changes):
    fields = {
        "part": "0",
        "domain": "finance",
        "model": "m",
        "threshold": 0.8,
        "accepted": True,
        "calibration": CalibrationUse(state="in_force", version=CALIBRATION.version),
        "signals": [Signal(name="mean", value=0.6), Signal(name="grounding", value=1.0)],
    }
    return DraftRecord(**{**fields, **changes})


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({}, True),
        ({"accepted": False}, True),
        ({"calibration": CalibrationUse(state="incomplete", version=CALIBRATION.version)}, True),
        ({"calibration": CalibrationUse(state="stale", version=CALIBRATION.version)}, False),
        ({"calibration": CalibrationUse(state="in_force", version="of yesterday")}, False),
        ({"calibration": None}, False),
        ({"declined": True}, False),
        ({"error": "down"}, False),
        ({"domain": "legal"}, False),
    ],
)
def test_only_drafts_that_the_calibration_judged_are_noticed(changes, counts):
    class Decided:
        id = "r"
        drafts = (draft(**changes),)
        request_sha256 = "0" * 64

    watching = watch()
    watch_drafts({"finance": watching}, Decided())
    assert {play.seen for play in watching._state.plays.values()} == {int(counts)}


def test_the_file_is_readable_by_its_owner_alone(tmp_path):
    file = DriftFile(tmp_path / "deep" / "drift.sqlite")
    file.exchange("v", "finance", lambda found: "one" if found is None else "two")
    file.exchange("v", "finance", lambda found: f"{found} and more")
    assert file.read("v", "finance") == "one and more"
    assert file.path.stat().st_mode & 0o077 == 0
    with pytest.raises(sqlite3.Error):
        file.exchange("v", "finance", lambda _: None)  # a state must be text


def stopped_draft(rule):
    return draft(calibration=None, signals=[], accepted=False, stopped=Stopped(rule=rule, token=4))


def decided(*drafts, id="r"):
    class Decided:
        request_sha256 = hashlib.sha256(id.encode()).hexdigest()

    Decided.id, Decided.drafts = id, drafts
    return Decided()


def test_once_a_draft_was_stopped_for_running_low_only_drafts_that_none_could_stop_count(tmp_path):
    watching = watch(DriftFile(tmp_path / "drift.sqlite"), alpha=1e-200)  # drafts that are all alike are drift
    for number in range(20):
        watch_drafts({"finance": watching}, decided(draft(), id=f"before {number}"))
    watch_drafts({"finance": watching}, decided(stopped_draft("running_low")))
    for number in range(300):
        watch_drafts({"finance": watching}, decided(draft(), id=f"after {number}"))
    drawn = sum(finishes(f"after {number}", "0") for number in range(300))
    assert 10 < drawn < 60
    assert {play.seen for play in watching._state.plays.values()} == {20 + drawn}
    assert watch(DriftFile(tmp_path / "drift.sqlite"))._state.thinned  # another process knows of it


def test_drafts_that_decline_are_not_missed():
    watching = watch()
    watch_drafts({"finance": watching}, decided(stopped_draft("declined")))
    watch_drafts({"finance": watching}, decided(draft(), id="after"))
    assert {play.seen for play in watching._state.plays.values()} == {1}
