"""What a server proved replaces what a caller claims, and what nobody proved changes nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moslm.config import AccessSettings
from moslm.context import MoSLMContext
from moslm.errors import AccessDenied
from moslm.governance.access.actions import ROLES, Caller
from moslm.governance.access.guard import MAY_ESCALATE, ROLE, TENANT, USER, Guard, as_proven

names = st.text(min_size=1, max_size=40)
contexts = st.builds(
    MoSLMContext,
    tenant=names,
    user=names,
    role=st.sampled_from(ROLES),
    may_escalate=st.booleans(),
    threshold=st.just(0.3),
)
users = st.fixed_dictionaries({TENANT: names, USER: names, ROLE: st.sampled_from(ROLES), MAY_ESCALATE: st.booleans()})


@given(contexts, users)
def test_whatever_is_claimed_the_proven_caller_runs(claimed, user):
    made = as_proven(claimed, user)
    assert (made.tenant, made.user, made.role) == (user[TENANT], user[USER], user[ROLE])
    assert made.may_escalate == (claimed.may_escalate and user[MAY_ESCALATE])
    assert made.threshold == claimed.threshold


@given(contexts, st.sampled_from([None, {}, {"identity": "anonymous"}]))
def test_where_nothing_was_proven_the_context_stands(claimed, user):
    assert as_proven(claimed, user) is claimed


def test_a_role_that_may_not_ask_has_no_context_and_one_that_may_not_escalate_says_so(tmp_path):
    assert Guard(AccessSettings()).context(Caller("acme", "u1", "user")).may_escalate
    with pytest.raises(AccessDenied, match="the role auditor may not ask"):
        Guard(AccessSettings()).context(Caller("acme", "a1", "auditor"))
    (tmp_path / "own.cedar").write_text('permit (principal, action == Action::"ask", resource);')
    assert not Guard(AccessSettings(policies=tmp_path)).context(Caller("acme", "u1", "admin")).may_escalate


@pytest.mark.parametrize("header", [None, "", "Basic dTpw", "Bearer", "Bearer  ", "Bearer token"])
def test_without_tokens_configured_nobody_is_anybody(header):
    with pytest.raises(AccessDenied, match="no token was sent"):
        Guard(AccessSettings()).caller(header)
