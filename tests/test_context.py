from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moslm import ConfigError, MoSLMContext
from moslm.context import resolve_context


@dataclass
class Strangers:
    tenant: str = "acme"
    role: str = "admin"
    moslm: object = None


def test_nothing_gives_the_defaults():
    assert resolve_context(None) == MoSLMContext()


def test_a_strangers_object_is_read_and_its_role_is_not():
    found = resolve_context(Strangers())
    assert found.tenant == "acme"
    assert found.role == "user"


def test_under_our_own_name_a_role_counts():
    assert resolve_context(Strangers(moslm={"role": "admin"})).role == "admin"
    assert resolve_context({"moslm": MoSLMContext(role="operator")}).role == "operator"
    assert not resolve_context({"fresh": True}).fresh
    assert resolve_context({"moslm": {"fresh": True}}).fresh


@pytest.mark.parametrize("context", [{"threshold": 8}, {"moslm": {"role": "king"}}, {"tenant": ""}])
def test_a_value_that_cannot_stand_is_named(context):
    with pytest.raises(ConfigError, match=r"context: (threshold|role|tenant) = "):
        resolve_context(context)


@given(
    st.one_of(st.integers(), st.text(), st.lists(st.integers()), st.dictionaries(st.text(max_size=3), st.integers()))
)
def test_no_strange_context_crashes(context):
    assert resolve_context(context).role == "user"
