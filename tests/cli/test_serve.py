import fcntl
import os
import pty
import signal
import socket
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest
import yaml

from moslm.serving.on_ray import running

pytestmark = pytest.mark.loopback

FAKE = Path(__file__).parents[1] / "serving" / "fake_vllm.py"
MOSLM = [sys.executable, "-c", "import sys; from moslm.cli import main; sys.exit(main())", "serve"]


def until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)
    return found


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def port(folder):
    """A free port, on which moslm.toml here serves the scripted vLLM."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        found = free.getsockname()[1]
    command = [sys.executable, str(FAKE), "serve"]
    (folder / "moslm.toml").write_text(
        f'[servers.small]\nmodel = "org/base"\nport = {found}\ndevice = "cpu"\ncommand = {command}\n'
        f'env = {{ FAKE_VLLM_NOTES = "{folder}" }}\n'
    )
    return found


@pytest.fixture
def pids(folder, port):
    """The processes of the server, once it has noted them."""
    return lambda: [int(pid) for pid in until(lambda: (folder / f"{port}.pids").exists() and noted(folder, port))]


def noted(folder, port):
    return (folder / f"{port}.pids").read_text().split()


def test_the_command_line_is_printed_and_nothing_started(moslm_command, folder, port):
    code, out, _ = moslm_command("serve", "--print")
    assert code == 0
    assert f"serve org/base --host 127.0.0.1 --port {port} --served-model-name small" in out
    assert not (folder / f"{port}.pids").exists()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [(["smal"], "servers.smal: no such server; did you mean small?"), ([], "no server is configured")],
)
def test_a_server_that_is_not_configured_is_told(moslm_command, folder, port, arguments, complaint):
    if not arguments:
        (folder / "moslm.toml").write_text("")
    code, _, err = moslm_command("serve", *arguments)
    assert (code, complaint in err) == (2, True)


def test_on_ray_the_configuration_of_ray_serve_is_printed_and_nothing_started(moslm_command, folder, port):
    code, out, _ = moslm_command("serve", "--engine", "ray", "--print")
    (application,) = yaml.safe_load(out)["applications"]
    assert (code, application["name"], application["route_prefix"]) == (0, "small", "/small")
    assert not (folder / f"{port}.pids").exists()
    (folder / "moslm.toml").write_text((folder / "moslm.toml").read_text() + "[ray]\nport = 8123\n")
    _, out, _ = moslm_command("serve", "--print")
    assert yaml.safe_load(out)["http_options"] == {"host": "127.0.0.1", "port": 8123}
    _, out, _ = moslm_command("serve", "--engine", "processes", "--print")
    assert f"serve org/base --host 127.0.0.1 --port {port}" in out


def test_an_engine_that_there_is_not_is_told_with_those_there_are(moslm_command, port):
    code, _, err = moslm_command("serve", "--engine", "slurm")
    assert (code, "invalid choice: 'slurm'" in err, "ray" in err) == (2, True, True)


def test_without_ray_its_extra_is_named(moslm_command, port, monkeypatch):
    monkeypatch.setattr(running, "find_spec", lambda _: None)
    code, _, err = moslm_command("serve", "--engine", "ray")
    assert (code, "run: pip install 'moslm[ray]'" in err) == (2, True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_however_it_is_ended_its_servers_end_with_it(folder, pids, number):
    out = folder / "out"
    with out.open("wb") as file:
        serve = subprocess.Popen(MOSLM, stdout=file, stderr=file)
    own = pids()
    until(lambda: "healthy: http" in out.read_text())
    serve.send_signal(number)
    assert serve.wait(30) == (-9 if number == signal.SIGKILL else 0)
    until(lambda: not any(map(is_running, own)), 30)
    if number != signal.SIGKILL:
        assert "small/0  stopped" in out.read_text()


def test_when_its_terminal_dies_its_servers_end(pids):
    ours, theirs = pty.openpty()

    def take_terminal():
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

    serve = subprocess.Popen(
        MOSLM, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, preexec_fn=take_terminal
    )
    os.close(theirs)
    own = pids()
    os.close(ours)
    assert serve.wait(40) in (0, 129, -1)
    until(lambda: not any(map(is_running, own)), 30)


def test_a_server_that_fails_is_one_line_and_the_exit_status(folder, port):
    file = folder / "moslm.toml"
    file.write_text(file.read_text().replace("env = {", 'env = { FAKE_VLLM = "oom",'))
    done = subprocess.run(MOSLM, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "small/0  failed: out of memory; lower context" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
