"""A run in which every text is a canary, and a look through all bytes below a folder."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from runs import answered, command, sheet, write_run  # noqa: F401
from smith import smith  # noqa: F401

CANARIES = (
    "CANARY-QUESTION",
    "CANARY-ANSWER",
    "CANARY-WHY",
    "CANARY-TAG",
    "CANARY-DECISION",
    "CANARY-COMMENT",
    "CANARY-PAGE",
)


@pytest.fixture
def canaries():
    return [each.encode() for each in CANARIES]


@pytest.fixture
def run_of_canaries(write_run, decision):  # noqa: F811
    """A run of two systems whose questions, answers, reasons, tags, ratings and page each hold a canary."""
    told = {
        "answer": "It is 140, CANARY-ANSWER.",
        "why": "CANARY-WHY",
        "tags": {"review_why": "CANARY-TAG", "task": "sum"},
    }
    answers = {
        "one CANARY-QUESTION": {"moslm": {**told, "decision": decision}, "large": {**told, "way": "escalated"}},
        "two CANARY-QUESTION": {"moslm": {**told, "ending": "wrong", "score": 0.0}},
    }
    folder = write_run(answers, ids={"one CANARY-QUESTION": "1", "two CANARY-QUESTION": "2"})
    (folder / "ratings.jsonl").write_text(
        json.dumps(
            {
                "row": "r",
                "suite": "mine",
                "case": "1",
                "answer_sha256": "0",
                "rater": "Ana",
                "verdict": "right",
                "comment": "CANARY-COMMENT",
            }
        )
        + "\n"
    )
    (folder / "report.html").write_text("<p>CANARY-PAGE</p>")
    return folder


@pytest.fixture
def decision(moslm):
    """A real Decision, with a canary where a Decision quotes the request."""
    found = moslm({"finance": "The finance answer."}).invoke({"messages": [("user", "What is my budget?")]})["decision"]
    found["classification"]["asked_for"] = "CANARY-DECISION"
    return found


@pytest.fixture
def bytes_below():
    """Return every byte and every name below a folder."""

    def read(folder: Path) -> bytes:
        files = [file for file in folder.rglob("*") if file.is_file()]
        return b"\n".join([*(str(file).encode() for file in files), *(file.read_bytes() for file in files)])

    return read
