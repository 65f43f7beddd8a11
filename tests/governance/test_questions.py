"""Questions to people: once, by the store's own time, on one machine and on many."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import uuid4

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis_server import RedisServer

from moslm.clock import SteadyClock
from moslm.errors import ReviewError
from moslm.governance.questions import KEPT_S, Asked, Place, Questions
from moslm.governance.redis_questions import RedisQuestions

PLACE = Place("acme", "r1", 0, 0, "t")


@pytest.fixture(params=["sqlite", "redis"])
def open_book(request, tmp_path):
    """Open the questions anew, as another process would."""
    prefix = uuid4().hex

    def make():
        if request.param == "sqlite":
            return Questions(tmp_path / "reviews.sqlite", busy_seconds=30)
        server = request.getfixturevalue("redis_server")
        return RedisQuestions(server.url, prefix=prefix, timeout_s=10)

    return make


@pytest.fixture
def book(open_book):
    return open_book()


def asked(book, shown="shown", lasts_s=60.0):
    now = book.now()
    return Asked("asked", shown, now, now + lasts_s)


def decided(question, by="ann", decision="yes"):
    return replace(question, state="decided", decision_sha256=decision, by=by, role="reviewer", decided_at=1.5)


def test_a_question_is_found_as_it_was_asked_by_every_process(open_book):
    question = asked(open_book())
    open_book().ask(PLACE, question)
    assert open_book().find(PLACE) == question
    for other in ("tenant", "request"):
        assert open_book().find(replace(PLACE, **{other: "another"})) is None
    for other in ("number", "attempt"):
        assert open_book().find(replace(PLACE, **{other: 1})) is None


def test_a_decision_is_found_with_who_made_it_and_when(open_book):
    question = asked(open_book())
    open_book().ask(PLACE, question)
    outcome = decided(question)
    assert open_book().close(PLACE, outcome) == outcome
    assert open_book().find(PLACE) == outcome


def test_of_many_who_decide_at_once_one_does_and_all_others_are_told(open_book):
    question = asked(open_book())
    open_book().ask(PLACE, question)

    def decide(i):
        outcome = decided(question, by=f"person {i}", decision=str(i))
        return outcome, open_book().close(PLACE, outcome)

    with ThreadPoolExecutor(8) as pool:
        ended = list(pool.map(decide, range(16)))
    won = {stands.by for _, stands in ended}
    assert len(won) == 1
    assert sum(stands is outcome for outcome, stands in ended) == 1


def test_a_decision_about_what_is_no_longer_shown_changes_nothing(book):
    before = asked(book)
    book.ask(PLACE, before)
    after = asked(book, "something else")
    book.ask(PLACE, after)
    assert book.close(PLACE, decided(before)) == after
    assert book.find(PLACE) == after


def test_asking_anew_forgets_what_was_decided(book):
    question = asked(book)
    book.ask(PLACE, question)
    book.close(PLACE, decided(question))
    book.ask(PLACE, question)
    assert book.find(PLACE) == question


def test_deciding_what_was_never_asked_is_refused(book):
    assert book.close(PLACE, decided(asked(book))).state == "refused"


STEPS = st.lists(
    st.tuples(st.sampled_from(["ask", "decide", "refuse"]), st.sampled_from(["a", "b"]), st.integers(0, 2)), max_size=12
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_no_question_is_ever_decided_twice(book, steps):
    place, carried_out, open_now = replace(PLACE, request=uuid4().hex), 0, None
    questions = {shown: Asked("asked", shown, 1.0, book.now() + 60) for shown in ("a", "b")}
    for what, shown, who in steps:
        if what == "ask":
            book.ask(place, questions[shown])
            open_now = shown
            continue
        outcome = decided(questions[shown], by=str(who))
        if what == "refuse":
            outcome = replace(outcome, state="refused")
        stands = book.close(place, outcome)
        assert (stands is outcome) == (open_now == shown)
        carried_out += stands is outcome
        open_now = None if stands is outcome else open_now
    assert carried_out <= sum(what == "ask" for what, *_ in steps)


class TestAClockThatJumps:
    @pytest.mark.parametrize("off", [-90 * 86_400.0, -3600.0, 3600.0, 90 * 86_400.0])
    def test_moves_no_question(self, open_book, monkeypatch, off):
        before, real = open_book().now(), time.time
        monkeypatch.setattr(time, "time", lambda: real() + off)
        assert 0 <= open_book().now() - before < 60

    def test_and_a_machine_that_starts_with_an_older_clock_goes_on_from_what_the_file_knows(self, tmp_path):
        boots = iter("ab")

        def clock(wall):
            boot = next(boots)
            return lambda anchor: SteadyClock(anchor, wall=lambda: wall, uptime=lambda: 100.0, boot=boot)

        path = tmp_path / "reviews.sqlite"
        first = Questions(path, clock=clock(1_000_000.0))
        first.ask(PLACE, Asked("asked", "shown", 1_000_000.0, 1_000_060.0))
        assert Questions(path, clock=clock(500.0)).now() == 1_000_000.0


class TestRedis:
    @pytest.fixture
    def server(self, tmp_path):
        started = RedisServer(tmp_path, appendfsync="always")
        started.start()
        yield started
        started.kill()

    def test_holds_neither_tenants_nor_requests_in_names_of_keys_and_forgets_in_the_end(self, redis_server):
        prefix = uuid4().hex
        book = RedisQuestions(redis_server.url, prefix=prefix, timeout_s=10)
        question = asked(book)
        book.ask(Place("Globex AG", "request-7", 0, 0, "t"), question)
        with redis.Redis.from_url(redis_server.url) as client:
            [key] = client.keys(f"{{{prefix}}}:*")
            assert b"Globex" not in key
            assert b"request-7" not in key
            assert KEPT_S < client.ttl(key) <= KEPT_S + 60

    def test_killed_and_started_again_it_knows_who_decided(self, server):
        book = RedisQuestions(server.url, timeout_s=5)
        question = asked(book)
        book.ask(PLACE, question)
        book.close(PLACE, decided(question))
        server.kill()
        with pytest.raises(ReviewError, match="cannot be kept in Redis at"):
            book.find(PLACE)
        server.start()
        assert book.find(PLACE) == decided(question)

    def test_a_reply_that_was_lost_is_no_second_decision(self, redis_server, monkeypatch):
        book = RedisQuestions(redis_server.url, prefix=uuid4().hex, timeout_s=10)
        question = asked(book)
        book.ask(PLACE, question)
        evaluate, lost = book._client.eval, iter([True])

        def once_lost(*given):
            said = evaluate(*given)
            if next(lost, False):
                raise redis.ConnectionError("the reply was lost")
            return said

        monkeypatch.setattr(book._client, "eval", once_lost)
        outcome = decided(question)
        assert book.close(PLACE, outcome) is outcome

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"appendonly": "no"}, "keeps nothing on its disk .* or set review.redis_durable = false"),
            ({"maxmemory-policy": "volatile-ttl"}, "drops keys when its memory is full"),
        ],
    )
    def test_a_server_that_would_forget_is_refused(self, tmp_path, options, said):
        server = RedisServer(tmp_path, **options)
        server.start()
        with pytest.raises(ReviewError, match=said):
            RedisQuestions(server.url).find(PLACE)
        server.kill()

    def test_full_it_asks_nobody_and_what_was_decided_stands(self, server):
        book = RedisQuestions(server.url, timeout_s=5)
        question = asked(book)
        book.ask(PLACE, question)
        book.close(PLACE, decided(question))
        with redis.Redis.from_url(server.url) as client:
            client.config_set("maxmemory", "1kb")
        with pytest.raises(ReviewError, match="maxmemory"):
            book.ask(replace(PLACE, request="r2"), question)
        assert book.find(PLACE) == decided(question)
