"""From a person's words to the company's database and back: shipped domains, shipped tools, the real classifier."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, InvalidToolCall
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from sqlalchemy import select

from moslm import Config, create_moslm
from moslm.config import DomainSettings, McpServer
from moslm.tools.company import open_company
from moslm.tools.schema import refunds, tickets

THREAD: Any = {"configurable": {"thread_id": "t"}}
APPROVE: Any = Command(resume={"decisions": [{"type": "approve"}]})
WANTS_MONEY_BACK = "Please refund 49.90 euros for order 10305, the tent came without a pole."
REFUND = {"order_id": 10305, "amount": 49.9, "reason": "tent pole missing"}


def call(name: str, *, id: str = "call-1", **args: Any) -> AIMessage:
    return AIMessage("", tool_calls=[{"name": name, "args": args, "id": id}])


@pytest.fixture
def company(scripted):
    """Build the graph as it is shipped, but for one domain's model, which follows a script."""

    def build(domain: str, replies: Sequence[Any], *, config: Config | None = None, **options: Any) -> Any:
        model = scripted(list(replies))
        silent = scripted("Nobody should have asked me.")
        models = {name: silent for name in ("finance", "it_support", "customer_service")} | {domain: model}
        graph = create_moslm(config, models=models, **options)
        return graph.compile(name="moslm", checkpointer=InMemorySaver()), model

    return build


def asked(graph: Any, text: str, **options: Any) -> Any:
    return graph.invoke({"messages": [("user", text)]}, THREAD, **options)


def rows(table: Any) -> list[Any]:
    with open_company(Config()).engine.connect() as connection:
        return list(connection.execute(select(table)).mappings())


def refunds_of(order_id: int) -> list[int]:
    return [row["amount_cents"] for row in rows(refunds) if row["order_id"] == order_id]


def tool_answers(model: Any) -> list[str]:
    return [message.text for message in model.calls[-1] if message.type == "tool"]


def used(result: Any) -> list[tuple[str, str, str | None]]:
    return [(use["name"], use["outcome"], use["approved_by"]) for use in result["decision"]["drafts"][0]["tools"]]


def test_an_order_is_looked_up_without_asking_anybody(company):
    said = "Your rucksack left on 17 November."
    graph, model = company("customer_service", [call("order_status", order_id=10482), said])
    result = asked(graph, "Where is my order 10482? I have been waiting for days.")
    assert result["messages"][-1].text == said
    assert result["decision"]["domain"] == "customer_service"
    assert result["decision"]["outcome"] == "answered"
    assert "Rucksack Burren 45" in tool_answers(model)[0]
    assert used(result) == [("order_status", "done", None)]


def test_the_model_is_offered_the_tools_of_its_domain_and_no_others(company):
    graph, model = company("customer_service", ["It is on its way."])
    asked(graph, "Where is my order 10482?")
    offered = {tool["function"]["name"] for tool in model.tools_seen[0]}
    assert offered == {"search_handbook", "order_status", "return_eligibility", "refund"}


def test_a_refund_waits_for_a_person_and_is_then_paid_exactly_once(company):
    graph, model = company("customer_service", [call("refund", **REFUND), "49.90 euros are on their way."])
    paused = asked(graph, WANTS_MONEY_BACK)
    assert paused["__interrupt__"][0].value["action_requests"][0]["args"] == REFUND
    assert refunds_of(10305) == []
    result = graph.invoke(APPROVE, THREAD)
    assert refunds_of(10305) == [4990]
    assert result["messages"][-1].text == "49.90 euros are on their way."
    assert tool_answers(model) == [
        "Refund R-2: 49.90 EUR for order 10305 is on its way and arrives within 5 working days."
    ]
    assert used(result) == [("refund", "done", "person")]


def test_a_refund_that_was_paid_is_not_paid_again_when_the_approval_comes_twice(company):
    graph, _ = company("customer_service", [call("refund", **REFUND), "49.90 euros are on their way."])
    asked(graph, WANTS_MONEY_BACK)
    first = graph.invoke(APPROVE, THREAD)
    second = graph.invoke(APPROVE, THREAD)
    assert refunds_of(10305) == [4990]
    assert [message.id for message in second["messages"]] == [message.id for message in first["messages"]]


def test_a_refund_that_was_paid_is_not_paid_again_when_the_run_is_repeated_from_its_checkpoint(company):
    graph, _ = company("customer_service", [call("refund", **REFUND), "49.90 euros are on their way."])
    asked(graph, WANTS_MONEY_BACK)
    graph.invoke(APPROVE, THREAD)
    before = next(state for state in graph.get_state_history(THREAD) if state.next == ("answer",))
    again = graph.invoke(None, before.config)
    assert refunds_of(10305) == [4990]
    assert again["messages"][-1].text == "49.90 euros are on their way."


