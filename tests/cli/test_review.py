import pytest

from moslm.cli.asking import at_this_terminal, nobody
from moslm.cli.identity import Identity
from moslm.cli.review import at_the_terminal
from moslm.context import MoSLMContext
from moslm.errors import RequestError

REFUND = {"name": "refund", "args": {"order": "10482", "cents": 2000}, "description": "smollm2 wants to refund"}
ALL = ["approve", "edit", "reject", "respond"]


def answered(*typed, allowed=ALL, requests=(REFUND,), **more):
    lines = iter(typed)
    question = {
        "action_requests": list(requests),
        "review_configs": [{"action_name": "refund", "allowed_decisions": allowed}],
        **more,
    }
    return at_the_terminal(question, lambda text: next(lines))["decisions"]


@pytest.mark.parametrize(
    ("typed", "decision"),
    [
        (["y"], {"type": "approve"}),
        (["YES"], {"type": "approve"}),
        (["n", ""], {"type": "reject"}),
        (["n", "too much"], {"type": "reject", "message": "too much"}),
        (
            ["e", '{"cents": 1500}'],
            {"type": "edit", "edited_action": {"name": "refund", "args": {"order": "10482", "cents": 1500}}},
        ),
        (["r", "done by hand"], {"type": "respond", "message": "done by hand"}),
        (["x", "", "y"], {"type": "approve"}),
        (["e", "no json", "e", "[1]", "y"], {"type": "approve"}),
        (["r", " ", "y"], {"type": "approve"}),
        (["yesterday", "no idea", "n", ""], {"type": "reject"}),
    ],
)
def test_each_letter_is_a_decision_and_what_does_not_fit_is_asked_again(typed, decision):
    assert answered(*typed) == [decision]


def test_a_draft_is_edited_in_words():
    draft = {"name": "refund", "args": {"question": "When?", "draft": "Perhaps today."}}
    (decision,) = answered("e", " ", "e", "On Monday.", requests=(draft,))
    assert decision["edited_action"]["args"] == {"question": "When?", "draft": "On Monday."}


def test_the_person_sees_until_when_it_can_be_decided_and_that_it_was_decided_before(capsys):
    answered("y", expires_at="2026-11-27T10:00:00.000+00:00", decided_before="decided by ann at 2026-11-26T10:00")
    shown = capsys.readouterr().out
    assert "To be decided until 2026-11-27 10:00 UTC." in shown
    assert "This was decided by ann at 2026-11-26T10:00; to approve it is to do it again." in shown


def test_only_what_is_allowed_can_be_decided():
    assert answered("e", "y", allowed=["approve", "reject"]) == [{"type": "approve"}]


def test_every_action_is_asked_about():
    assert answered("y", "n", "", requests=(REFUND, REFUND)) == [{"type": "approve"}, {"type": "reject"}]


def test_the_person_sees_what_is_asked_and_what_did_not_fit(capsys):
    hostile = {**REFUND, "args": {"note": "\x1b[2J"}}
    answered("y", requests=(hostile,), problem="2 decisions are needed")
    shown = capsys.readouterr().out
    assert "That did not fit: 2 decisions are needed" in shown
    assert "smollm2 wants to refund" in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize("name", ["show_draft", "answer_customer", "escalate_to_large_model", "answer_at_cap"])
def test_where_nobody_sits_at_the_terminal_no_role_is_offered_that_would_not_help(name):
    with pytest.raises(RequestError) as caught:
        nobody({"action_requests": [{"name": name, "args": {}}]})
    assert "--role" not in str(caught.value)


def test_whoever_sits_at_the_terminal_decides_as_a_reviewer_at_least():
    assert at_this_terminal(MoSLMContext(), Identity()).role == "reviewer"
    assert at_this_terminal(MoSLMContext(role="admin"), Identity()).role == "admin"
