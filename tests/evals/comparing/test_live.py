"""Live arms are told apart by the hash of their configuration, which every decision carries."""

import sys
from pathlib import Path

import pytest
from langgraph.graph import END, START, MessagesState, StateGraph

from moslm import Config, ScriptedChatModel, create_moslm
from moslm.errors import ConfigError
from moslm.evals.comparing.assigning import assigned
from moslm.evals.comparing.live import arrivals
from moslm.evals.comparing.sequential import sequence
from moslm.governance.audit import AuditLog, Filters

# tests run in importlib mode: what they share is found only if its folder is named
sys.path.insert(0, str(Path(__file__).parents[2] / "governance"))
from decision_samples import a_decision, an_unsure_decision

ARMS = {"a" * 64: "current", "b" * 64: "lower"}


def made(id: str, arm: str, thread: str, *, unsure: bool = False, minute: int = 0):
    make = an_unsure_decision if unsure else a_decision
    opened = f"2026-11-23T20:{minute:02}:00.000+00:00"
    return make(id=id, thread_id=thread, config_sha256=arm[0] * 64, opened_at=opened)


def test_a_conversation_counts_once_by_its_first_request() -> None:
    rows = [made("2", "b", "t", unsure=True, minute=5), made("1", "b", "t", minute=1), made("3", "a", "u", unsure=True)]
    found, told = arrivals(rows, ARMS, "escalated")
    assert [(each.arm, each.value) for each in found] == [("current", 1.0), ("lower", 0.0)]
    assert told.conversations == {"current": 1, "lower": 1}


def test_a_conversation_that_changed_its_arm_is_named_and_counts_for_nothing() -> None:
    found, told = arrivals([made("1", "a", "t"), made("2", "b", "t"), made("3", "c", "u")], ARMS, "kept")
    assert (found, told.crossed, told.elsewhere) == ([], ("acme/t",), 1)


def test_labels_arrive_in_their_own_order_and_the_rest_waits() -> None:
    rows = [made(str(n), "ab"[n % 2], f"t{n}", minute=n) for n in range(4)]
    found, told = arrivals(rows, ARMS, "label", labels={"3": 0.5, "0": 1.0, "unknown": 0.0})
    assert [(each.arm, each.value) for each in found] == [("lower", 0.5), ("current", 1.0)]
    assert told.unlabelled == 2


def test_a_split_that_is_not_what_was_ordered_is_told() -> None:
    even = [made(str(n), "ab"[n % 2], f"t{n}") for n in range(200)]
    uneven = [made(str(n), "a" if n % 4 else "b", f"t{n}") for n in range(200)]
    assert (arrivals(even, ARMS, "kept")[1].split_p or 0) > 0.5
    assert (arrivals(uneven, ARMS, "kept")[1].split_p or 1) < 0.001
    assert (arrivals(uneven, ARMS, "kept", shares=(0.75, 0.25))[1].split_p or 0) > 0.5


def test_a_measure_that_is_none_and_missing_labels_are_named() -> None:
    with pytest.raises(ConfigError, match="one of: kept, escalated, handed_over, in_time, label"):
        arrivals([], ARMS, "happiness")
    with pytest.raises(ConfigError, match="needs labels"):
        arrivals([], ARMS, "label")


async def test_two_configurations_run_side_by_side_in_one_graph_and_their_records_say_which(tmp_path: Path) -> None:
    shares = {"current": 0.5, "lower": 0.5}
    configs = {
        arm: Config.model_validate({"audit_file": str(tmp_path / "audit.sqlite"), "defaults": {"threshold": least}})
        for arm, least in (("current", 0.99), ("lower", 0.0))
    }
    model = ScriptedChatModel(replies=["The budget has 412 euros left."], confidence=0.5)

    def deal(state: MessagesState, config) -> str:
        return assigned(config["configurable"]["thread_id"], "threshold-0", shares)

    desk = StateGraph(MessagesState)
    for arm, own in configs.items():
        desk.add_node(arm, create_moslm(own, models={"finance": model}).compile(name=arm))
        desk.add_edge(arm, END)
    desk.add_conditional_edges(START, deal, list(configs))
    graph = desk.compile()
    threads = [f"thread-{n}" for n in range(6)]
    for thread in threads:
        await graph.ainvoke(
            {"messages": [("user", "How much is left in the travel budget?")]}, {"configurable": {"thread_id": thread}}
        )
    log = AuditLog(tmp_path / "audit.sqlite")
    decisions = log.list(Filters(limit=None))
    log.close()
    by_hash = {own.sha256: arm for arm, own in configs.items()}
    assert {each.thread_id: by_hash[each.config_sha256] for each in decisions} == {
        thread: assigned(thread, "threshold-0", shares) for thread in threads
    }
    found, told = arrivals(decisions, by_hash, "kept")
    assert sum(told.conversations.values()) == 6
    assert sequence(found, "current", "lower").verdict == "no difference found yet"
