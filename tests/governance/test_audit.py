import gc
import json
import os
import sqlite3
import subprocess
import sys
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from decision_samples import a_decision, an_unsure_decision, any_decisions
from hypothesis import HealthCheck, given, settings

from moslm.errors import AuditError
from moslm.governance.audit import AuditLog, Filters


@pytest.fixture
def log(tmp_path):
    log = AuditLog(tmp_path / "new" / "folder" / "audit.sqlite")
    yield log
    log.close()


def ids(decisions):
    return [each.id for each in decisions]


def test_a_decision_comes_back_as_it_was(log):
    log.append(a_decision())
    assert log.get("0b8f2c4e") == a_decision()


@given(decision=any_decisions)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_decision_is_kept_whatever_its_figures(tmp_path, decision):
    log = AuditLog(tmp_path / f"{os.urandom(8).hex()}.sqlite")
    log.append(decision)
    (record,) = sqlite3.connect(log.path).execute("SELECT record FROM decisions").fetchone()
    log.close()
    assert json.loads(record) == json.loads(decision.model_dump_json())


def test_the_record_is_on_disk_for_another_process_when_append_returns(log):
    log.append(a_decision())
    reader = sqlite3.connect(f"file:{log.path}?mode=ro", uri=True)
    assert reader.execute("SELECT id, tenant, domain, outcome, confidence FROM decisions").fetchall() == [
        ("0b8f2c4e", "acme", "finance", "answered", 0.91)
    ]
    reader.close()


def test_writes_are_synced_in_write_ahead_mode(log):
    log.append(a_decision())
    connection = log._opened()
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


def test_the_same_record_twice_is_kept_once(log):
    log.append(a_decision())
    log.append(a_decision())
    assert ids(log.list()) == ["0b8f2c4e"]


def test_another_record_under_a_kept_id_is_an_error_and_changes_nothing(log):
    log.append(a_decision())
    with pytest.raises(AuditError, match="already in the audit log with another content"):
        log.append(a_decision(confidence=0.1))
    assert log.get("0b8f2c4e").confidence == 0.91


def test_a_decision_is_found_by_the_beginning_of_its_id(log):
    log.append(a_decision(id="aa11"))
    log.append(a_decision(id="ab22"))
    assert log.get("aa").id == "aa11"


def test_an_ambiguous_beginning_names_two_that_fit(log):
    log.append(a_decision(id="aa11"))
    log.append(a_decision(id="ab22"))
    with pytest.raises(AuditError, match=r"several decisions begin with .a., such as aa11 and ab22"):
        log.get("a")


def test_a_whole_id_that_begins_another_is_found(log):
    log.append(a_decision(id="aa"))
    log.append(a_decision(id="aa1"))
    assert log.get("aa").id == "aa"


@pytest.mark.parametrize("id", ["zz", "", "%", "*"])
def test_an_id_nobody_has_is_an_error_that_says_where_to_look(log, id):
    log.append(a_decision())
    with pytest.raises(AuditError, match="moslm log"):
        log.get(id)


def test_reading_a_log_that_was_never_written_finds_nothing_and_makes_nothing(log):
    assert log.list() == []
    assert not log.path.parent.exists()


def test_decisions_are_listed_newest_first(log):
    for hour in ("09", "11", "10"):
        log.append(a_decision(id=f"at{hour}", closed_at=f"2026-11-23T{hour}:00:00.000+00:00"))
    assert ids(log.list()) == ["at11", "at10", "at09"]
    assert ids(log.list(Filters(limit=2))) == ["at11", "at10"]


