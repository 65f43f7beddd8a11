from __future__ import annotations

import sys

import pytest
from langchain_core.tools import tool

from moslm.config import Config, DomainSettings
from moslm.domains import load_domains
from moslm.errors import ConfigError
from moslm.tools import TOOLS, Toolbox, build_toolbox, safe_tool_error, shared_company


def domains(config: Config):
    return load_domains(config)


def test_each_shipped_domain_gets_its_tools_with_their_effects(company):
    config = Config()
    boxes = {name: build_toolbox(domain, config, company=lambda: company) for name, domain in domains(config).items()}
    effects = {name: effect for box in boxes.values() for name, effect in box.effects.items()}
    assert set(effects) == set(TOOLS)
    assert [name for name, effect in effects.items() if effect == "write"] == ["refund", "open_ticket"]
    assert boxes["complex_reasoning"].tools == ()
    assert all(each.name == name for box in boxes.values() for name, each in zip(box.effects, box.tools, strict=True))


def test_every_tool_and_argument_is_described_for_the_model(company):
    config = Config()
    for domain in domains(config).values():
        for each in build_toolbox(domain, config, company=lambda: company).tools:
            assert 20 < len(each.description) < 160
            properties = each.tool_call_schema.model_json_schema()["properties"]
            assert all(details.get("description") for details in properties.values()), each.name


def test_the_database_is_opened_only_if_a_tool_needs_it():
    def never():
        raise AssertionError("opened")

    config = Config(domains={"finance": DomainSettings(tools=["calculate", "search_handbook"])})
    box = build_toolbox(domains(config)["finance"], config, company=never)
    assert [each.name for each in box.tools] == ["calculate", "search_handbook"]


def test_a_toolbox_over_the_sample_company_makes_no_file_before_a_tool_is_called(home):
    config = Config()
    company = shared_company(config)
    box = build_toolbox(domains(config)["finance"], config, company=company)
    assert not (home / "company.sqlite").exists()
    budget = next(each for each in box.tools if each.name == "budget_status")
    assert "2200" in budget.invoke({"cost_centre": 2200, "quarter": 3})
    assert (home / "company.sqlite").is_file()
    company().engine.dispose()


def test_several_toolboxes_share_one_database(company):
    opened = shared_company(Config())
    assert opened() is opened()
    opened().engine.dispose()


def test_a_model_that_calls_no_tools_gets_the_handbook_alone():
    config = Config()
    finance = domains(config)["finance"]
    for box in (build_toolbox(finance, config, calls_tools=False), Toolbox.empty(finance)):
        assert box.tools == ()
        assert box.handbook.search("per diem", 1)
        assert box.on_error is safe_tool_error


@pytest.mark.parametrize("calls_tools", [True, False])
def test_an_unknown_tool_is_refused_with_a_suggestion(calls_tools):
    config = Config(domains={"finance": DomainSettings(tools=["budget_statis"])})
    with pytest.raises(ConfigError) as refused:
        build_toolbox(domains(config)["finance"], config, calls_tools=calls_tools, file="moslm.toml")
    assert str(refused.value) == (
        "moslm.toml: domains.finance.tools = 'budget_statis': no such tool; did you mean budget_status?"
    )


def test_an_unknown_tool_in_a_domains_own_file_names_that_file(tmp_path):
    folder = tmp_path / "domains" / "legal"
    folder.mkdir(parents=True)
    (folder / "domain.toml").write_text('title = "L"\ndescription = "L"\ntools = ["zzz"]')
    (folder / "prompt.md").write_text("x")
    (folder / "examples.jsonl").write_text('{"text": "x"}')
    config = Config(domain_folders=[folder.parent])
    with pytest.raises(ConfigError) as refused:
        build_toolbox(domains(config)["legal"], config)
    assert str(refused.value).startswith(
        f"{folder / 'domain.toml'}: tools = 'zzz': no such tool; there are search_hand"
    )


@tool
def calculate(expression: str) -> str:
    """Calculate in some other way."""
    return "42"


@tool
def pay(amount: int) -> str:
    """Pay an amount."""
    return "paid"


def test_tools_of_ones_own_are_used_by_the_domains_that_name_them(company):
    config = Config(domains={"finance": DomainSettings(tools=["pay", "calculate"])})
    box = build_toolbox(domains(config)["finance"], config, tools=[calculate, pay])
    assert box.tools == (pay, calculate)
    assert box.effects == {"pay": "write", "calculate": "write"}
    other = build_toolbox(domains(config)["it_support"], config, tools=[pay], company=lambda: company)
    assert pay not in other.tools


def test_tools_of_mcp_servers_go_to_the_domains_they_are_open_to():
    mcp = {"a": {"command": "x"}, "b": {"command": "x", "domains": ["it_support"]}}
    config = Config.model_validate({"mcp": mcp, "domains": {n: {"tools": []} for n in ("finance", "it_support")}})
    found = {
        name: [each.name for each in build_toolbox(domain, config, mcp={"a": [pay], "b": [calculate]}).tools]
        for name, domain in domains(config).items()
        if name in ("finance", "it_support")
    }
    assert found == {"finance": ["pay"], "it_support": ["pay", "calculate"]}


def test_importing_the_tools_loads_neither_database_nor_mcp():
    import subprocess

    code = "import sys, moslm.tools; print([m for m in ('sqlalchemy', 'mcp', 'httpx_sse') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
