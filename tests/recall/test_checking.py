"""Hits that are answered again: what counts as wrong, when a domain closes, and that nobody waits for it."""

from __future__ import annotations

import gc
import threading
import time

import pytest
from recall_samples import a_decision, a_request

from moslm.decision import DraftRecord
from moslm.recall.checking import Checker, wrong
from moslm.recall.tallies import Tally

ASKED = "How do I claim mileage?"
IN_FILLER = "Hi, how can I claim mileage?"
RIGHT, WRONG = "Enter the mileage in the portal.", "Mileage is never paid."
ALONE = a_decision(drafts=[DraftRecord(part="0", domain="finance", model="small", threshold=0.8, accepted=True)])


def closed(memory, text, id="r", decision=ALONE, reply=RIGHT):
    memory.closed(a_request(text, id=id), None, decision, reply)


def hit(memory, text=IN_FILLER, id="r"):
    """Put a request and close it, as the graph does."""
    request = a_request(text, id=id)
    reply = memory.find(request, None)
    if reply is not None:
        recalled = a_decision(outcome="recalled", answered_by="memory")
        memory.closed(request, None, recalled, reply["text"])
    return reply


def checking(memory, answer, **settings):
    """A memory whose hits are answered again by ``answer``."""
    asked = []

    def again(request, domain):
        asked.append((request["text"], domain))
        return answer() if callable(answer) else answer

    settings.setdefault("sampled", 0.0)
    made = memory(**settings)
    made.checker = Checker(again, made.own.check)
    return made, asked


@pytest.mark.parametrize(
    ("one", "other", "differ"),
    [
        (RIGHT, RIGHT, False),
        (RIGHT, "In the portal you enter the mileage.", False),
        (RIGHT, WRONG, True),
        ("The limit is 50 euros.", "The limit is 60 euros.", True),
        (RIGHT, "Ask your manager for a bicycle.", True),
        (RIGHT, "I do not know.", True),
    ],
)
def test_two_answers_differ_where_both_cannot_be_right(one, other, differ):
    assert wrong(one, other) is differ


def test_a_semantic_hit_is_answered_again_and_counted(memory):
    one, asked = checking(memory, RIGHT)
    closed(one, ASKED)
    assert hit(one)["text"] == RIGHT
    assert one.checker.wait(5)
    assert asked == [(IN_FILLER, "finance")]
    tally = one.own.tally("finance")
    assert (tally.semantic, tally.checked, tally.wrong) == (1, 1, 0)


def test_an_exact_hit_is_not_for_its_question_is_the_same(memory):
    one, asked = checking(memory, RIGHT)
    closed(one, ASKED)
    hit(one, ASKED)
    assert one.checker.wait(5)
    assert asked == []
    assert one.own.tally("finance").exact == 1


def test_what_a_large_model_answered_is_not_held_against_a_small_one(memory):
    one, asked = checking(memory, WRONG)
    closed(one, ASKED, decision=a_decision(outcome="escalated"))
    assert hit(one)
    assert one.checker.wait(5)
    assert asked == []


def test_only_the_share_that_is_set_is_answered_again(memory):
    one, asked = checking(memory, RIGHT, sample=0.5, sampled=0.6)
    closed(one, ASKED)
    assert hit(one)
    assert one.checker.wait(5)
    assert asked == []


def test_a_hit_that_was_wrong_closes_the_domain_for_similar_requests_alone(memory):
    one, _ = checking(memory, WRONG)
    closed(one, ASKED)
    assert hit(one)
    assert one.checker.wait(5)
    assert one.own.tally("finance").closed(0.01)
    assert hit(one) is None
    assert hit(one, ASKED)["recalled"]["how"] == "exact"


def test_other_domains_stay_open(memory):
    one, _ = checking(memory, WRONG)
    closed(one, ASKED)
    hit(one)
    assert one.checker.wait(5)
    closed(one, "Where is the printer?", decision=ALONE.model_copy(update={"domain": "it_support"}))
    assert hit(one, "Please, where is the printer?")


def test_a_closed_domain_is_checked_by_the_answers_that_are_made_instead_and_opens_again(memory):
    one = memory(max_false_rate=0.3)
    closed(one, ASKED)
    one.own.check("finance", True)
    for i in range(40):
        if hit(one, f"{'please ' * i}how can I claim mileage?", id=f"r{i}") is not None:
            break
        closed(one, f"{'please ' * i}how can I claim mileage?", id=f"r{i}")
    tally = one.own.tally("finance")
    assert 1 < tally.checked < 40
    assert not tally.closed(0.3)


def test_counting_anew_opens_a_domain(memory):
    one = memory()
    one.own.check("finance", True)
    assert one.own.tally("finance").closed(0.01)
    one.own.forget_checks("finance")
    assert not one.own.tally("finance").closed(0.01)


def test_the_bound_closes_at_the_rate_that_is_set():
    assert Tally("d", checked=298, wrong=0).bound > 0.01 > Tally("d", checked=299, wrong=0).bound
    assert not Tally("d", checked=10, wrong=0).closed(0.01)
    assert Tally("d", checked=472, wrong=1).closed(0.01)
    assert not Tally("d", checked=473, wrong=1).closed(0.01)


def test_a_hit_is_given_before_it_is_checked_and_nobody_waits(memory):
    free = threading.Event()
    one, asked = checking(memory, lambda: free.wait(5) and RIGHT)
    closed(one, ASKED)
    for i in range(40):  # more than may wait: the rest is left out
        assert hit(one, id=f"r{i}")
    assert one.own.tally("finance").checked == 0
    free.set()
    assert one.checker.wait(10)
    assert 1 <= len(asked) < 40


def test_a_check_that_fails_ends_none_after_it(memory, caplog):
    answers = iter([RuntimeError("broken"), RIGHT])

    def answer():
        found = next(answers)
        if isinstance(found, Exception):
            raise found
        return found

    one, _ = checking(memory, answer)
    closed(one, ASKED)
    hit(one, id="r1")
    hit(one, id="r2")
    assert one.checker.wait(5)
    assert one.own.tally("finance").checked == 1
    assert "could not be checked" in caplog.text


def test_after_the_end_nothing_more_is_asked(memory):
    one, asked = checking(memory, RIGHT)
    closed(one, ASKED)
    one.checker.close()
    assert hit(one)
    assert asked == []


def test_the_thread_ends_when_nobody_holds_the_checker():
    checker = Checker(lambda request, domain: None, lambda domain, wrong: None)
    checker.submit(a_request(ASKED), _entry())
    assert checker.wait(5)
    thread = checker._thread
    del checker
    deadline = time.monotonic() + 5
    while thread is not None and thread.is_alive() and time.monotonic() < deadline:
        gc.collect()
        time.sleep(0.05)
    assert thread is None or not thread.is_alive()


def _entry():
    from moslm.recall.entries import Entry

    return Entry("k", None, "acme", "user", "finance", "d", RIGHT, "small", True, 0.0, 0.0, 1.0)