def test_a_model_that_dies_after_the_refund_leaves_one_row_and_a_reason(company, scripted):
    graph, _ = company("customer_service", [call("refund", **REFUND), ConnectionError("gone")])
    asked(graph, WANTS_MONEY_BACK)
    result = graph.invoke(APPROVE, THREAD)
    assert refunds_of(10305) == [4990]
    assert result["decision"]["outcome"] == "handed_over"
    assert used(result) == [("refund", "done", "person")]
    assert result["messages"][-1].text.endswith("Already done: refund.")


def test_a_refund_before_a_doubtful_draft_is_told_with_the_large_models_answer(company, scripted):
    models = {"customer_service": scripted([call("refund", **REFUND), "Perhaps."], 0.3)}
    large = scripted("I cannot make refunds myself.", 0.9)
    graph = create_moslm(models=models, large_model=large).compile(checkpointer=InMemorySaver())
    asked(graph, WANTS_MONEY_BACK)
    text = graph.invoke(APPROVE, THREAD)["messages"][-1].text
    assert refunds_of(10305) == [4990]
    assert text == "I cannot make refunds myself.\n\nAlready done: refund."


def test_a_write_that_is_given_up_at_its_deadline_is_recorded_as_unknown_and_told(company):
    release, done = threading.Event(), threading.Event()

    @tool
    def refund(order_id: int, amount: float, reason: str) -> str:
        """Pay money back, slowly."""
        release.wait(30)
        done.set()
        return "paid"

    refund.metadata = {"effect": "write"}
    config = Config(domains={"customer_service": DomainSettings(deadline_ms=300)})
    script = [call("refund", **REFUND), "Never said."]
    graph, _ = company("customer_service", script, config=config, tools=[refund])
    result = asked(graph, WANTS_MONEY_BACK, context={"role": "operator"})
    release.set()
    assert done.wait(5)
    assert used(result) == [("refund", "unknown", "operator")]
    assert result["decision"]["drafts"][0]["error"] == "timeout"
    assert result["messages"][-1].text.endswith("Perhaps done, please check: refund.")


def test_a_rejected_refund_is_never_paid_and_the_model_hears_why(company):
    graph, model = company("customer_service", [call("refund", **REFUND), "A colleague has declined that."])
    asked(graph, WANTS_MONEY_BACK)
    no = Command(resume={"decisions": [{"type": "reject", "message": "the pole was in the bag"}]})
    result = graph.invoke(no, THREAD)
    assert refunds_of(10305) == []
    assert tool_answers(model) == ["the pole was in the bag"]
    assert used(result) == [("refund", "rejected", "person")]


def test_two_refunds_of_one_answer_are_decided_each_for_itself_though_the_server_gives_them_one_id(company):
    both = AIMessage(
        "",
        tool_calls=[
            {"name": "refund", "args": REFUND, "id": "call-1"},
            {"name": "refund", "args": {**REFUND, "amount": 100}, "id": "call-1"},
        ],
    )
    graph, _ = company("customer_service", [both, "One of them was made."])
    asked(graph, WANTS_MONEY_BACK)
    graph.invoke(Command(resume={"decisions": [{"type": "approve"}, {"type": "reject"}]}), THREAD)
    assert refunds_of(10305) == [4990]


def test_two_domains_whose_servers_number_their_calls_alike_are_decided_each_for_itself(company, scripted):
    models = {
        "customer_service": scripted([call("refund", **REFUND), "Paid."]),
        "it_support": scripted([call("open_ticket", summary="Laptop does not start"), "Opened."]),
        "finance": scripted("Nobody should have asked me."),
    }
    graph = create_moslm(Config(multi_domain="fan_out"), models=models).compile(checkpointer=InMemorySaver())
    paused = asked(graph, f"{WANTS_MONEY_BACK} And my work laptop does not start, please open an IT ticket.")
    names = [request["name"] for request in paused["__interrupt__"][0].value["action_requests"]]
    assert sorted(names) == ["open_ticket", "refund"]
    answers = [{"type": "approve" if name == "open_ticket" else "reject"} for name in names]
    graph.invoke(Command(resume={"decisions": answers}), THREAD)
    assert refunds_of(10305) == []
    assert len([row for row in rows(tickets) if row["status"] == "new"]) == 1


def test_an_operator_opens_a_ticket_without_asking_anybody(company):
    wish = call("open_ticket", summary="VPN drops every few minutes", urgency="high")
    graph, model = company("it_support", [wish, "Your ticket is open."])
    result = asked(graph, "My VPN drops every few minutes, please open a ticket", context={"role": "operator"})
    assert "__interrupt__" not in result
    assert [row["summary"] for row in rows(tickets) if row["status"] == "new"] == ["VPN drops every few minutes"]
    assert tool_answers(model)[0].startswith("Ticket INC-")
    assert used(result) == [("open_ticket", "done", "operator")]


