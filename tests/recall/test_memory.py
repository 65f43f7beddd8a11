"""Which remembered answer holds for whom, and which answers are never remembered."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langgraph.store.memory import InMemoryStore
from measures.near_duplicates import near_duplicates, paraphrases
from recall_samples import a_decision, a_memory, a_request

from moslm.decision import Budget, DraftRecord, Review, ToolUse
from moslm.recall.keys import keys_of
from moslm.recall.sqlite import RecallFile
from moslm.recall.stores import Which

ASKED = "How do I claim mileage?"
IN_FILLER = "Hi, could you please tell me how I can claim mileage? Thanks!"


def tell(memory, text, reply="Enter it in the portal.", store=None, **more):
    decision = more.pop("decision", None) or a_decision()
    memory.closed(a_request(text, **more), store, decision, reply)


def found(memory, text, store=None, **more):
    reply = memory.find(a_request(text, **more), store)
    return reply and reply["recalled"]


@pytest.fixture(params=["own", "langgraph store"])
def store(request):
    return InMemoryStore() if request.param == "langgraph store" else None


class TestAHit:
    def test_is_exact_for_the_same_request(self, memory, store):
        tell(memory(), ASKED, store=store)
        reply = memory().find(a_request(ASKED), store)
        assert (reply["text"], reply["outcome"], reply["domain"]) == ("Enter it in the portal.", "recalled", "finance")
        assert reply["recalled"] == {"decision": "d", "how": "exact", "similarity": 1.0, "cost_usd": 0.02}

    def test_is_semantic_for_the_same_request_in_other_filler(self, memory, store):
        tell(memory(), ASKED, store=store)
        hit = found(memory(), IN_FILLER, store=store)
        assert hit["how"] == "semantic"
        assert 0.85 <= hit["similarity"] <= 1

    def test_is_never_semantic_where_that_is_switched_off(self, memory, store):
        tell(memory(), ASKED, store=store)
        assert found(memory(semantic=False), IN_FILLER, store=store) is None

    def test_needs_the_similarity_that_is_set(self, memory):
        tell(memory(), ASKED)
        assert found(memory(min_similarity=1.0), f"{ASKED} ok", store=None) is None

    def test_of_a_conversation_is_exact_alone(self, memory, store):
        before = [("user", "Hello"), ("assistant", "Hello.")]
        tell(memory(), ASKED, store=store, before=before)
        assert found(memory(), ASKED, store=store, before=before)["how"] == "exact"
        assert found(memory(), IN_FILLER, store=store, before=before) is None
        assert found(memory(), ASKED, store=store) is None

    def test_ends_with_its_time(self, memory, store, monkeypatch):
        tell(memory(), ASKED, store=store)
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + 3599)
        assert found(memory(), ASKED, store=store)
        monkeypatch.setattr(time, "time", lambda: now + 3601)
        assert found(memory(), ASKED, store=store) is None

    def test_is_none_where_the_clock_has_gone_back(self, memory, monkeypatch):
        tell(memory(), ASKED)
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now - 3600)
        assert found(memory(), ASKED) is None


CHANGES = {
    "another tenant": {"tenant": "globex"},
    "another role": {"role": "admin"},
    "another threshold": {"threshold": 0.99},
    "another way with several domains": {"multi_domain": "fan_out"},
    "instructions of the caller": {"instructions": "Answer as a pirate."},
    "another label": {"sensitivity": "secret"},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("text", [ASKED, IN_FILLER])
def test_nothing_is_found_across_a_partition(memory, store, change, text):
    tell(memory(), ASKED, store=store)
    assert found(memory(), text, store=store, **change) is None
    tell(memory(), ASKED, store=store, **change)
    assert found(memory(), text, store=store, **change)


@pytest.mark.parametrize("text", [ASKED, IN_FILLER])
def test_another_policy_model_or_handbook_finds_nothing_of_the_one_before(memory, store, text):
    tell(memory("version 1"), ASKED, store=store)
    assert found(memory("version 2"), text, store=store) is None


def test_a_thousand_requests_that_look_alike_find_nothing(memory):
    one = memory()
    pairs = near_duplicates(seed=1)
    wrong = []
    for i, pair in enumerate(pairs):
        # each pair in a tenant of its own, so that what is found can only be the other one
        tell(one, pair.other, tenant=f"t{i}")
        if found(one, pair.one, tenant=f"t{i}"):
            wrong.append(pair)
    assert len(pairs) >= 1000
    assert wrong == []


def test_identical_requests_of_a_thousand_tenants_roles_and_versions_find_nothing_of_each_other(memory):
    one, later = memory("version 1"), memory("version 2")
    texts = [pair.one for pair in near_duplicates(seed=2)][:340]
    for text in texts:
        tell(one, text, reply="of acme")
    for text in texts:
        assert found(one, text, tenant="globex") is None
        assert found(one, text, role="operator") is None
        assert found(later, text) is None


WORDS = st.sampled_from([*(pair.one for pair in paraphrases()), *(pair.other for pair in paraphrases())])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.sampled_from(["user", "admin"]), WORDS), max_size=12))
def test_no_tenant_is_ever_given_the_answer_of_another(memory, store, steps):
    one = memory()
    for tenant, role, text in steps:
        reply = one.find(a_request(text, tenant, role), store)
        if reply is None:
            tell(one, text, f"for {tenant} as {role}", store=store, tenant=tenant, role=role)
        else:
            assert reply["text"] == f"for {tenant} as {role}"


def test_an_entry_that_was_moved_to_another_tenants_place_is_not_believed(memory):
    one = memory()
    tell(one, ASKED)
    own, other = a_request(ASKED), a_request(ASKED, "globex")
    entry = one.own.find(("acme", "user"), keys_of(own, "1").exact)
    one.own.keep(replace(entry, key=keys_of(other, "1").exact))
    assert one.find(other, None) is None
    assert one.find(own, None)


def a_draft(**more):
    return DraftRecord(part="0", domain="finance", model="small", threshold=0.8, accepted=True, **more)


def used(name, effect="read"):
    return a_draft(tools=[ToolUse(name=name, effect=effect, outcome="done")])


NEVER = {
    "was handed over": {"outcome": "handed_over"},
    "was refused": {"outcome": "refused"},
    "was remembered itself": {"outcome": "recalled", "answered_by": "memory"},
    "a person gave": {"answered_by": "person"},
    "a person reviewed": {"reviews": [Review(what="refund", decision="approve")]},
    "a write had a part in": {"drafts": [used("open_ticket", "write")]},
    "a lookup had a part in": {"drafts": [used("order_status")]},
    "a rejected draft wrote for": {"drafts": [used("open_ticket", "write").model_copy(update={"accepted": False})]},
    "was given at a cap": {"budget": Budget(at_cap="answer_locally", why="the cap is reached")},
    "calls the caller's tools": {"calls": ["weather"]},
}


@pytest.mark.parametrize("how", NEVER.values(), ids=NEVER)
def test_an_answer_is_never_remembered_that(memory, how):
    tell(memory(), ASKED, decision=a_decision(**how))
    assert found(memory(), ASKED) is None


def test_an_answer_from_the_handbook_alone_is_remembered(memory):
    tell(memory(), ASKED, decision=a_decision(drafts=[used("search_handbook")]))
    assert found(memory(), ASKED)


@pytest.mark.parametrize(
    ("asked", "reply"),
    [
        ("My name is Ada, how do I claim mileage?", "In the portal."),
        ("Is ada@shop.example registered?", "Yes."),
        ("Call me at +43 660 1234567 please", "We will."),
        ("How do I claim mileage?", "Send it to bob@shop.example."),
        ("Is DE89 3704 0044 0532 0130 00 my account?", "Yes."),
    ],
)
def test_personal_data_is_never_remembered_nor_looked_for(memory, asked, reply):
    one = memory()
    tell(one, asked, reply)
    assert found(one, asked) is None
    assert one.own.held() == {}


def test_personal_data_in_an_earlier_turn_counts_too(memory):
    before = [("user", "My name is Ada"), ("assistant", "Hello.")]
    tell(memory(), ASKED, before=before)
    assert found(memory(), ASKED, before=before) is None


def test_a_request_with_tools_of_the_caller_is_never_looked_for(memory):
    tools = [{"type": "function", "function": {"name": "weather"}}]
    tell(memory(), ASKED)
    tell(memory(), "What is the weather?", tools=tools)
    assert found(memory(), ASKED, tools=tools) is None
    assert found(memory(), "What is the weather?") is None


def test_a_domain_that_is_not_to_be_remembered_is_neither_kept_nor_given(memory):
    tell(memory(), ASKED)
    careful = memory(never=frozenset({"finance"}))
    assert found(careful, ASKED) is None
    tell(careful, "What is my limit?")
    assert found(memory(), "What is my limit?") is None


class TestPurging:
    @pytest.mark.parametrize(
        "which", [Which(), Which(tenant="acme"), Which(domain="finance"), Which(decision="d")], ids=str
    )
    def test_is_in_force_at_once_for_every_process(self, memory, store, which):
        one, other = memory(), memory()
        tell(one, ASKED, store=store)
        assert found(other, ASKED, store=store)
        assert one.purge(which, store) == 1
        assert found(other, ASKED, store=store) is None
        assert found(other, IN_FILLER, store=store) is None

    @pytest.mark.parametrize(
        "which", [Which(tenant="globex"), Which(domain="it_support"), Which(decision="other")], ids=str
    )
    def test_leaves_what_is_not_meant(self, memory, store, which):
        tell(memory(), ASKED, store=store)
        assert memory().purge(which, store) == 0
        assert found(memory(), ASKED, store=store)

    def test_forgets_more_than_a_page_of_a_langgraph_store(self, memory):
        one, store = memory(), InMemoryStore()
        for i in range(250):
            tell(one, f"What is rule {i}?", store=store)
        assert one.purge(Which(tenant="acme"), store) == 250


def test_what_a_failing_store_says_of_a_row_stays_out_of_the_log(memory, caplog):
    class Quoting(InMemoryStore):
        def batch(self, ops):
            raise RuntimeError(f"failing row contains ({list(ops)})")

    one, store = memory(), Quoting()
    tell(one, ASKED, store=store)
    assert found(one, ASKED, store=store) is None
    assert "RuntimeError" in caplog.text
    assert "portal" not in caplog.text
    assert "failing row" not in caplog.text


class TestTheFile:
    def test_keeps_the_newest_answers(self, tmp_path):
        one = a_memory(RecallFile(tmp_path / "small.sqlite", most=10))
        for i in range(258):
            tell(one, f"What is rule {i}?")
        assert sum(one.own.held().values()) <= 11
        assert found(one, "What is rule 257?")

    def test_holds_no_word_of_a_request(self, filed, tmp_path):
        one = filed()
        tell(one, "What about the xylophone allowance?", "Nothing is known.")
        one.own.close()
        content = b"".join(each.read_bytes() for each in tmp_path.glob("recall.sqlite*"))
        assert b"Nothing is known." in content
        assert b"xylophone" not in content

    def test_that_cannot_be_used_costs_the_memory_and_no_answer(self, tmp_path, caplog):
        (tmp_path / "broken.sqlite").write_bytes(b"no database at all, whatever its name says" * 40)
        one = a_memory(RecallFile(tmp_path / "broken.sqlite"))
        tell(one, ASKED)
        assert found(one, ASKED) is None
        assert "cannot be read" in caplog.text

    def test_is_readable_by_its_owner_alone(self, filed, tmp_path):
        tell(filed(), ASKED)
        assert (tmp_path / "recall.sqlite").stat().st_mode & 0o077 == 0
