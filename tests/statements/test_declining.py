from __future__ import annotations

import pytest

from moslm.statements.declining import declines


@pytest.mark.parametrize(
    "text",
    [
        "I do not know; please ask the finance team.",
        "I don\u2019t know.",
        "Sorry, I don't have that information.",
        "We cannot say from these notes.",
        "I'm not sure about that.",
        "The notes do not say it.",
        "Yes, I do not know; please ask the team.",
    ],
)
def test_a_draft_that_does_not_know_declines(text):
    assert declines(text)


@pytest.mark.parametrize(
    "text",
    [
        "Hotels are paid up to 140 euros.",
        "If you do not know your number, ask the desk.",
        "You cannot return opened food.",
        "I can say that it takes 4 days.",
        "",
    ],
)
def test_a_draft_that_answers_does_not(text):
    assert not declines(text)
