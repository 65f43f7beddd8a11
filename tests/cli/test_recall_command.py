import json

import pytest
from decision_samples import a_decision

from moslm.config import home
from moslm.decision import Recalled
from moslm.governance.audit import AuditLog
from moslm.recall.entries import Entry
from moslm.recall.sqlite import RecallFile


@pytest.fixture
def file(folder):
    made = RecallFile(home() / "recall.sqlite")
    for tenant, domain, decision in (
        ("acme", "finance", "d-1"),
        ("acme", "it_support", "d-2"),
        ("globex", "finance", "d-3"),
    ):
        entry = Entry(decision, None, tenant, "user", domain, decision, "Yes.", "small", True, 0.5, 0.0, 1e12)
        made.keep(entry)
    made.hit("finance", "exact", 0.5)
    made.hit("finance", "semantic", 0.5)
    made.check("finance", wrong=True)
    yield made
    made.close()


def test_stats_say_what_is_held_what_it_saved_and_where_similar_requests_are_answered_anew(file, moslm_command):
    code, out, _ = moslm_command("recall", "stats")
    assert code == 0
    assert [line.split() for line in out.splitlines() if line.startswith("finance")] == [
        ["finance", "2", "1", "1", "$1.00", "1", "1", "100.0%", "closed"]
    ]
    assert [line.split()[-1] for line in out.splitlines() if line.startswith("it_support")] == ["open"]


def test_stats_are_one_json_object_for_programs(file, moslm_command):
    _, out, _ = moslm_command("recall", "stats", "--json")
    finance = json.loads(out)["domains"][0]
    assert finance == {
        "domain": "finance",
        "held": 2,
        "exact": 1,
        "semantic": 1,
        "saved_usd": 1.0,
        "checked": 1,
        "wrong": 1,
        "wrong_at_most": 1.0,
        "similar_requests": "closed",
    }


@pytest.mark.parametrize(
    ("which", "left"),
    [
        (("--tenant", "acme"), {"finance": 1}),
        (("--domain", "finance"), {"it_support": 1}),
        (("--tenant", "acme", "--domain", "finance"), {"finance": 1, "it_support": 1}),
        (("--all",), {}),
    ],
    ids=str,
)
def test_purging_forgets_what_is_named_at_once(file, moslm_command, which, left):
    code, out, _ = moslm_command("recall", "purge", *which)
    assert code == 0
    assert "forgotten" in out
    assert file.held() == left


def test_purging_the_decision_that_a_user_saw_forgets_the_answer_it_was_given_from(file, moslm_command):
    seen = a_decision(id="seen", outcome="recalled", recalled=Recalled(decision="d-3", how="exact", similarity=1))
    AuditLog(home() / "audit.sqlite").append(seen)
    code, out, _ = moslm_command("recall", "purge", "--decision", "seen")
    assert (code, out) == (0, "1 remembered answer forgotten.\n")
    assert file.held() == {"finance": 1, "it_support": 1}


def test_counting_anew_opens_what_was_closed_and_forgets_no_answer(file, moslm_command):
    _, out, _ = moslm_command("recall", "purge", "--checks", "--domain", "it_support")
    assert "0 domains" in out
    _, out, _ = moslm_command("recall", "purge", "--checks")
    assert out == "Checks are counted anew in 1 domain.\n"
    assert not file.tally("finance").closed(0.01)


@pytest.mark.parametrize("which", [(), ("--all", "--tenant", "acme")], ids=str)
def test_nothing_is_forgotten_unless_it_is_said_what(file, moslm_command, which):
    code, out, err = moslm_command("recall", "purge", *which)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "say what to forget" in err
    assert sum(file.held().values()) == 3


def test_a_file_that_is_none_is_told_in_one_line(folder, moslm_command):
    home().mkdir(parents=True, exist_ok=True)
    (home() / "recall.sqlite").write_bytes(b"no database at all" * 100)
    code, out, err = moslm_command("recall", "stats")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "recall.sqlite cannot be used" in err
