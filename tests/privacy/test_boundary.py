"""What may leave the premises, by its labels, and which models are outside."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_openai import ChatOpenAI

from moslm import ScriptedChatModel
from moslm.config import BoundaryRule, VLLMModel
from moslm.models.chat import build_chat_model
from moslm.privacy.boundary import Boundary, Labels, is_outside

LEVELS = ("public", "internal", "confidential", "restricted")


def labels(**given):
    return Labels(**{"tenant": "acme", "domain": "finance", "sensitivity": "internal", "region": "eu", **given})


def ruled(*rules, default="any"):
    return Boundary([BoundaryRule(**each) for each in rules], default)


def test_where_no_rule_matches_the_default_holds():
    assert ruled({"domain": "it_support", "may_leave": "local_only"}).ruling(labels()).may_leave == "any"


def test_of_the_rules_that_match_the_strictest_holds():
    boundary = ruled(
        {"region": "eu", "may_leave": "redacted"},
        {"tenant": "acme", "may_leave": "local_only"},
        {"domain": "finance", "may_leave": "any"},
    )
    ruling = boundary.ruling(labels())
    assert (ruling.may_leave, ruling.why) == ("local_only", "tenant acme")


def test_a_rule_may_open_what_the_default_closes():
    boundary = ruled({"domain": "finance", "may_leave": "any"}, default="local_only")
    assert boundary.ruling(labels()).may_leave == "any"
    assert boundary.ruling(labels(domain="it_support")).may_leave == "local_only"


@pytest.mark.parametrize(("level", "held"), list(zip(LEVELS, ("any", "any", "local_only", "local_only"), strict=True)))
def test_a_rule_for_a_sensitivity_holds_from_it_upwards(level, held):
    boundary = ruled({"sensitivity": "confidential", "may_leave": "local_only"})
    assert boundary.ruling(labels(sensitivity=level)).may_leave == held


def test_a_request_of_unknown_domain_is_held_against_every_domains_rules():
    boundary = ruled({"domain": "finance", "may_leave": "local_only"})
    assert boundary.ruling(labels(domain=None)).may_leave == "local_only"


RULES = st.lists(
    st.fixed_dictionaries(
        {
            "may_leave": st.sampled_from(["any", "redacted", "local_only"]),
            "domain": st.sampled_from([None, "finance", "it_support"]),
            "tenant": st.sampled_from([None, "acme", "other"]),
            "sensitivity": st.sampled_from([None, *LEVELS]),
            "region": st.just("eu"),
        }
    ),
    max_size=6,
)


@given(
    rules=RULES,
    default=st.sampled_from(["any", "redacted", "local_only"]),
    domain=st.sampled_from(["finance", "it_support"]),
    tenant=st.sampled_from(["acme", "other"]),
    level=st.sampled_from(LEVELS),
)
def test_no_request_of_a_domain_is_ruled_more_strictly_than_the_strictest_it_can_be(
    rules, default, domain, tenant, level
):
    order = ("any", "redacted", "local_only")
    boundary = ruled(*rules, default=default)
    found = boundary.ruling(labels(domain=domain, tenant=tenant, sensitivity=level)).may_leave
    assert order.index(found) <= order.index(boundary.strictest(domain).may_leave)


@pytest.mark.parametrize(
    ("url", "outside"),
    [
        ("http://127.0.0.1:8000/v1", False),
        ("http://10.2.3.4:8000/v1", False),
        ("http://[fd00::1]:8000/v1", False),
        ("http://vllm:8000/v1", False),
        ("http://vllm.models.svc.cluster.local:8000/v1", False),
        ("https://api.openai.com/v1", True),
        ("http://8.8.8.8/v1", True),
        ("http://169.254.169.254/v1", True),
        ("http://[::ffff:8.8.8.8]/v1", True),
        ("https://internal.example.com/v1", True),
    ],
)
def test_a_model_is_inside_where_its_address_is(url, outside):
    assert is_outside(ChatOpenAI(model="m", base_url=url, api_key="k")) is outside


def test_a_model_that_names_no_address_is_outside():
    assert is_outside(ChatOpenAI(model="gpt-4o", api_key="k"))
    assert is_outside(object())


def test_a_model_in_this_process_is_inside():
    assert not is_outside(ScriptedChatModel())


def test_what_its_metadata_says_comes_first():
    assert not is_outside(ChatOpenAI(model="m", api_key="k", metadata={"premises": "inside"}))
    assert is_outside(ScriptedChatModel(metadata={"premises": "outside"}))


def test_one_server_outside_makes_a_served_model_outside():
    def built(**more):
        urls = ["http://127.0.0.1:8000/v1", "https://models.example.com/v1"]
        settings = VLLMModel(kind="vllm", name="m", base_url=urls, **more)
        return build_chat_model(settings, deadline_ms=1000, allow_hosts=["loopback", "models.example.com"])

    assert is_outside(built())
    assert not is_outside(built(premises="inside"))
