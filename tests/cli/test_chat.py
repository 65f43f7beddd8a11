import pytest

from moslm.cli import asking, chat
from moslm.cli.asking import answered
from moslm.cli.identity import Identity
from moslm.context import MoSLMContext

QUESTION = "How much is left in the marketing budget for Q3?"


@pytest.fixture
def typed(monkeypatch):
    """Type these lines, then end the input."""

    def type_(*lines):
        waiting = iter(lines)

        def read(prompt=""):
            try:
                return next(waiting)
            except StopIteration:
                raise EOFError from None

        monkeypatch.setattr("builtins.input", read)

    return type_


def test_a_conversation_in_a_pipe_gives_its_answers_alone(config, process):
    ended = process("chat", input=f"{QUESTION}\n{QUESTION}\n/quit\nnever read\n".encode())
    answer = "The budget has 412 euros left.\n"
    assert (ended.returncode, ended.stdout.decode(), ended.stderr) == (0, answer * 2, b"")


def test_the_conversation_is_remembered_until_a_new_one_begins(config, moslm_command, typed, log):
    typed(QUESTION, "And for Q4?", "/new", QUESTION)
    assert moslm_command("chat")[0] == 0
    assert sorted(each.turns for each in log.list()) == [1, 1, 2]


def test_why_explains_the_last_answer(config, moslm_command, typed):
    typed("/why", QUESTION, "/why")
    out = moslm_command("chat")[1]
    assert out.startswith("Nothing has been answered yet.")
    assert "outcome     answered by finance (scripted)" in out
    assert "Had the confidence been below 0.80, the request would have gone up." in " ".join(out.split())


def test_an_unknown_command_tells_the_known_ones(config, moslm_command, typed):
    typed("/wyh", "")
    assert "/why explains the last answer" in moslm_command("chat")[1]


def test_an_answer_comes_in_words(config, monkeypatch):
    printed = []
    monkeypatch.setattr(chat, "print", lambda *words, **how: printed.append(words), raising=False)
    chat.Conversation(asking.compiled(None), MoSLMContext(), Identity()).take(QUESTION)
    assert len(printed) > 4
    assert "".join(word for words in printed for word in words) == "The budget has 412 euros left."


def test_ctrl_c_at_a_terminal_ends_the_answer_and_not_the_conversation(config, moslm_command, typed, monkeypatch):
    answer, stopped = chat.Conversation._answer, []

    def interrupted_once(self, text):
        if not stopped:
            stopped.append(text)
            raise KeyboardInterrupt
        answer(self, text)

    monkeypatch.setattr(chat.Conversation, "_answer", interrupted_once)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    typed("what is", QUESTION)
    code, out, _ = moslm_command("chat")
    assert code == 0
    assert "Stopped. This request has not been answered" in out
    assert out.endswith("The budget has 412 euros left.\n")


def test_an_input_that_ends_at_a_question_ends_the_conversation(config, moslm_command, typed, monkeypatch):
    reviewed = '[large_model]\nreview = true\nmodel = { kind = "scripted" }\n'
    config.write_text(config.read_text().replace("0.95", "0.2") + reviewed)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    typed(QUESTION)
    code, out, err = moslm_command("chat")
    assert (code, err) == (0, "")
    assert "The request is to go to the large model" in out


WRITES = """
[defaults.model]
kind = "scripted"
replies = ["unused"]
"""


@pytest.fixture
def wanting_a_ticket(moslm, scripted):
    """A graph whose IT model wants to open a ticket and then says so."""
    from langchain_core.messages import AIMessage
    from langgraph.checkpoint.memory import InMemorySaver

    from moslm import ScriptedChatModel

    call = {"name": "open_ticket", "args": {"title": "Laptop", "description": "It does not start"}, "id": "c1"}
    model = ScriptedChatModel(replies=[AIMessage("", tool_calls=[call]), "Your ticket is open."], confidence=0.95)
    return moslm({"it_support": model}, checkpointer=InMemorySaver())


def test_a_write_is_decided_at_the_terminal(wanting_a_ticket, typed, monkeypatch, capsys):
    asked = []

    def decide(question):
        asked.extend(request["name"] for request in question["action_requests"])
        return {"decisions": [{"type": "approve"}]}

    reply, record = answered(wanting_a_ticket, "my laptop does not start", MoSLMContext(), "t", decide, Identity())
    assert asked == ["open_ticket"]
    assert reply == "Your ticket is open."
    assert [(each["what"], each["decision"]) for each in record["reviews"]] == [("open_ticket", "approve")]


def test_a_conversation_goes_on_after_a_decision(wanting_a_ticket, typed, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    typed("y")
    chat.Conversation(wanting_a_ticket, MoSLMContext(), Identity()).take("my laptop does not start")
    shown = capsys.readouterr().out
    assert "wants to open_ticket" in shown
    assert shown.endswith("Your ticket is open.\n")
