import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from moslm.serving.looking import look

pytestmark = pytest.mark.loopback

MODELS = json.dumps({"data": [{"id": "finance-7b"}, {"id": "finance"}]}).encode()


@contextmanager
def serving(answers):
    """A server whose paths answer (status, body), or do what a function does with the handler."""
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append((self.path, self.headers.get("Authorization")))
            answer = answers.get(self.path, (404, b""))
            if callable(answer):
                answer(self)
                return
            self.send_response(answer[0])
            self.end_headers()
            self.wfile.write(answer[1])

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@pytest.mark.parametrize("health", [(200, b""), (404, b"")])
def test_a_server_that_is_well_shows_its_models(health):
    with serving({"/health": health, "/v1/models": (200, MODELS)}) as (url, seen):
        (found,) = look([url], None)
    assert (found.problem, found.models) == (None, ("finance-7b", "finance"))
    assert seen == [("/health", None), ("/v1/models", None)]


def test_the_key_is_sent():
    with serving({"/health": (200, b""), "/v1/models": (200, MODELS)}) as (url, seen):
        look([url], "secret")
    assert seen[-1] == ("/v1/models", "Bearer secret")


@pytest.mark.parametrize(
    ("answers", "problem"),
    [
        ({"/health": (503, b"")}, "says that it is not well (/health answers 503)"),
        ({"/health": (200, b""), "/v1/models": (401, b"")}, "refuses the key (/models answers 401)"),
        ({"/health": (200, b"")}, "is no OpenAI-compatible server (/models answers 404)"),
        ({"/health": (200, b""), "/v1/models": (200, b"<html>")}, "lists no models that can be read"),
        ({"/health": (200, b""), "/v1/models": (200, b'{"data": [1]}')}, "lists no models that can be read"),
        ({"/health": lambda handler: handler.wfile.write(b"SSH-2.0\r\n")}, "nothing answers there as web servers do"),
    ],
)
def test_what_is_wrong_with_a_server_is_said(answers, problem):
    with serving(answers) as (url, _):
        assert look([url], None)[0].problem == problem


def test_nothing_at_an_address_is_said():
    with serving({}) as (url, _):
        pass
    assert look([url], None)[0].problem == "nothing answers there"


def _hang(handler):
    time.sleep(1.5)


def _trickle(handler):
    handler.send_response(200)
    handler.end_headers()
    try:
        for _ in range(30):
            handler.wfile.write(b" ")
            time.sleep(0.05)
    except OSError:
        pass


@pytest.mark.parametrize("slow", [_hang, _trickle])
def test_a_slow_server_holds_nobody_up(slow):
    with serving({"/health": slow}) as (url, _):
        started = time.perf_counter()
        (found,) = look([url], None, timeout_s=0.2)
        assert time.perf_counter() - started < 1.2
    assert found.problem == "did not answer within 0.2 s"


def test_many_servers_are_looked_at_at_the_same_time():
    with serving({"/health": lambda handler: time.sleep(0.4)}) as (url, _):
        started = time.perf_counter()
        assert len(look([url] * 6, None)) == 6
        assert time.perf_counter() - started < 1.6
