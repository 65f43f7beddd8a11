from __future__ import annotations

from pathlib import Path

SNAPSHOT = Path(__file__).with_name("graph.mmd")


def test_every_edge_is_drawn_as_the_snapshot_shows(moslm):
    drawn = moslm().get_graph().draw_mermaid()
    assert drawn == SNAPSHOT.read_text()


def test_every_node_is_drawn_with_its_room(moslm):
    nodes = moslm().get_graph().nodes
    steps = ["screen", "recall", "classify", "check_request", "answer", "check_draft", "escalate", "review", "respond"]
    assert [name for name in nodes if not name.startswith("__")] == steps
    assert all(nodes[name].metadata["room"] for name in steps)
