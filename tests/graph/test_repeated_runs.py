"""A run that is repeated from a checkpoint: nothing is lost, nothing is recorded twice, nothing recorded is changed."""

from __future__ import annotations

from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from moslm import Decision
from moslm.governance.audit import AuditLog

THREAD: Any = {"configurable": {"thread_id": "t"}}
QUESTION: Any = {"messages": [("user", "What is my budget?")]}


class LosesTheAnswer(InMemorySaver):
    """Fails once, when the answer was given and is to be kept: as if the process had died after the audit log."""

    failed = False

    def put_writes(self, config: Any, writes: Any, task_id: str, task_path: str = "") -> None:
        if not self.failed and any(channel == "decision" and value for channel, value in writes):
            self.failed = True
            raise OSError("the disk is gone")
        super().put_writes(config, writes, task_id, task_path)


def records(home: Any) -> list[Decision]:
    return list(AuditLog(home / "audit.sqlite").list())


def test_a_run_that_died_after_its_record_was_kept_goes_on_and_is_recorded_once(moslm, home):
    graph = moslm({"finance": "Forty."}, checkpointer=LosesTheAnswer())
    with pytest.raises(OSError, match="the disk is gone"):
        graph.invoke(QUESTION, THREAD, durability="sync")
    first = records(home)
    result = graph.invoke(None, THREAD)
    assert result["messages"][-1].text == "Forty."
    assert records(home) == first
    assert result["decision"] == first[0].plain()


def test_a_run_repeated_from_an_earlier_step_is_another_decision_and_changes_no_record(moslm, home):
    graph = moslm({"finance": ["Forty.", "Fifty."]}, checkpointer=InMemorySaver())
    first = graph.invoke(QUESTION, THREAD)["decision"]
    before = next(state for state in graph.get_state_history(THREAD) if state.next == ("answer",))
    again = graph.invoke(None, before.config)
    assert again["messages"][-1].text == "Fifty."
    assert again["messages"][-1].id == f"moslm-{again['decision']['id']}"
    kept = {each.id: each for each in records(home)}
    assert set(kept) == {first["id"], again["decision"]["id"]}
    assert kept[first["id"]].plain() == first
