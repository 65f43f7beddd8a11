"""LoRA adapters that come and go while their server runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from adapting import OPENINGS
from served import Served, until

ORDER: Any = {"messages": [("user", "How long do I have to return an order?")]}


@pytest.fixture
def with_its_own(graph: Any, served_model: Any) -> Any:
    """A graph whose customer service asks for an adapter that the servers did not start with."""
    return graph({"customer_service": served_model(lora="customer_service", max_tokens=12)})


@pytest.fixture
def without_it_support(served: Served) -> Iterator[None]:
    """The servers without one of their adapters, whose place is free for another."""
    for replica in (0, 1):
        assert served.post(replica, "unload_lora_adapter", lora_name="it_support")[0] == 200
    yield
    for replica, seen in enumerate(served.seen()):
        if "it_support" not in seen.models:
            load(served, replica, "it_support")


def load(served: Served, replica: int, name: str) -> None:
    """Load the adapter of IT support under a name."""
    folder = served.settings.adapters["it_support"]
    assert served.post(replica, "load_lora_adapter", lora_name=name, lora_path=folder)[0] == 200


@pytest.mark.usefixtures("without_it_support")
def test_an_adapter_answers_once_it_is_loaded_and_no_longer_once_it_is_unloaded(served, with_its_own):
    before = with_its_own.invoke(ORDER)["decision"]
    assert (before["outcome"], before["drafts"][0]["error"]) == ("escalated", "garbled")
    assert "does not know the model" in before["reasons"][0]["detail"]
    for replica in (0, 1):
        load(served, replica, "customer_service")
    result = with_its_own.invoke(ORDER)
    assert result["decision"]["outcome"] == "answered"
    assert result["messages"][-1].text.startswith(OPENINGS["it_support"])
    for replica in (0, 1):
        assert served.post(replica, "unload_lora_adapter", lora_name="customer_service")[0] == 200
    assert with_its_own.invoke(ORDER)["decision"]["outcome"] == "escalated"


@pytest.mark.usefixtures("without_it_support")
def test_a_replica_that_lost_an_adapter_is_shown_as_unwell_until_it_has_it_again(served):
    until(lambda: all(f"small/{each}  unwell: no longer serves it_support" in served.said for each in (0, 1)), 60)
    healthy = served.said.count("  healthy: ")
    for replica in (0, 1):
        load(served, replica, "it_support")
    until(lambda: served.said.count("  healthy: ") == healthy + 2, 60)
