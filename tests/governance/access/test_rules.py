"""The whole matrix of roles and actions, from one table, for the built-in rules and the shipped policies alike."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moslm.errors import ConfigError
from moslm.governance.access.actions import ACTIONS, ROLES, BuiltInRules, Caller, Tool
from moslm.governance.access.permissions import Permissions
from moslm.governance.access.policies import CedarRules

MATRIX = """
            ask escalate write_tool review read_audit read_budget purge configure
user        yes yes      -          -      -          -           -     -
operator    yes yes      yes        -      -          yes         -     -
reviewer    yes yes      -          yes    -          -           -     -
auditor     -   -        -          -      yes        yes         -     -
admin       yes yes      yes        yes    yes        yes         yes   yes
"""
_HEAD, *_ROWS = MATRIX.strip().splitlines()
CASES = [
    (role, action, said == "yes")
    for role, *cells in (row.split() for row in _ROWS)
    for action, said in zip(_HEAD.split(), cells, strict=True)
]
RULES = [BuiltInRules(), CedarRules()]


def test_the_table_names_every_role_and_action():
    assert {(role, action) for role, action, _ in CASES} == {(role, action) for role in ROLES for action in ACTIONS}


@pytest.mark.parametrize("rules", RULES, ids=lambda each: type(each).__name__)
@pytest.mark.parametrize(("role", "action", "allowed"), CASES)
def test_a_role_may_do_what_the_table_says_and_only_at_home(rules, role, action, allowed):
    caller = Caller("acme", "u1", role)
    assert rules.allows(caller, action, "acme") is allowed
    assert rules.allows(caller, action, "rival") is False


@given(st.text(), st.text(min_size=1), st.text(min_size=1), st.sampled_from(ROLES))
def test_what_nobody_knows_is_denied_and_no_name_breaks_out(action, tenant, user, role):
    for rules in RULES:
        if action not in ACTIONS:
            assert not rules.allows(Caller(tenant, user, role), action, tenant)
        assert not rules.allows(Caller(tenant, user, "auditor"), "ask", tenant)
        assert not rules.allows(Caller(tenant, user, "stranger"), "ask", tenant)


def folder(tmp_path, text, name="own.cedar"):
    (tmp_path / name).write_text(text)
    return tmp_path


def test_policies_of_ones_own_take_the_place_of_the_shipped_ones(tmp_path):
    text = 'permit (principal, action == Action::"ask", resource) when { principal.user == "u1" };'
    rules = CedarRules(folder(tmp_path, text))
    assert rules.allows(Caller("acme", "u1", "auditor"), "ask", "acme")
    assert not rules.allows(Caller("acme", "u2", "admin"), "ask", "acme")
    assert not rules.allows(Caller("acme", "u1", "user"), "ask", "rival")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            'permit (principal, action,\n resource);\npermit (principal, action == Action::"aks", resource);',
            "own.cedar:3: Action = 'aks': names no action that exists; did you mean ask?",
        ),
        (
            'permit (principal in Role::"root", action, resource);',
            "own.cedar:1: Role = 'root': names no role that exists; known are user",
        ),
        ('permit (principal, action, resource) when { action == Action::"fly" };', "own.cedar:1: Action = 'fly'"),
        ("permit (", "own.cedar: is no policy: "),
    ],
)
def test_a_policy_that_cannot_stand_is_one_line_with_file_and_mend(tmp_path, text, told):
    with pytest.raises(ConfigError) as caught:
        CedarRules(folder(tmp_path, text))
    assert str(caught.value).startswith(f"{tmp_path}/{told}")
    assert "\n" not in str(caught.value)


def test_a_folder_without_policies_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"access\.policies = .*: holds no policies; put NAME\.cedar into it"):
        CedarRules(tmp_path)


def test_a_prohibition_that_cannot_be_evaluated_permits_nothing(tmp_path):
    text = "permit (principal, action, resource);\nforbid (principal, action, resource) when { principal.age < 18 };"
    assert not CedarRules(folder(tmp_path, text)).allows(Caller("acme", "u1", "admin"), "ask", "acme")


def test_a_policy_may_tell_one_tool_from_another_and_a_write_from_a_read(tmp_path):
    text = (
        'permit (principal, action == Action::"write_tool", resource in Tenant::"acme");\n'
        'forbid (principal in Role::"user", action, resource) when { resource.effect != "read" };\n'
        'forbid (principal, action, resource == Tool::"refund");'
    )
    rules = CedarRules(folder(tmp_path, text))
    asked = lambda role, tool: rules.allows(Caller("acme", "u1", role), "write_tool", "acme", tool)  # noqa: E731
    assert asked("operator", Tool("open_ticket", "write"))
    assert not asked("operator", Tool("refund", "write"))
    assert not asked("user", Tool("open_ticket", "write"))
    assert asked("user", Tool("look_up", "read"))
    assert not asked("user", None), "a tenant has no effect, and a rule that cannot be evaluated denies"


@pytest.mark.parametrize("failure", [RuntimeError("cedar"), ValueError("text"), KeyError("x")])
def test_rules_that_fail_deny_and_say_so_without_a_word_of_the_caller(failure, caplog):
    class Broken:
        def allows(self, *_):
            raise failure

    assert not Permissions(Broken()).allows(Caller("acme", "jane@acme.example", "admin"), "write_tool")
    assert "the rules failed, so the role admin may not write_tool" in caplog.text
    assert "jane" not in caplog.text
