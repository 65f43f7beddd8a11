"""Remembered answers in the whole graph: the Decision that shows them, both faces, and what they save."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
from langgraph.store.memory import InMemoryStore

from moslm import Config, Decision, MoSLMContext
from moslm.config import Defaults, DomainSettings, Price, RecallSettings, ScriptedModel
from moslm.errors import ConfigError
from moslm.graph.parts import Overrides, build_parts
from moslm.integrations.api.meters import Meters
from moslm.recall.memory import memories

ON = Config(recall=RecallSettings(sample=0))
ASKED = "What is my travel budget?"
IN_FILLER = "Hello, what's my travel budget? Thanks!"


def test_the_decision_names_the_entry_and_what_it_saved_apart_from_routing(moslm, scripted, ask):
    priced = Config(recall=ON.recall, prices={"scripted": Price(input=100.0, output=100.0, as_of="2026-11-01")})
    graph = moslm({"finance": scripted("Forty.")}, config=priced)
    _, first = ask(graph, ASKED)
    text, exact = ask(graph, ASKED)
    assert (text, exact["outcome"], exact["answered_by"]) == ("Forty.", "recalled", "memory")
    assert exact["recalled"] == {"decision": first["id"], "how": "exact", "similarity": 1.0}
    assert first["recalled"] is None
    cost = exact["cost"]
    assert cost["recalled_usd"] == first["cost"]["spent_usd"] > 0
    assert cost["spent_usd"] == cost["baseline_usd"] == cost["saved_usd"] == 0
    _, semantic = ask(graph, IN_FILLER)
    assert semantic["recalled"]["how"] == "semantic"
    assert semantic["recalled"]["similarity"] >= 0.85
    assert Decision.model_validate(semantic).plain() == semantic


async def test_it_remembers_under_ainvoke_too(moslm):
    graph = moslm(config=ON)
    await graph.ainvoke({"messages": [("user", ASKED)]})
    result = await graph.ainvoke({"messages": [("user", IN_FILLER)]})
    assert result["decision"]["recalled"]["how"] == "semantic"


@pytest.mark.parametrize("face", ["invoke", "ainvoke"])
async def test_a_hit_is_answered_again_behind_the_answer(moslm, home, scripted, face):
    finance = scripted(["The budget is forty euros.", "The budget is forty euros."])
    graph = moslm({"finance": finance}, config=Config(recall=RecallSettings(sample=1)))
    memory = next(each for each in memories() if each.policy.settings.sample == 1 and str(home) in each.own.place)
    for text in (ASKED, IN_FILLER):
        asked = {"messages": [("user", text)]}
        result = await graph.ainvoke(asked) if face == "ainvoke" else graph.invoke(asked)
    assert result["decision"]["outcome"] == "recalled"
    assert memory.checker.wait(10)
    assert len(finance.calls) == 2
    assert (memory.own.tally("finance").checked, memory.own.tally("finance").wrong) == (1, 0)


def test_a_model_that_costs_is_never_asked_again(moslm, scripted, ask):
    prices = {"scripted": Price(input=100.0, output=100.0, as_of="2026-11-01")}
    finance = scripted("Forty.")
    graph = moslm({"finance": finance}, config=Config(recall=RecallSettings(sample=1), prices=prices))
    ask(graph, ASKED)
    _, hit = ask(graph, IN_FILLER)
    assert hit["outcome"] == "recalled"
    assert all(each.checker.wait(10) for each in memories() if each.checker)
    assert len(finance.calls) == 1


def test_a_new_model_knows_nothing_of_what_the_old_one_answered(moslm, scripted, ask):
    ask(moslm({"finance": scripted("Forty.")}, config=ON), ASKED)
    assert ask(moslm({"finance": scripted("Forty.")}, config=ON), ASKED)[1]["outcome"] == "recalled"
    upgraded = moslm({"finance": scripted("Fifty.").model_copy(update={"model_name": "scripted-2"})}, config=ON)
    assert ask(upgraded, ASKED)[1]["outcome"] != "recalled"


def test_a_new_setting_knows_nothing_of_what_was_answered_under_the_old_one(moslm, ask):
    ask(moslm(config=ON), ASKED)
    stricter = ON.model_copy(update={"multi_domain": "fan_out"})
    assert ask(moslm(config=stricter), ASKED)[1]["outcome"] == "answered"


def test_a_new_handbook_knows_nothing_of_what_the_old_one_said(tmp_path: Path):
    versions = []
    for page in ("Forty euros.", "Fifty euros."):
        folder = tmp_path / "domains" / "hr"
        (folder / "knowledge").mkdir(parents=True, exist_ok=True)
        (folder / "domain.toml").write_text('title = "HR"\ndescription = "People."\n')
        (folder / "prompt.md").write_text("Answer.")
        (folder / "examples.jsonl").write_text('{"text": "Holidays?"}\n')
        (folder / "knowledge" / "page.md").write_text(page)
        config = Config(
            domain_folders=[tmp_path / "domains"],
            only_domains=["hr"],
            domains={"hr": DomainSettings(model=ScriptedModel(kind="scripted"))},
        )
        versions.append(build_parts(config, Overrides(classifier=Any_())).memory.policy.version)
    assert versions[0] != versions[1]


class Any_:
    name, labels = "any", ("hr",)

    def rank(self, turns):
        raise AssertionError("never asked")


def test_a_domain_that_says_so_is_not_remembered(moslm, ask):
    config = Config(recall=ON.recall, domains={"finance": DomainSettings(remember=False)})
    graph = moslm(config=config)
    ask(graph, ASKED)
    assert ask(graph, ASKED)[1]["outcome"] == "answered"
    ask(graph, "My laptop is slow today")
    assert ask(graph, "My laptop is slow today")[1]["outcome"] == "recalled"


@pytest.mark.parametrize("others", ["defaults", "domains"])
def test_a_domain_of_high_risk_is_never_remembered_unless_somebody_says_so(moslm, ask, others):
    careful = {"finance": DomainSettings(risk="high")}
    graph = moslm(config=Config(recall=ON.recall, domains=careful))
    for text, second in ((ASKED, "answered"), ("My laptop is slow today", "recalled")):
        ask(graph, text)
        assert ask(graph, text)[1]["outcome"] == second
    if others == "defaults":
        said = Config(recall=ON.recall, domains=careful, defaults=Defaults(remember=True))
    else:
        said = Config(recall=ON.recall, domains={"finance": DomainSettings(risk="high", remember=True)})
    graph = moslm(config=said)
    ask(graph, ASKED)
    assert ask(graph, ASKED)[1]["outcome"] == "recalled"


def test_a_run_that_asks_for_it_is_answered_anew_and_leaves_nothing(moslm, ask):
    graph = moslm(config=ON)
    for _ in range(2):
        assert ask(graph, ASKED, context={"remember": False})[1]["outcome"] == "answered"
    assert ask(graph, ASKED)[1]["outcome"] == "answered"
    assert ask(graph, ASKED, context={"remember": False})[1]["outcome"] == "answered"
    assert ask(graph, ASKED)[1]["outcome"] == "recalled"


def test_a_run_that_is_asked_anew_replaces_what_was_remembered(moslm, scripted, ask):
    graph = moslm({"finance": scripted(["Forty.", "Fifty."])}, config=ON)
    ask(graph, ASKED)
    text, decision = ask(graph, ASKED, context=MoSLMContext(fresh=True))
    assert (text, decision["outcome"]) == ("Fifty.", "answered")
    text, decision = ask(graph, ASKED)
    assert (text, decision["outcome"]) == ("Fifty.", "recalled")


def test_personal_data_is_answered_and_not_remembered(moslm, ask):
    graph = moslm(config=ON)
    for _ in range(2):
        assert ask(graph, "What is the budget of ada@shop.example?")[1]["outcome"] == "answered"


def test_the_store_of_the_graph_holds_the_answers_where_it_has_one(moslm, home, ask):
    store = InMemoryStore()
    graph = moslm(config=ON, store=store)
    ask(graph, ASKED)
    assert ask(graph, IN_FILLER)[1]["outcome"] == "recalled"
    assert len(store.search(("moslm", "answers"))) == 1
    [memory] = [each for each in memories() if str(home) in each.own.place]
    assert memory.own.held() == {}
    assert memory.own.tally("finance").semantic == 1


def test_a_redis_that_is_named_holds_the_answers_for_every_graph_whatever_store_they_run_with(moslm, ask, redis_server):
    recall = RecallSettings(redis_url=redis_server.url, redis_prefix=uuid4().hex)
    store = InMemoryStore()
    ask(moslm(config=Config(recall=recall), store=store), ASKED)
    assert ask(moslm(config=Config(recall=recall)), IN_FILLER)[1]["outcome"] == "recalled"
    assert store.search(()) == []


def test_a_redis_that_is_not_there_costs_the_memory_and_no_answer(moslm, ask, tmp_path, caplog):
    graph = moslm(config=Config(recall=RecallSettings(redis_url=f"unix://{tmp_path}/nothing.sock")))
    for _ in range(2):
        assert ask(graph, ASKED)[1]["outcome"] == "answered"
    assert "remembered answers cannot be read, so none is given" in caplog.text


def test_a_redis_in_the_clear_elsewhere_is_refused_in_one_line(moslm):
    with pytest.raises(ConfigError, match=r"recall\.redis_url = .* would be reached in the clear"):
        moslm(config=Config(recall=RecallSettings(redis_url="redis://recall.example.com")))


def test_a_memory_that_is_switched_off_remembers_nothing(moslm, home, ask):
    graph = moslm(config=Config(recall=RecallSettings(enabled=False)))
    for _ in range(2):
        assert ask(graph, ASKED)[1]["outcome"] == "answered"
    assert not (home / "recall.sqlite").exists()


def test_the_meters_show_what_memory_saved_and_whether_it_was_wrong(moslm, home, ask):
    meters = Meters()
    graph = moslm(config=ON)
    for text in (ASKED, ASKED, IN_FILLER):
        meters.decided(Decision.model_validate(ask(graph, text)[1]))
    next(each for each in memories() if str(home) in each.own.place).own.check("finance", wrong=True)
    page = meters.page().decode()
    assert 'moslm_recalled_total{domain="finance",how="exact"} 1.0' in page
    assert 'moslm_recalled_total{domain="finance",how="semantic"} 1.0' in page
    assert 'moslm_recall_wrong_total{domain="finance"} 1.0' in page
    assert 'moslm_recall_closed{domain="finance"} 1.0' in page
    assert ASKED not in page
