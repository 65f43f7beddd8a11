"""One address with several servers behind it: who lost a call is not the address, and it is asked again."""

import time

import httpx
import openai
import pytest

from moslm.config import ResilienceSettings
from moslm.errors import BackendDown, BackendError
from moslm.models.replicas.attempts import Attempts
from moslm.models.replicas.blame import lost_behind
from moslm.models.replicas.pool import ReplicaPool

REQUEST = httpx.Request("POST", "http://127.0.0.1:8000/small/v1/chat/completions")
OURS = {"message": "the engine has failed", "type": "server_error", "code": None}


def answered(status, body, **headers):
    kind = openai.InternalServerError if status >= 500 else openai.BadRequestError
    return kind(f"Error code: {status}", response=httpx.Response(status, request=REQUEST, headers=headers), body=body)


def torn():
    error = openai.APIConnectionError(request=REQUEST)
    error.__cause__ = httpx.RemoteProtocolError("peer closed connection without sending complete message body")
    return error


def refused():
    error = openai.APIConnectionError(request=REQUEST)
    error.__cause__ = httpx.ConnectError("All connection attempts failed")
    return error


@pytest.fixture
def pool():
    return ReplicaPool("m", ["http://127.0.0.1:8000/small/v1"], ResilienceSettings(), lambda _: False, balanced=True)


def call(pool):
    return Attempts(pool, [], time.monotonic() + 30)


@pytest.mark.parametrize(
    ("error", "is_lost"),
    [
        (torn(), True),
        (answered(500, "Internal Server Error"), True),
        (answered(502, None), True),
        (answered(500, OURS), False),
        (answered(503, "no places", **{"retry-after": "2"}), False),
        (answered(400, OURS), False),
        (refused(), False),
        (openai.APITimeoutError(request=REQUEST), False),
    ],
)
def test_a_lost_server_is_told_from_a_failure_and_from_a_balancer_that_is_not_there(error, is_lost):
    assert lost_behind(error) is is_lost


def test_fifty_calls_that_went_down_with_one_server_are_each_made_again_at_once(pool):
    calls = [call(pool) for _ in range(50)]
    assert {each.next() for each in calls} == {0}
    for each in calls:
        each.failed(answered(500, "Internal Server Error"))
        assert each.next() == 0
        use = each.answered(10)
        assert (use.attempts, use.met) == (2, ["replica 1 lost the server behind its address"])
    (state,) = pool.states()
    assert (state.standing, state.opened, state.deaths) == ("in_service", 0, 0)


def test_an_address_behind_which_every_server_is_lost_is_left_alone_after_a_while(pool):
    def ask(asked):
        while True:
            asked.next()
            asked.failed(torn())

    for _ in range(2):
        with pytest.raises(BackendError):
            ask(call(pool))
    assert pool.states()[0].standing == "open"


def test_a_balancer_that_is_not_there_is_down_like_any_server(pool):
    asked = call(pool)
    asked.next()
    asked.failed(refused())
    assert pool.states()[0].standing == "down"
    with pytest.raises(BackendDown):
        asked.next()


def test_a_failure_in_the_servers_own_words_is_made_again_within_the_retry_budget_alone(pool):
    spent = 0
    for _ in range(8):
        asked = call(pool)
        asked.next()
        asked.failed(answered(500, OURS))
        try:
            asked.next()
        except BackendError:
            break
        asked.answered(1)
        spent += 1
    assert 5 <= spent < 8
