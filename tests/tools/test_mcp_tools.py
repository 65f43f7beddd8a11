from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
from langchain_core.messages import AIMessage

from moslm.config import McpServer
from moslm.errors import BackendDown, ConfigError, MissingExtraError
from moslm.tools import effect_of, load_mcp_tools

SERVER = str(Path(__file__).with_name("mcp_weather_server.py"))


def weather(*more: str, **settings: object) -> McpServer:
    return McpServer.model_validate({"command": sys.executable, "args": [SERVER, *more], **settings})


@pytest.fixture(scope="module")
def tools():
    loaded = load_mcp_tools({"weather": weather(effects={"forecast": "read"})}, deadline_s=20)
    return {each.name: each for each in loaded["weather"]}


def test_effects_come_from_the_configuration_and_the_rest_are_writes(tools):
    effects = {name: effect_of(each) for name, each in tools.items()}
    assert effects == {"weather_forecast": "read", "weather_order_sunshine": "write"}


def test_a_tool_works_from_plain_code(tools, run):
    assert run(tools["weather_forecast"])(city="Galway", days=3) == "Galway: rain for 3 days"


async def test_a_tool_works_inside_a_running_loop(tools, run):
    call = {"name": "weather_forecast", "args": {"city": "Cork"}, "id": "1", "type": "tool_call"}
    graph = run(tools["weather_forecast"]).graph
    state = {"messages": [AIMessage("", tool_calls=[call])]}
    found = await graph.ainvoke(state, {"configurable": {"thread_id": "1"}})
    assert found["messages"][-1].text == "Cork: rain for 1 days"


async def test_servers_are_loaded_inside_a_running_loop_too():
    loaded = load_mcp_tools({"weather": weather()}, deadline_s=20)
    assert {effect_of(each) for each in loaded["weather"]} == {"write"}


def test_a_call_the_server_refuses_says_how_to_call_and_nothing_of_the_server(tools, run, caplog):
    for args in ({"city": "nowhere"}, {"days": 2}):
        said = run(tools["weather_forecast"]).message(**args)
        assert said.status == "error"
        assert said.text == (
            "weather_forecast refused the call. weather_forecast takes a JSON object with city (text),"
            " days (whole number, optional)."
        )
    assert "hunter2" in caplog.text


def test_a_call_is_given_up_at_its_deadline(run):
    loaded = load_mcp_tools({"weather": weather()}, deadline_s=4)["weather"]
    started = time.monotonic()
    said = run(loaded[0]).message(city="slow")
    assert said.status == "error"
    assert said.text.startswith("The tool took too long")
    assert time.monotonic() - started < 12


def test_a_server_that_says_nothing_is_given_up():
    started = time.monotonic()
    with pytest.raises(BackendDown) as failed:
        load_mcp_tools({"weather": weather("--mute")}, deadline_s=1, file="moslm.toml")
    assert time.monotonic() - started < 10
    assert str(failed.value) == (
        f"moslm.toml: mcp.weather.command = {sys.executable!r}: no MCP server answers within 1 s;"
        " run the command by hand to see why, or remove the section"
    )


def test_a_program_that_ends_at_once_does_not_answer():
    server = McpServer(command=sys.executable, args=["-c", "pass", "--token=hunter2"])
    with pytest.raises(BackendDown, match=r"^mcp\.weather\.command = .*: no MCP server answers; run") as failed:
        load_mcp_tools({"weather": server}, deadline_s=10)
    assert "hunter2" not in str(failed.value)


def test_a_program_that_does_not_exist_is_named():
    with pytest.raises(ConfigError) as refused:
        load_mcp_tools({"weather": McpServer(command="no-such-program")}, file="moslm.toml")
    assert str(refused.value) == (
        "moslm.toml: mcp.weather.command = 'no-such-program': no such program; name a program that can be run"
    )


@pytest.mark.loopback
def test_an_address_where_nobody_listens_does_not_answer():
    server = McpServer(transport="streamable_http", url="http://me:hunter2@127.0.0.1:9/mcp?key=hunter2")
    with pytest.raises(BackendDown) as failed:
        load_mcp_tools({"far": server}, deadline_s=10)
    assert str(failed.value) == (
        "mcp.far.url = 'http://127.0.0.1:9/mcp': no MCP server answers;"
        " start the server, correct the address or the transport, or remove the section"
    )


def test_an_effect_of_a_tool_that_is_not_there_is_refused():
    with pytest.raises(ConfigError) as refused:
        load_mcp_tools({"weather": weather(effects={"forcast": "read"})}, deadline_s=20)
    assert str(refused.value) == (
        "mcp.weather.effects.forcast = 'read': the server has no such tool; did you mean forecast?"
    )


def test_a_server_name_no_model_can_call_is_refused():
    with pytest.raises(ConfigError, match="gives the tool a name no model can call"):
        load_mcp_tools({"the weather": weather()}, deadline_s=20)


def test_without_servers_nothing_is_needed(monkeypatch):
    monkeypatch.setitem(sys.modules, "langchain_mcp_adapters", None)
    monkeypatch.delitem(sys.modules, "langchain_mcp_adapters.client", raising=False)
    assert load_mcp_tools({}) == {}
    with pytest.raises(MissingExtraError, match=r"pip install 'moslm\[mcp\]'"):
        load_mcp_tools({"weather": weather()})
