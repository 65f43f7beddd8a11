import argparse
import json
from datetime import UTC, datetime, timedelta

import pytest
from decision_samples import a_decision, an_unsure_decision

from moslm.cli.log import moment


@pytest.fixture
def two(log):
    log.append(a_decision(id="aaaa1111-long"))
    log.append(an_unsure_decision(id="bbbb2222-long", closed_at="2026-11-23T21:00:00.000+00:00", tenant="other"))


def test_decisions_are_listed_newest_first(two, moslm_command):
    code, out, _ = moslm_command("log")
    lines = out.splitlines()
    assert code == 0
    assert lines[0].startswith("closed (UTC)      id        tenant  domain   outcome    conf.  cost  fired")
    assert lines[1].split()[2:6] == ["bbbb2222", "other", "finance", "escalated"]
    assert lines[1].split()[6:] == ["0.62", "$0", "low_confidence"]
    assert lines[2].split()[2:6] == ["aaaa1111", "acme", "finance", "answered"]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (["--tenant", "other"], ["bbbb2222"]),
        (["--outcome", "answered"], ["aaaa1111"]),
        (["--action", "escalate"], ["bbbb2222"]),
        (["--domain", "it_support"], []),
        (["--trigger", "low_confidence"], ["bbbb2222"]),
        (["--below", "0.8"], ["bbbb2222"]),
        (["--since", "2026-11-23T20:50"], ["bbbb2222"]),
        (["--until", "2026-11-23T20:50"], ["aaaa1111"]),
        (["--limit", "1"], ["bbbb2222"]),
        (["--limit", "0"], ["bbbb2222", "aaaa1111"]),
    ],
)
def test_filters_narrow_the_list(two, moslm_command, filters, found):
    _, out, _ = moslm_command("log", "--json", *filters)
    assert [json.loads(line)["id"][:8] for line in out.splitlines()] == found


def test_a_log_without_decisions_says_where_it_looked(moslm_command, log):
    assert moslm_command("log") == (0, f"No decisions in {log.path} that fit.\n", "")


def test_the_log_is_the_one_the_configuration_names(moslm_command, folder):
    (folder / "moslm.toml").write_text('audit_file = "mine.sqlite"')
    assert "mine.sqlite" in moslm_command("log")[1]


def test_moments_are_dates_times_or_so_long_ago():
    assert moment("2026-11-23") == datetime(2026, 11, 23, tzinfo=UTC)
    assert moment("2026-11-23T14:00+02:00") == datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert abs(datetime.now(UTC) - timedelta(days=7) - moment("7d")) < timedelta(minutes=1)
    with pytest.raises(argparse.ArgumentTypeError, match="is no moment"):
        moment("yesterday")


def test_the_last_decision_is_explained(two, moslm_command):
    code, out, _ = moslm_command("explain", "last")
    assert code == 0
    assert out.startswith("Decision bbbb2222-long of 2026-11-23 21:00:00 UTC, tenant other.")
    assert "Had the confidence been at least 0.80, finance's own model would have answered." in " ".join(out.split())
    assert max(map(len, out.splitlines())) <= 100


def test_a_decision_is_explained_by_the_beginning_of_its_id(two, moslm_command):
    assert moslm_command("explain", "aaaa")[1].startswith("Decision aaaa1111-long")


def test_the_explanation_can_carry_the_table_or_be_the_record(two, moslm_command):
    assert moslm_command("explain", "aaaa", "--table")[1].startswith("  outcome     answered by finance (smollm2)\n")
    assert json.loads(moslm_command("explain", "aaaa", "--json")[1]) == a_decision(id="aaaa1111-long").plain()


def test_an_unknown_id_is_a_mistake(two, moslm_command):
    assert moslm_command("explain", "zz") == (2, "", "moslm: no decision begins with 'zz'; run: moslm log\n")


def test_nothing_can_be_explained_before_anything_was_asked(moslm_command):
    code, _, err = moslm_command("explain", "last")
    assert code == 2
    assert "run: moslm ask" in err


@pytest.mark.parametrize("limit", ["-3", "1000000000000000000000", "many"])
def test_a_limit_that_is_no_count_is_refused(moslm_command, limit):
    code, out, err = moslm_command("log", f"--limit={limit}")
    assert (code, out) == (2, "")
    assert "is no count; write 20, or 0 for all" in err
