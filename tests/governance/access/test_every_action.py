"""Every action that rules can deny is asked for somewhere: denied there, the thing is not done."""

from __future__ import annotations

import ast
import json
import time
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from moslm import Config, MoSLMContext
from moslm.cli import COMMANDS, main
from moslm.config import AccessSettings, DomainSettings
from moslm.governance.access.actions import ACTIONS, Caller
from moslm.governance.access.guard import Guard
from moslm.integrations.server_auth import _scope

ROOT = Path(__file__).resolve().parents[3]
SECRET = "a secret of forty characters and some more"
SETTINGS = """
[defaults.model]
kind = "scripted"
replies = ["The budget has 412 euros left."]
confidence = 0.95

[access]
{policies}

[access.jwt]
issuer = "https://id.example"
audience = "moslm"
algorithms = ["HS256"]
key_env = "JWT_KEY"
"""
ALL_BUT = 'permit (principal, action, resource);\nforbid (principal, action == Action::"{}", resource);\n'
DATA = {"ask", "chat", "demo", "log", "explain", "budget", "cost", "recall", "vault"}
"""Commands that read or change what belongs to tenants."""
MACHINE = {"classify", "api", "graph", "config", "doctor", "serve", "pull", "fit", "calibrate", "eval"}
"""Commands that set this machine up, or read nothing but what they are handed."""


def token(role="admin", tenant="acme", user="u1"):
    claims = {"iss": "https://id.example", "aud": "moslm", "exp": int(time.time()) + 600}
    given = {**claims, "tenant": tenant, "sub": user, "role": role}
    return jwt.encode({"alg": "HS256"}, given, OctKey.import_key(SECRET), algorithms=["HS256"])


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a moslm.toml under ``[access]``; returns how to deny an action."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JWT_KEY", SECRET)
    monkeypatch.delenv("MOSLM_TOKEN", raising=False)

    def denying(action):
        policies = tmp_path / "policies"
        policies.mkdir(exist_ok=True)
        text = ALL_BUT.format(action) if action else "permit (principal, action, resource);"
        (policies / "own.cedar").write_text(text)
        (tmp_path / "moslm.toml").write_text(SETTINGS.format(policies='policies = "policies"'))
        return Config(access=AccessSettings(policies=policies), domains={"finance": DomainSettings(tools=["pay"])})

    (tmp_path / "moslm.toml").write_text(SETTINGS.format(policies=""))
    return denying


@tool
def pay(amount: int) -> str:
    """Pay."""
    return f"paid {amount}"


def paying(moslm, scripted, config):
    call = AIMessage("", tool_calls=[{"name": "pay", "args": {"amount": 1}, "id": "c1"}])
    return moslm({"finance": scripted([call, "Paid."])}, tools=[pay], config=config, checkpointer=InMemorySaver())


def run(graph, given, **context):
    config = {"configurable": {"thread_id": "t"}}
    return graph.invoke(given, config, context=MoSLMContext(tenant="acme", user="u1", **context))


ASK = {"messages": [("user", "What is my budget?")]}


def command(*arguments):
    return lambda *_: main([*arguments, "--token", token()]) == 0


def escalates(config, moslm, scripted):
    graph = moslm(confidence=0.1, large="Large words.", tools=[pay], config=config, checkpointer=InMemorySaver())
    return run(graph, ASK)["decision"]["outcome"] == "escalated"


def writes(config, moslm, scripted):
    result = run(paying(moslm, scripted, config), ASK, role="operator")
    return "__interrupt__" not in result and result["decision"]["drafts"][0]["tools"][0]["outcome"] == "done"


def reviews(config, moslm, scripted):
    (config.access.policies / "z.cedar").write_text('forbid (principal, action == Action::"write_tool", resource);')
    graph = paying(moslm, scripted, config)
    run(graph, ASK)
    return "__interrupt__" not in run(graph, Command(resume={"decisions": [{"type": "approve"}]}), role="admin")


def configures(config, moslm, scripted):
    guard = Guard(config.access)
    return _scope(guard, Caller("acme", "u1", "admin"), "store", "put", {"namespace": ()}) is True


PLACES = {
    "ask": command("ask", "What is my budget?"),
    "escalate": escalates,
    "write_tool": writes,
    "review": reviews,
    "read_audit": command("log"),
    "read_budget": command("budget"),
    "purge": command("recall", "purge", "--all"),
    "configure": configures,
}


@pytest.mark.parametrize("action", ACTIONS)
def test_what_the_rules_deny_is_not_done_and_what_they_allow_is(action, here, moslm, scripted):
    assert PLACES[action](here(None), moslm, scripted)
    assert not PLACES[action](here(action), moslm, scripted)


