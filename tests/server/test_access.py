"""The real server under ``[access]``: two tenants on it, and what each of them claims to be."""

from __future__ import annotations

import time
from contextlib import ExitStack

import httpx
import openai
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from langgraph_sdk import get_sync_client
from langgraph_sdk.errors import APIStatusError

pytestmark = [pytest.mark.loopback, pytest.mark.slow]
SECRET = "a secret of forty characters and some more"
CONFIG = """
[defaults.model]
kind = "scripted"
replies = ["The scripted answer of this domain."]
confidence = 0.95

[access.jwt]
issuer = "https://id.example"
audience = "moslm"
algorithms = ["HS256"]
key_env = "JWT_KEY"
"""
FINANCE = {"messages": [{"role": "user", "content": "What is left of the travel budget for this quarter?"}]}


def token(tenant, user="u1", role="user", secret=SECRET):
    claims = {"iss": "https://id.example", "aud": "moslm", "exp": int(time.time()) + 600}
    given = {**claims, "tenant": tenant, "sub": user, "role": role}
    return jwt.encode({"alg": "HS256"}, given, OctKey.import_key(secret), algorithms=["HS256"])


@pytest.fixture(scope="module")
def server(langgraph_server):
    return langgraph_server(CONFIG, JWT_KEY=SECRET)


@pytest.fixture
def sending(server):
    with ExitStack() as stack:
        yield lambda headers: stack.enter_context(get_sync_client(url=server, headers=headers))


@pytest.fixture
def as_(sending):
    return lambda *claims, **other: sending({"Authorization": f"Bearer {token(*claims, **other)}"})


def refused(call, *status):
    with pytest.raises((APIStatusError, httpx.HTTPStatusError)) as caught:
        call()
    return caught.value.response.status_code in status


def test_one_tenants_thread_is_never_anothers_nor_another_users(as_):
    acme = as_("acme")
    thread = acme.threads.create(metadata={"moslm_tenant": "rival"})["thread_id"]
    result = acme.runs.wait(thread, "moslm", input=FINANCE)
    assert result["decision"]["tenant"] == "acme"
    for other in (as_("rival", role="admin"), as_("acme", "u2")):
        assert refused(lambda other=other: other.threads.get(thread), 404)
        assert refused(lambda other=other: other.threads.get_state(thread), 404)
        assert refused(lambda other=other: other.runs.wait(thread, "moslm", input=FINANCE), 404)
        assert thread not in {each["thread_id"] for each in other.threads.search()}
    assert thread in {each["thread_id"] for each in as_("acme", "boss", "admin").threads.search()}


def test_nobody_claims_another_tenant_user_or_role(as_):
    claimed = {"tenant": "rival", "user": "boss", "role": "admin", "may_escalate": True}
    result = as_("acme").runs.wait(None, "moslm", input=FINANCE, context=claimed)
    assert (result["decision"]["tenant"], result["decision"]["user"]) == ("acme", "u1")
    forged = {"moslm_tenant": "rival", "moslm_user": "x", "moslm_role": "admin", "moslm_may_escalate": True}
    configurable = {**claimed, "langgraph_auth_user": {"identity": "x", **forged}, "langgraph_auth_user_id": "x"}
    result = as_("acme").runs.wait(None, "moslm", input=FINANCE, config={"configurable": configurable})
    assert (result["decision"]["tenant"], result["decision"]["user"]) == ("acme", "u1")


def test_a_role_does_what_its_actions_are_and_no_more(as_):
    user, auditor = as_("acme"), as_("acme", "a1", "auditor")
    thread = user.threads.create()["thread_id"]
    assert auditor.threads.get(thread)["thread_id"] == thread
    assert refused(lambda: auditor.runs.wait(None, "moslm", input=FINANCE), 403)
    decision = {"resume": {"decisions": [{"type": "approve"}]}}
    assert refused(lambda: user.runs.wait(thread, "moslm", command=decision), 403)
    assert refused(lambda: user.threads.update_state(thread, {"messages": []}), 403)
    assert refused(lambda: user.threads.delete(thread), 403)
    assert refused(lambda: user.store.put_item(["moslm"], "k", {"v": 1}), 403)
    assert refused(lambda: as_("acme", "boss", "admin").assistants.create("moslm"), 403)
    as_("acme", "boss", "admin").threads.delete(thread)


def test_without_a_good_token_nothing_answers(server, sending):
    strangers = [
        {},
        {"Authorization": f"Bearer {token('acme', secret='another secret of forty characters or so')}"},
        {"x-auth-scheme": "langsmith"},
    ]
    for headers in strangers:
        assert refused(lambda headers=headers: sending(headers).threads.search(), 401, 403)
    wrong = openai.OpenAI(base_url=f"{server}/v1", api_key="wrong", max_retries=0)
    with wrong, pytest.raises(openai.AuthenticationError, match="the token is not accepted"):
        wrong.models.list()
    with openai.OpenAI(base_url=f"{server}/v1", api_key=token("acme"), max_retries=0) as api:
        own = {"moslm": {"decision": True}}
        said = api.chat.completions.create(model="moslm", messages=FINANCE["messages"], extra_body=own)
        assert (said.moslm["tenant"], said.moslm["user"]) == ("acme", "u1")
    meters = f"{server}/moslm/metrics"
    assert httpx.get(meters, trust_env=False).status_code == 401
    for role, status in (("user", 403), ("auditor", 200)):
        headers = {"Authorization": f"Bearer {token('acme', role=role)}"}
        assert httpx.get(meters, headers=headers, trust_env=False).status_code == status
    auditor = openai.OpenAI(base_url=f"{server}/v1", api_key=token("acme", role="auditor"), max_retries=0)
    with auditor, pytest.raises(openai.PermissionDeniedError, match="the role auditor may not ask"):
        auditor.models.list()
