import os
import signal
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from moslm.errors import ConfigError
from moslm.serving.launching import launches
from moslm.serving.looking import Seen
from moslm.serving.replica import Replica
from moslm.serving.supervising import Supervisor

pytestmark = pytest.mark.loopback


@pytest.fixture
def serve(fake, tmp_path):
    """Begin to supervise the scripted vLLM; everything is taken down after the test."""
    made = []

    def begin(port, mode="ok", **settings):
        supervisor = Supervisor(launches("small", fake.settings(port, mode, **settings)), tmp_path / "logs")
        made.append(supervisor)
        supervisor.begin()
        return supervisor

    yield begin
    for supervisor in made:
        supervisor.stop()


@pytest.fixture
def steps(until):
    """Step until a condition holds."""

    def step_until(supervisor, condition):
        return until(lambda: supervisor.step() or condition())

    return step_until


def test_a_server_loads_becomes_healthy_is_measured_and_is_taken_down(serve, steps, fake, free_port, is_running):
    supervisor = serve(port := free_port())
    (replica,) = supervisor.replicas
    assert replica.state == "loading"
    steps(supervisor, lambda: replica.state == "healthy")
    assert "Loading weights: 50 %" in " ".join(replica.tail(3))
    steps(supervisor, lambda: replica.figures.tokens_per_s)
    assert 50 < replica.figures.tokens_per_s < 200
    assert replica.figures.running == 1
    assert replica.figures.memory > 5e6
    ((own, engine),) = fake.pids(port)
    assert is_running(own)
    assert is_running(engine)
    supervisor.stop()
    assert replica.state == "stopped"
    assert not is_running(own)
    assert not is_running(engine)
    assert "ending in order" in replica.tail(1)


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        ("no_model", "no such model"),
        ("oom", "out of memory"),
        ("cpu", "this CPU lacks instructions"),
        ("sigill", "this CPU lacks instructions"),
        ("port", "port {port} is taken"),
        ("unknown", "ended with status 1: ValueError: a quite new trouble"),
    ],
)
def test_a_server_that_does_not_start_says_why_in_one_line(serve, steps, free_port, mode, reason):
    supervisor = serve(port := free_port(), mode)
    steps(supervisor, lambda: supervisor.all_failed)
    (replica,) = supervisor.replicas
    assert replica.reason.startswith(reason.format(port=port))
    assert "\n" not in replica.reason
    assert replica.restarted == 0


def test_a_command_that_is_not_there_is_told(serve, steps, free_port):
    supervisor = serve(free_port(), command=["/no/such/vllm", "serve"])
    steps(supervisor, lambda: supervisor.all_failed)
    assert supervisor.replicas[0].reason == "cannot run /no/such/vllm: No such file or directory"


def test_a_server_that_is_not_healthy_in_time_is_ended(serve, steps, fake, free_port, until, is_running):
    supervisor = serve(port := free_port(), "never", ready_s=8)
    until(lambda: fake.pids(port))
    steps(supervisor, lambda: supervisor.all_failed)
    assert supervisor.replicas[0].reason == "was not healthy after 8 s; its last words: Loading weights: 50 %"
    assert not any(map(is_running, fake.pids(port)[0]))


def test_one_that_fails_leaves_the_others_alone(serve, steps, free_port, fake, tmp_path):
    good, bad = free_port(), free_port()
    both = [*launches("good", fake.settings(good)), *launches("bad", fake.settings(bad, "oom"))]
    with Supervisor(both, tmp_path / "logs") as supervisor:
        supervisor.begin()
        steps(supervisor, lambda: supervisor.settled)
        assert [replica.state for replica in supervisor.replicas] == ["healthy", "failed"]


