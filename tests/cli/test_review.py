import pytest

from moslm.cli.review import at_the_terminal

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