def test_moments_in_other_zones_are_ordered_as_moments(log):
    log.append(a_decision(id="late", closed_at="2026-11-23T09:00:00.000-05:00"))
    log.append(a_decision(id="early", closed_at="2026-11-23T13:59:59.999Z"))
    assert ids(log.list()) == ["late", "early"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(), {"sure", "unsure", "unknown", "other"}),
        (Filters(tenant="other"), {"other"}),
        (Filters(domain="it_support"), {"other"}),
        (Filters(outcome="escalated"), {"unsure", "unknown"}),
        (Filters(action="answer"), {"sure", "other"}),
        (Filters(trigger="low_confidence"), {"unsure", "unknown"}),
        (Filters(trigger="low"), set()),
        (Filters(below_confidence=0.8), {"unsure", "unknown"}),
        (Filters(since=datetime(2026, 11, 23, tzinfo=UTC)), {"sure", "unsure", "unknown"}),
        (Filters(since=datetime(2026, 11, 23)), {"sure", "unsure", "unknown"}),
        (Filters(until=datetime(2026, 11, 23, tzinfo=UTC)), {"other"}),
        (Filters(tenant="acme", outcome="answered"), {"sure"}),
        (Filters(tenant="acme' OR '1'='1"), set()),
    ],
)
def test_filters_narrow_the_list(log, filters, expected):
    log.append(a_decision(id="sure"))
    log.append(an_unsure_decision(id="unsure"))
    log.append(an_unsure_decision(id="unknown", confidence=None))
    yesterday = (datetime(2026, 11, 22, tzinfo=UTC) + timedelta(hours=3)).isoformat(timespec="milliseconds")
    log.append(a_decision(id="other", tenant="other", domain="it_support", closed_at=yesterday))
    assert set(ids(log.list(filters))) == expected


def test_a_request_without_a_draft_is_not_one_of_low_confidence(log):
    log.append(a_decision(id="recalled", outcome="recalled", confidence=None, drafts=[]))
    assert ids(log.list(Filters(below_confidence=0.8))) == []


def test_a_place_that_cannot_be_written_is_a_typed_error(tmp_path):
    (tmp_path / "file").write_text("no folder")
    log = AuditLog(tmp_path / "file" / "audit.sqlite")
    with pytest.raises(AuditError, match="cannot be written"):
        log.append(a_decision())
    with pytest.raises(AuditError, match="cannot be written"):
        log.check()


def test_a_file_that_is_no_database_is_a_typed_error(tmp_path):
    (tmp_path / "audit.sqlite").write_text("this is not a database" * 100)
    log = AuditLog(tmp_path / "audit.sqlite")
    with pytest.raises(AuditError, match="cannot be written: file is not a database"):
        log.append(a_decision())
    with pytest.raises(AuditError, match="cannot be read"):
        log.list()