def test_a_server_that_runs_already_is_adopted_and_never_ended(serve, steps, fake, free_port, until, is_running):
    theirs = fake.start_apart(port := free_port())
    try:
        until(lambda: not _refuses(port))
        supervisor = serve(port)
        (replica,) = supervisor.replicas
        assert (replica.state, replica.adopted, replica.child) == ("healthy", True, None)
        supervisor.stop()
        assert is_running(theirs.pid)
        assert len(fake.pids(port)) == 1
    finally:
        theirs.kill()
        theirs.wait()


def test_an_adopted_server_that_goes_away_is_told_and_not_replaced(serve, steps, fake, free_port, until):
    theirs = fake.start_apart(port := free_port())
    until(lambda: not _refuses(port))
    supervisor = serve(port)
    theirs.kill()
    theirs.wait()
    steps(supervisor, lambda: supervisor.replicas[0].state == "unwell")
    assert supervisor.replicas[0].reason == "nothing answers there"
    assert len(fake.pids(port)) == 1


def test_a_replica_that_lost_an_adapter_is_unwell_until_it_has_it_again(fake, free_port, tmp_path):
    settings = fake.settings(free_port(), adapters={"finance": "org/fin"})
    (launch,) = launches("small", settings)
    whole, lacking = (Seen(launch.base_url, None, names) for names in (("small", "finance"), ("small",)))
    replica = Replica(launch, tmp_path / "log", lambda: 0.0)
    replica.begin(whole)
    for _ in range(3):
        replica.step(lacking)
    assert (replica.state, replica.reason) == ("unwell", "no longer serves finance")
    replica.step(whole)
    assert (replica.state, replica.reason) == ("healthy", "")


def test_a_port_that_serves_other_models_is_not_touched(serve, fake, free_port, until, is_running):
    theirs = fake.start_apart(port := free_port(), "other")
    try:
        until(lambda: not _refuses(port))
        supervisor = serve(port)
        assert supervisor.replicas[0].reason == f"port {port} is taken by a server of other models (other)"
        supervisor.stop()
        assert is_running(theirs.pid)
    finally:
        theirs.kill()
        theirs.wait()


def test_a_port_that_something_else_listens_on_is_told(serve, fake):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_error(404)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        supervisor = serve(server.server_port)
        assert supervisor.replicas[0].reason.startswith(f"port {server.server_port} is taken: ")
        assert not fake.pids(server.server_port)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_replica_that_is_killed_is_started_again_while_the_other_stays(serve, steps, fake, free_port, is_running):
    supervisor = serve(port := free_port(2), replicas=2)
    first, second = supervisor.replicas
    steps(supervisor, lambda: first.state == second.state == "healthy")
    ((own, engine),) = fake.pids(port)
    os.kill(own, signal.SIGKILL)
    steps(supervisor, lambda: first.state == "restarting")
    assert first.reason.startswith("killed from outside")
    assert not is_running(engine)
    steps(supervisor, lambda: first.state == "healthy")
    assert (first.restarted, second.restarted) == (1, 0)
    assert len(fake.pids(port + 1)) == 1
    assert "Loading weights" in first.log.with_name(f"{first.log.name}.1").read_text()


def test_a_replica_that_keeps_dying_is_given_up(serve, steps, fake, free_port):
    supervisor = serve(port := free_port(), restarts=1)
    (replica,) = supervisor.replicas
    for starts in (1, 2):
        steps(supervisor, lambda: replica.state == "healthy")
        assert len(fake.pids(port)) == starts
        os.kill(fake.pids(port)[-1][0], signal.SIGKILL)
        steps(supervisor, lambda: replica.state in ("restarting", "failed"))
    assert replica.state == "failed"
    assert replica.reason.endswith("(started again 1 times)")


def test_without_its_key_nothing_is_started(serve, fake, free_port, monkeypatch):
    monkeypatch.delenv("SMALL_KEY", raising=False)
    with pytest.raises(ConfigError, match=r"servers.small.api_key_env = 'SMALL_KEY'"):
        serve(port := free_port(), api_key_env="SMALL_KEY")
    assert not fake.pids(port)


def _refuses(port):
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) != 0