def test_the_code_asks_for_every_action_and_for_none_that_does_not_exist():
    asked = {name for file in _sources() for name in _asked(ast.parse(file.read_text(encoding="utf-8")))}
    assert asked == set(ACTIONS)


def _sources():
    folders = (ROOT / each for each in ("src/moslm", "nodes", "graph", "studio"))
    return [file for folder in folders for file in folder.rglob("*.py") if "governance/access" not in str(file)]


def _asked(tree):
    """Yield every word that stands in a call of what asks the rules."""
    for call in ast.walk(tree):
        name = getattr(getattr(call, "func", None), "attr", getattr(getattr(call, "func", None), "id", ""))
        if isinstance(call, ast.Call) and name in ("allows", "must", "_must", "may"):
            words = [each for argument in call.args for each in ast.walk(argument) if isinstance(each, ast.Constant)]
            yield from (each.value for each in words if isinstance(each.value, str) and each.value.isidentifier())


class TestAtTheCommandLine:
    def test_every_command_is_known_to_touch_tenants_data_or_not_to(self):
        assert set(COMMANDS) == DATA | MACHINE
        for name in COMMANDS:
            text = (ROOT / "src" / Path(*COMMANDS[name][0].split(".")).with_suffix(".py")).read_text(encoding="utf-8")
            assert (("identified(" in text) or ("= caller(options)" in text)) == (name in DATA), name

    @pytest.mark.parametrize("name", sorted(DATA))
    def test_without_a_token_nothing_is_read(self, name, here, capsys):
        words = {
            "ask": ["hello"],
            "cost": ["--from-records"],
            "explain": ["last"],
            "recall": ["stats"],
            "vault": ["rotate"],
        }.get(name, [])
        assert main([name, *words]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert "[access.jwt] demands a token, and none was given; set MOSLM_TOKEN or pass --token" in said.err

    def test_the_page_of_live_traffic_is_of_the_callers_tenant_alone(self, here, capsys, monkeypatch):
        page = ["eval", "report", "--from-log", "--json"]
        assert main(page) == 2
        assert "[access.jwt] demands a token" in capsys.readouterr().err
        assert main(["ask", "What is my budget?", "--token", token()]) == 0
        capsys.readouterr()
        seen = []
        for tenant in ("acme", "rival"):
            assert main([*page, "--token", token(tenant=tenant)]) == 0
            seen.append(json.loads(capsys.readouterr().out)["requests"])
        assert seen == [1, 0]
        assert main([*page, "--token", token("user")]) == 2

    def test_a_token_from_the_environment_proves_as_much_and_a_strangers_nothing(self, here, capsys, monkeypatch):
        monkeypatch.setenv("MOSLM_TOKEN", token("auditor"))
        assert main(["log"]) == 0
        monkeypatch.setenv("MOSLM_TOKEN", token("auditor")[:-4])
        assert main(["log"]) == 2
        assert "the token is not accepted" in capsys.readouterr().err

    def test_one_tenants_records_caps_and_answers_are_never_anothers(self, here, capsys):
        assert main(["ask", "What is my budget?", "--json", "--token", token()]) == 0
        mine = json.loads(capsys.readouterr().out)["decision"]
        assert (mine["tenant"], mine["user"], mine["role"]) == ("acme", "u1", "admin")
        rival = ["--token", token(tenant="rival")]
        assert main(["log", *rival]) == 0
        assert mine["id"][:8] not in capsys.readouterr().out
        for words in (["explain", mine["id"]], ["log", "--tenant", "acme"], ["budget", "--tenant", "acme"]):
            assert main([*words, *rival]) == 2
        assert main(["recall", "purge", "--decision", mine["id"], *rival]) == 2
        assert main(["recall", "purge", "--all", *rival]) == 0
        assert capsys.readouterr().out == "0 remembered answers forgotten.\n"
        assert main(["recall", "stats", "--token", token()]) == 0
        assert capsys.readouterr().out.split()[-1] == "1"
        assert main(["budget", "--json", *rival]) == 0
        assert "total" not in json.loads(capsys.readouterr().out)
        assert main(["explain", "last", "--token", token()]) == 0

    @pytest.mark.parametrize("claim", [["--role", "admin"], ["--tenant", "rival"]])
    def test_nobody_claims_more_than_their_token_proves(self, here, capsys, claim):
        assert main(["ask", "What is my budget?", *claim, "--token", token("user")]) == 2
        assert "the token is of" in capsys.readouterr().err

    def test_what_all_tenants_share_is_the_owners_alone(self, here, capsys):
        assert main(["recall", "purge", "--all", "--checks", "--token", token()]) == 2
        assert "counted for all tenants together" in capsys.readouterr().err
