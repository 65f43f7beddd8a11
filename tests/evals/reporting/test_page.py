"""The page draws what the document holds, asks nobody for anything, and shows others' words as words."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from outcome_samples import outcome

from moslm.evals.figures import Figure
from moslm.evals.gate import Gate
from moslm.evals.metrics import METRICS
from moslm.evals.reporting import writing
from moslm.evals.reporting.page import report_page
from moslm.evals.reporting.report import Asked, document, report_of

HOSTILE = "<script>alert(1)</script> <img src=https://evil.example/x onerror=f()> \u202egnorw\u202c שלום \ud800\x00"
FEW = {name: METRICS[name] for name in ("accuracy", "escalation_share")}
GATE = Gate.model_validate({"name": "g", "targets": [{"metric": "accuracy", "at_least": 0.99, "why": "because"}]})


def made(outcomes, **about):
    return report_of(outcomes, Asked("a run", **{"metrics": FEW, **about}))


def words(html):
    class Words(HTMLParser):
        text = ""

        def handle_data(self, data):
            self.text += data + " "

    reader = Words()
    reader.feed(html)
    return reader.text


@pytest.fixture(scope="module")
def whole(run):
    """A report of a run that has everything, and its page."""
    found = made(run, gate=GATE, metrics=METRICS)
    return found, report_page(found)


def figures_of(value):
    if isinstance(value, dict):
        if {"value", "low", "high", "n", "unit"} <= set(value):
            yield Figure.model_validate(value)
        else:
            for each in value.values():
                yield from figures_of(each)
    elif isinstance(value, list):
        for each in value:
            yield from figures_of(each)


def test_the_page_asks_for_nothing_from_anywhere(whole):
    html = whole[1]
    assert not re.search(r"(src|href|action|data)\s*=|url\(|<script|<link|@import|<iframe", html)
    assert "default-src &#x27;none&#x27;" in html


def test_every_figure_and_interval_of_the_document_is_on_the_page(whole):
    found, html = whole
    told = document(found)
    shown = words(html)
    for part in ("summaries", "gate", "crossings", "latency", "confusions"):
        for figure in figures_of(told[part]):
            assert writing.value_of(figure) in shown
            if figure.unit != "score":
                assert writing.interval_of(figure) in shown
    for comparison in found.comparisons:
        assert comparison.points.said in shown
        assert writing.points_of(comparison.points.figure.value) in shown


def test_every_chart_is_there(whole):
    titles = re.findall(r"<figcaption>(.*?)<small>", whole[1])
    assert titles[:6] == [
        "Accuracy by system",
        "Reliability of moslm",
        "Risk against coverage of moslm",
        "Cost against quality",
        "Times of moslm",
        "Times of large",
    ]
    assert "What moslm took requests for" in titles
    assert "threshold in force: 0.60" in words(whole[1])


def test_a_chart_that_cannot_be_drawn_is_explained_in_words():
    bare = [outcome(i, usd=None, total_ms=None, domain=None) for i in range(3)]
    shown = words(report_page(made(bare)))
    for told in (
        "Reliability of moslm is not drawn: no draft was graded that had a confidence.",
        "Risk against coverage of moslm is not drawn: no draft was graded that had a confidence.",
        "What other thresholds would have given is not drawn: the system large was not run",
        "Times of moslm are not drawn: no outcome says how long it took.",
        "no system said what it took a request for",
        "Whether escalating was needed is not known of moslm",
        "held against no gate",
        "Not run, so that nothing is said against it: large, small, ungated.",
        "No answer was wrong.",
        "came without a manifest",
    ):
        assert told in shown


def test_a_run_without_any_outcome_is_a_page_that_says_so():
    shown = words(report_page(made([], finished=False)))
    assert "This run has no outcome yet" in shown
    assert "no system was run" in shown


def test_a_run_half_written_says_so_before_anything_else(run):
    html = report_page(made(run[:90], finished=False, notice="outcomes.jsonl:91 was cut off"))
    alert = html.index('class="alert"')
    assert alert < html.index("<section")
    assert "This run is not finished." in words(html)
    assert "outcomes.jsonl:91 was cut off" in words(html)


def test_what_others_wrote_is_shown_and_never_run():
    hostile = outcome(
        1, right=False, suite=HOSTILE[:-2], case=HOSTILE, domain=HOSTILE, routed_to=HOSTILE, system=HOSTILE,
        answer=HOSTILE, why=HOSTILE, confidence=0.9, threshold=0.5,
    )  # fmt: skip
    html = report_page(made([hostile, hostile.model_copy(update={"case": "2", "ending": "failed"})]))
    assert "<script" not in html
    assert not re.search(r"<img", html)
    assert "\u202e" not in html
    assert "[U+202E]gnorw" in html
    assert 'dir="auto"' in html
    html.encode()


@given(st.text(max_size=60), st.text(max_size=60))
@settings(max_examples=30, deadline=None)
def test_no_text_whatever_becomes_markup(answer, why):
    plain = report_page(made([outcome(1, right=False, answer="x", why="y")]))
    html = report_page(made([outcome(1, right=False, answer=f"x{answer}", why=f"y{why}")]))
    html.encode()
    assert re.findall(r"<[a-z0-9]+", html) == re.findall(r"<[a-z0-9]+", plain)


def test_a_run_that_kept_no_texts_names_its_cases_alone():
    shown = words(report_page(made([outcome(1, right=False, answer=None, why="5, expected 6")])))
    assert "kept no texts" in shown
    assert "office/1" in shown
    assert "5, expected 6" in shown


def test_thousands_of_cases_with_long_answers_stay_a_small_page():
    long = "Long words in a long answer. " * 200
    many = [
        outcome(i, right=i % 3 > 0, confidence=(i * 37 % 1000) / 1000, threshold=0.5, draft_score=float(i % 3 > 0),
                answer=long, routed_to="finance", classify_ms=3.0)
        for i in range(7000)
    ]  # fmt: skip
    assert len(report_page(made(many)).encode()) < 300_000