def test_who_may_not_ask_is_refused_before_anything_is_read(company):
    graph, _ = company("it_support", ["Open."])
    decision = asked(graph, "My VPN drops every few minutes", context={"role": "auditor"})["decision"]
    assert (decision["outcome"], decision["refusal"]) == ("refused", "The role auditor may not ask.")
    assert decision["usage"] == []


@pytest.mark.parametrize("role", ["user", "reviewer"])
def test_nobody_else_opens_a_ticket_without_a_person(company, role):
    graph, _ = company("it_support", [call("open_ticket", summary="VPN drops every few minutes"), "Open."])
    result = asked(graph, "My VPN drops every few minutes, please open a ticket", context={"role": role})
    assert result["__interrupt__"][0].value["action_requests"][0]["name"] == "open_ticket"
    assert not [row for row in rows(tickets) if row["status"] == "new"]


async def test_finance_reads_the_budget_and_calculates_exactly_under_ainvoke(company):
    both = AIMessage(
        "",
        tool_calls=[
            {"name": "budget_status", "args": {"cost_centre": "Marketing", "quarter": 4}, "id": "1"},
            {"name": "calculate", "args": {"expression": "0.1 + 0.2"}, "id": "2"},
        ],
    )
    graph, model = company("finance", [both, "32,725 euros are left."])
    question = {"messages": [("user", "How much of the marketing budget is left this quarter?")]}
    result = await graph.ainvoke(question, THREAD)
    budget, total = tool_answers(model)
    assert budget.endswith("32,725.00 EUR left.")
    assert total == "0.3"
    assert result["decision"]["domain"] == "finance"
    assert {name for name, outcome, _ in used(result) if outcome == "done"} == {"budget_status", "calculate"}


def test_a_call_that_cannot_be_read_is_answered_with_how_to_call(company):
    broken = InvalidToolCall(name="order_status", args="10482", id="1", error="not an object")
    graph, model = company(
        "customer_service",
        [AIMessage("", invalid_tool_calls=[broken]), call("order_status", order_id=10482), "On its way."],
    )
    result = asked(graph, "Where is my order 10482?")
    assert tool_answers(model)[0] == "order_status takes a JSON object with order_id (whole number)."
    assert "Rucksack" in tool_answers(model)[1]
    assert result["messages"][-1].text == "On its way."


def test_arguments_that_do_not_fit_are_named_to_the_model_and_nothing_is_written(company):
    graph, model = company("customer_service", [call("refund", order_id=10305), "How much was it?"])
    asked(graph, WANTS_MONEY_BACK)
    result = graph.invoke(APPROVE, THREAD)
    assert "amount is missing" in tool_answers(model)[0]
    assert refunds_of(10305) == []
    assert used(result) == [("refund", "failed", "person")]


def test_a_tool_that_does_not_exist_is_told_to_the_model_and_no_person_is_asked(company):
    graph, model = company("customer_service", [call("drop_tables"), "I cannot do that."])
    result = asked(graph, "Where is my order 10482?")
    assert "drop_tables" in tool_answers(model)[0]
    assert used(result) == [("drop_tables", "failed", None)]


def test_a_model_that_may_use_tools_can_be_kept_to_passages(company):
    config = Config(domains={"finance": DomainSettings(use_tools="never")})
    graph, model = company("finance", ["140 euros."], config=config)
    result = asked(graph, "How much may a hotel cost per night on a business trip?")
    assert model.tools_seen == [[]]
    assert "Notes:" in model.calls[0][-1].text
    assert result["decision"]["drafts"][0]["passages"]


def test_a_tool_of_an_mcp_server_reads_at_once_and_writes_when_a_person_allows_it(company):
    program = Path(__file__).parents[1] / "tools" / "mcp_weather_server.py"
    weather = McpServer(
        command=sys.executable, args=[str(program)], domains=["customer_service"], effects={"forecast": "read"}
    )
    script = [
        call("weather_forecast", id="1", city="Galway"),
        call("weather_order_sunshine", id="2", city="Galway"),
        "The sun will shine.",
    ]
    graph, model = company("customer_service", script, config=Config(mcp={"weather": weather}))
    paused = asked(graph, "Where is my order 10482?")
    assert paused["__interrupt__"][0].value["action_requests"][0]["name"] == "weather_order_sunshine"
    result = graph.invoke(APPROVE, THREAD)
    assert tool_answers(model) == ["Galway: rain for 1 days", "sunshine for Galway"]
    assert used(result) == [("weather_forecast", "done", None), ("weather_order_sunshine", "done", "person")]
