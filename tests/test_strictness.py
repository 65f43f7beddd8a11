"""However MoSLM is reached, a row of a checkpoint cannot make Python call what it names."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

CRAFTED = """
import os, pathlib, sys, ormsgpack
mark = pathlib.Path(sys.argv[1])
row = ("msgpack", ormsgpack.packb(ormsgpack.Ext(0, ormsgpack.packb(("os", "system", f"touch {mark}")))))
def holds(saver):
    saver.serde.loads_typed(row)
    assert not mark.exists(), "the row was executed"
"""


def run(tmp_path, code, **variables):
    """Run in a process of its own, because LangGraph reads the variable once."""
    environment = {k: v for k, v in os.environ.items() if k != "LANGGRAPH_STRICT_MSGPACK"}
    command = [sys.executable, "-c", CRAFTED + textwrap.dedent(code), str(tmp_path / "executed")]
    environment |= {"MOSLM_HOME": str(tmp_path), **variables}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


BUILD = """
from moslm import Config, create_moslm
scripted = {"model": {"kind": "scripted"}}
config = Config.model_validate({"defaults": scripted, "only_domains": ["finance"]})
"""


def test_without_moslm_the_row_is_executed(tmp_path):
    said = run(tmp_path, "from langgraph.checkpoint.memory import InMemorySaver\nholds(InMemorySaver())")
    assert "the row was executed" in said.stderr


def test_importing_moslm_first_is_enough(tmp_path):
    said = run(tmp_path, "import moslm\nfrom langgraph.checkpoint.memory import InMemorySaver\nholds(InMemorySaver())")
    assert said.returncode == 0, said.stderr


def test_building_a_graph_is_enough_where_langgraph_came_first_and_the_saver_too(tmp_path):
    code = f"""
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
early = InMemorySaver()
{BUILD}
create_moslm(config)
holds(early)
holds(InMemorySaver())
holds(InMemorySaver(serde=JsonPlusSerializer()))
"""
    said = run(tmp_path, code)
    assert said.returncode == 0, said.stderr


def test_a_parents_own_types_still_come_back_where_langgraph_came_first(tmp_path):
    (tmp_path / "parent.py").write_text("from dataclasses import dataclass\n\n@dataclass\nclass Order:\n    id: int\n")
    code = f"""
from typing import TypedDict
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
sys.path.insert(0, {str(tmp_path)!r})
from parent import Order
class State(TypedDict):
    order: Order
{BUILD}
create_moslm(config)
graph = StateGraph(State)
graph.add_node("make", lambda state: {{"order": Order(7)}})
graph.add_edge(START, "make")
built = graph.compile(checkpointer=InMemorySaver())
at = {{"configurable": {{"thread_id": "1"}}}}
built.invoke({{"order": None}}, at)
assert built.get_state(at).values["order"] == Order(7), built.get_state(at).values
"""
    said = run(tmp_path, code)
    assert said.returncode == 0, said.stderr


@pytest.mark.parametrize(
    "order", ["{build}create_moslm(config)", "import langgraph.graph\n{build}create_moslm(config)"]
)
def test_somebody_who_switched_it_off_is_told(tmp_path, order):
    said = run(tmp_path, order.format(build=BUILD), LANGGRAPH_STRICT_MSGPACK="false")
    told = "environment: LANGGRAPH_STRICT_MSGPACK = 'false': rows of a checkpoint could run code; set it to true"
    assert said.stderr.strip().endswith(told)


def test_the_command_line_is_strict(tmp_path):
    code = """
from moslm.cli import main
main(["--version"])
from langgraph.checkpoint.memory import InMemorySaver
holds(InMemorySaver())
"""
    said = run(tmp_path, code)
    assert said.returncode == 0, said.stderr
