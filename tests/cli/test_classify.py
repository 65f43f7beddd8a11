import io
import json

import pytest

from moslm.cli import classify

LINES = [
    {"id": 1, "text": "How much is left in the marketing budget?"},
    {"id": "b", "messages": [{"role": "user", "content": "My laptop does not start"}]},
    {
        "id": None,
        "messages": [
            {"role": "user", "content": "How much is left in the marketing budget for Q3?"},
            {"role": "assistant", "content": "412 euros."},
            {"role": "user", "content": "and for Q4?"},
        ],
    },
]
KEYS = ["id", "domain", "probabilities", "domains", "spans", "novelty_p", "asked_for", "action", "reasons", "ms"]


def as_lines(records):
    return "".join(json.dumps(record) + "\n" for record in records).encode()


@pytest.fixture
def lines(folder, config):
    file = folder / "in.jsonl"
    file.write_bytes(as_lines(LINES))
    return file


def test_each_line_says_what_it_is_about_and_where_it_would_go(lines, folder, moslm_command):
    code, out, err = moslm_command("classify", "in.jsonl", "--out", "out.jsonl")
    assert (code, out, err) == (0, "", "")
    results = [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]
    assert [list(each) for each in results] == [KEYS] * 3
    assert [each["id"] for each in results] == [1, "b", None]
    assert [each["domain"] for each in results] == ["finance", "it_support", "finance"]
    assert all(abs(sum(each["probabilities"].values()) - 1) < 1e-3 for each in results)


def test_pipes_in_and_out_and_no_record_is_made(config, process, log):
    ended = process("classify", input=as_lines(LINES))
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert [json.loads(line)["domain"] for line in ended.stdout.splitlines()] == ["finance", "it_support", "finance"]
    assert not log.path.exists()


def test_at_a_terminal_it_says_that_it_reads_and_how_to_end(config, process, terminal):
    ended = process("classify", stdin=terminal(as_lines(LINES[:1])))
    assert (ended.returncode, ended.stderr) == (0, b"Reading from the terminal; end with Ctrl-D.\n")
    assert json.loads(ended.stdout)["domain"] == "finance"


BAD = {
    b"{": "not JSON: Expecting property name",
    b"[1]": "not an object",
    b'"text"': "not an object",
    b'{"id": NaN, "text": "x"}': "NaN is no JSON number",
    b"\xff\xfe": "not UTF-8",
    b"[" * 100_000: "nested too deeply",
    b'{"id": 7}': "needs either text or messages",
    b'{"id": 7, "text": "a", "messages": []}': "needs either text or messages",
    b'{"id": 7, "text": 5}': "text is no text",
    b'{"id": 7, "text": " "}': "The message is empty.",
    b'{"id": 7, "messages": "a"}': "messages is no list",
    b'{"id": 7, "messages": [1]}': "messages is no list",
    b'{"id": 7, "messages": []}': "There is no user message",
    b'{"id": 7, "messages": [{"role": "robot", "content": "a"}]}': "messages holds what is no message",
    b'{"id": 7, "messages": [{"content": "a"}]}': "messages holds what is no message",
    b'{"id": 7, "messages": [{"role": "user", "content": [{"type": "image_url"}]}]}': "image_url content",
}


def judged_as_finance(messages):
    from moslm.config import Limits
    from moslm.decision import Check, Classification
    from moslm.nodes.screen import conversation

    conversation(messages, Limits())
    found = Classification(classifier="c", domain="finance", probabilities={"finance": 1.0}, domains=["finance"])
    return found, Check(stage="request", action="answer", considered=[], reasons=[])


@pytest.mark.parametrize("line", list(BAD), ids=[line[:30].decode(errors="replace") for line in BAD])
def test_a_bad_line_becomes_an_error_in_its_place(line):
    good = b'{"id": 0, "text": "ok"}'
    first, bad, last = classify.classified([good, line, good], judged_as_finance)
    assert first["domain"] == last["domain"] == "finance"
    assert list(bad) == ["id", "error"]
    assert bad["id"] == (7 if line.startswith(b'{"id": 7') else None)
    assert bad["error"].startswith("line 2: ")
    assert BAD[line] in bad["error"]
    assert "\n" not in bad["error"]


def test_a_mistake_in_the_judge_is_not_taken_for_a_bad_line():
    def broken(messages):
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        list(classify.classified([b'{"text": "x"}'], broken))


def test_bad_lines_are_counted_at_the_end(lines, folder, moslm_command):
    lines.write_bytes(as_lines(LINES) + b"\nnonsense\n")
    code, _, err = moslm_command("classify", "in.jsonl", "--out", "out.jsonl")
    assert (code, err) == (1, "moslm: 1 of 4 lines could not be classified\n")
    assert json.loads((folder / "out.jsonl").read_text().splitlines()[-1])["error"].startswith("line 5: not JSON")


def test_results_come_line_by_line(config):
    read = []

    def lines():
        for i in range(3):
            read.append(i)
            yield b'{"text": "ok"}'

    results = classify.classified(lines(), judged_as_finance)
    next(results)
    assert read == [0]


def test_the_results_may_not_overwrite_the_lines_that_are_read(lines, moslm_command):
    code, _, err = moslm_command("classify", "in.jsonl", "--out", "./in.jsonl")
    assert code == 2
    assert "would overwrite" in err
    assert lines.read_bytes() == as_lines(LINES)


@pytest.mark.parametrize("arguments", [["nowhere.jsonl"], ["in.jsonl", "--out", "no/folder.jsonl"]])
def test_a_file_that_cannot_be_opened_is_one_line(lines, moslm_command, arguments):
    code, _, err = moslm_command("classify", *arguments)
    assert code == 2
    assert err.endswith("cannot be opened: No such file or directory\n")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_is_shown_on_a_terminal(lines, moslm_command, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    moslm_command("classify", "in.jsonl", "--out", "out.jsonl")
    assert "3/3" in terminal.getvalue()


def test_nobody_is_asked_for_an_answer(lines, folder, moslm_command, monkeypatch):
    from moslm import ScriptedChatModel

    def asked(*arguments, **options):
        raise AssertionError("a model was asked")

    monkeypatch.setattr(ScriptedChatModel, "_generate", asked)
    monkeypatch.setattr(ScriptedChatModel, "_stream", asked)
    assert moslm_command("classify", "in.jsonl", "--out", "out.jsonl")[0] == 0