def test_a_log_that_another_process_holds_fails_within_its_time(log):
    log.append(a_decision())
    holder = sqlite3.connect(log.path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    impatient = AuditLog(log.path, busy_seconds=0.1)
    with pytest.raises(AuditError, match="locked"):
        impatient.append(a_decision(id="second"))
    holder.execute("ROLLBACK")
    holder.close()
    impatient.append(a_decision(id="second"))
    impatient.close()


def test_one_bad_record_in_a_shared_write_does_not_lose_the_others(log):
    log.append(a_decision(id="taken"))
    clash = a_decision(id="taken", confidence=0.5)
    with ThreadPoolExecutor(8) as pool:
        outcomes = [pool.submit(log.append, clash if i % 4 == 0 else a_decision(id=f"n{i}")) for i in range(40)]
    failed = [each for each in outcomes if each.exception()]
    assert len(failed) == 10
    assert len(log.list(Filters(limit=None))) == 31


def test_an_interrupted_write_fails_for_everyone_who_waited_on_it(log, monkeypatch):
    def interrupted(batch):
        raise KeyboardInterrupt

    monkeypatch.setattr(log, "_write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        log.append(a_decision())
    monkeypatch.undo()
    assert log.list() == []
    log.append(a_decision())
    assert ids(log.list()) == ["0b8f2c4e"]


OTHER_PROCESS = """
import sys
sys.path.insert(0, sys.argv[1])
from decision_samples import a_decision
from moslm.governance.audit import AuditLog
log = AuditLog(sys.argv[2], busy_seconds=30)
for i in range(25):
    log.append(a_decision(id=f"{sys.argv[3]}-{i}"))
log.close()
"""


def test_several_processes_append_to_a_new_file_at_once(tmp_path):
    path = tmp_path / "audit.sqlite"
    command = [sys.executable, "-c", OTHER_PROCESS, str(Path(__file__).parent), str(path)]
    workers = [subprocess.Popen([*command, f"p{i}"]) for i in range(3)]
    assert [worker.wait(60) for worker in workers] == [0, 0, 0]
    log = AuditLog(path)
    assert len(log.list(Filters(limit=None))) == 75
    log.close()


def test_threads_append_at_once_and_nothing_is_lost(log):
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(log.append, [a_decision(id=f"t{i}") for i in range(200)]))
    assert len(log.list(Filters(limit=None))) == 200


async def test_an_append_from_async_code_leaves_the_event_loop_free(log, monkeypatch):
    threads = []
    write = log._write
    monkeypatch.setattr(log, "_write", lambda batch: (threads.append(threading.current_thread()), write(batch)))
    await log.aappend(a_decision())
    assert threads[0] is not threading.main_thread()
    assert log.get("0b8f2c4e").id == "0b8f2c4e"


def test_a_forked_child_opens_the_log_for_itself(log):
    log.append(a_decision(id="parent"))
    mine = log._connection
    log._pid += 1  # what a child sees after a fork
    log.append(a_decision(id="child"))
    assert log._connection is not mine
    assert ids(log.list()) == ["parent", "child"]
    mine.close()


def test_only_the_owner_may_read_the_log(log):
    log.append(a_decision())
    assert log.path.stat().st_mode & 0o077 == 0
    assert log.path.parent.stat().st_mode & 0o077 == 0


def test_a_record_this_version_cannot_read_names_the_field(log):
    log.append(a_decision())
    with closing(sqlite3.connect(log.path)) as another_version:
        another_version.execute("UPDATE decisions SET record = json_remove(record, '$.total_ms')")
        another_version.commit()
    with pytest.raises(AuditError, match=r"0b8f2c4e .*total_ms"):
        log.get("0b8f2c4e")


def test_checking_writes_no_record(log):
    log.check()
    assert log.list() == []


def test_a_log_that_nobody_holds_lets_go_of_its_file(tmp_path):
    log = AuditLog(tmp_path / "audit.sqlite")
    log.append(a_decision())
    log.list()
    gone = weakref.ref(log)
    del log
    gc.collect()
    assert gone() is None


def test_what_all_decisions_cost_is_their_sum(log):
    assert log.spent_usd() == 0
    for id, usd in (("a", 0.25), ("b", 0.5)):
        cost = a_decision().cost.model_copy(update={"spent_usd": usd})
        log.append(a_decision(id=id, cost=cost))
    assert log.spent_usd() == 0.75


class TestKeepDays:
    """Records that are too old go by themselves, by a clock that nobody sets."""

    def kept(self, path, at, keep_days=30):
        def clock(anchor):
            return type("Clock", (), {"now": lambda self: at.timestamp()})()

        return AuditLog(path, keep_s=keep_days * 86_400, clock=clock)

    def decision(self, id, closed):
        return a_decision().model_copy(update={"id": id, "closed_at": closed.isoformat(timespec="milliseconds")})

    def test_old_records_go_with_the_next_append_and_leave_no_bytes(self, tmp_path):
        path, now = tmp_path / "audit.sqlite", datetime(2026, 11, 26, tzinfo=UTC)
        whole = AuditLog(path)
        whole.append(self.decision("old-canary", now - timedelta(days=31)))
        whole.append(self.decision("young", now - timedelta(days=29)))
        whole.close()
        log = self.kept(path, now)
        log.append(self.decision("new", now))
        assert sorted(ids(log.list())) == ["new", "young"]
        log.close()
        assert all(b"old-canary" not in each.read_bytes() for each in tmp_path.iterdir())

    def test_it_is_looked_once_a_day(self, tmp_path):
        path, now = tmp_path / "audit.sqlite", datetime(2026, 11, 26, tzinfo=UTC)
        log = self.kept(path, now)
        log.append(self.decision("new", now))
        log.append(self.decision("late", now - timedelta(days=40)))
        assert len(log.list()) == 2
        log.close()

    def test_a_clock_that_is_set_ages_nothing(self, tmp_path, monkeypatch):
        import time

        path, now = tmp_path / "audit.sqlite", datetime.now(UTC)
        log = AuditLog(path, keep_s=86_400)
        log.append(self.decision("first", now))
        log.close()
        real = time.time
        monkeypatch.setattr(time, "time", lambda: real() + 400 * 86_400)
        later = AuditLog(path, keep_s=86_400)
        later.append(self.decision("second", now))
        assert len(later.list()) == 2
        later.close()

    def test_without_it_all_stay(self, log):
        log.append(self.decision("old", datetime(1999, 1, 1, tzinfo=UTC)))
        log.append(self.decision("new", datetime(2026, 11, 26, tzinfo=UTC)))
        assert len(log.list()) == 2
