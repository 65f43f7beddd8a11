import io
import json

import pytest

from moslm.cli import asking
from moslm.errors import RequestError

REPLY = "The budget has 412 euros left."
QUESTION = "How much is left in the marketing budget for Q3?"


def test_the_reply_is_printed_and_nothing_else(config, moslm_command):
    assert moslm_command("ask", QUESTION) == (0, f"{REPLY}\n", "")


def test_reply_and_decision_are_one_json_object(config, moslm_command, log):
    code, out, err = moslm_command("ask", QUESTION, "--json", "--tenant", "acme", "--role", "operator")
    answer = json.loads(out)
    assert (code, err, answer["reply"]) == (0, "", REPLY)
    decision = answer["decision"]
    assert (decision["outcome"], decision["domain"], decision["tenant"], decision["role"]) == (
        "answered",
        "finance",
        "acme",
        "operator",
    )
    assert log.get(decision["id"]).plain() == decision


def test_the_request_can_come_from_a_pipe(config, process):
    ended = process("ask", "-", input=QUESTION.encode())
    assert (ended.returncode, ended.stdout.decode(), ended.stderr) == (0, f"{REPLY}\n", b"")


def test_at_a_terminal_it_says_that_it_reads_and_how_to_end(config, process, terminal):
    ended = process("ask", "-", stdin=terminal(QUESTION.encode() + b"\n"))
    assert (ended.returncode, ended.stdout.decode()) == (0, f"{REPLY}\n")
    assert ended.stderr == b"Reading from the terminal; end with Ctrl-D.\n"


def test_a_line_end_is_no_part_of_the_request(config, process, log):
    process("ask", "-", input=QUESTION.encode() + b"\n")
    process("ask", QUESTION)
    assert len({each.request_sha256 for each in log.list()}) == 1


@pytest.mark.parametrize("arguments", [["ask", "-"], ["chat"]])
def test_bytes_that_are_no_text_are_refused(config, process, arguments, log):
    ended = process(*arguments, input=b"My laptop \xff\xfe\n")
    assert (ended.returncode, ended.stdout) == (2, b"")
    assert ended.stderr == b"moslm: what came in on stdin is no text in UTF-8\n"
    assert log.list() == []


def test_a_threshold_of_ones_own_holds_for_this_request(config, moslm_command):
    decision = json.loads(moslm_command("ask", QUESTION, "--json", "--threshold", "0.99")[1])["decision"]
    assert (decision["outcome"], decision["threshold"]) == ("handed_over", 0.99)


@pytest.mark.parametrize("value", ["8", "-1", "high", "nan"])
def test_a_threshold_that_is_no_probability_is_refused(config, moslm_command, value):
    code, out, err = moslm_command("ask", "x", f"--threshold={value}")
    assert (code, out) == (2, "")
    assert "is no number between 0 and 1" in err


def test_an_empty_request_is_turned_away_with_a_record(config, moslm_command, log):
    code, out, _ = moslm_command("ask", " ", "--json")
    assert code == 0
    assert json.loads(out)["decision"]["outcome"] == "refused"
    assert len(log.list()) == 1


def test_an_empty_tenant_is_refused(config, moslm_command):
    code, _, err = moslm_command("ask", "x", "--tenant", "")
    assert code == 2
    assert err == "moslm: --tenant = '': String should have at least 1 character\n"


def test_a_configuration_that_is_not_there_is_one_line(moslm_command):
    code, out, err = moslm_command("ask", "x", "--config", "nowhere.toml")
    assert (code, out) == (2, "")
    assert err == "moslm: nowhere.toml: no such file; run: moslm config example > moslm.toml\n"


def test_an_audit_log_that_cannot_be_written_gives_no_answer(config, folder, moslm_command):
    (folder / "blocked").write_text("")
    config.write_text('audit_file = "blocked/audit.sqlite"\n' + config.read_text())
    code, out, err = moslm_command("ask", QUESTION)
    assert (code, out) == (2, "")
    assert "cannot be written" in err


def test_where_there_is_no_person_a_decision_of_theirs_is_an_error():
    with pytest.raises(RequestError, match="a person must decide about refund"):
        asking.nobody({"action_requests": [{"name": "refund"}]})


def test_an_answer_cannot_steer_the_terminal(config, moslm_command):
    config.write_text(config.read_text().replace("The budget", "The \\u001b[2Jbudget"))
    assert "\x1b" not in moslm_command("ask", QUESTION)[1]


def test_an_operator_is_not_told_to_become_one_where_that_changes_nothing():
    with pytest.raises(RequestError, match="--role operator"):
        asking.nobody({"action_requests": [{"name": "refund"}]})
    with pytest.raises(RequestError, match=r"terminal without --json$"):
        asking.nobody({"action_requests": [{"name": "escalate_to_large_model"}]})


REVIEWED = """
[large_model]
review = true
model = { kind = "scripted" }
"""


def test_an_input_that_ends_decides_nothing(config, moslm_command, monkeypatch):
    def ended(question):
        raise EOFError

    config.write_text(config.read_text().replace("0.95", "0.2") + REVIEWED)
    monkeypatch.setattr("moslm.cli.asking.nobody", ended)
    code, out, err = moslm_command("ask", QUESTION)
    assert (code, out) == (2, "")
    assert err == "moslm: nobody decided: the input ended; the request is not answered\n"


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_on_a_terminal_a_line_says_who_answered_at_what_price(config, moslm_command, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    moslm_command("ask", QUESTION)
    shown = terminal.getvalue()
    assert "answered by finance (scripted) · $0 · " in shown
    assert "moslm explain " in shown
