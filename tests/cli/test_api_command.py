from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from moslm.cli import main

KEYED = '\n[api.keys.shop]\nenv = "SHOP_KEY"\ntenant = "shop"\n'


@pytest.mark.loopback
def test_the_command_serves_until_it_is_told_to_stop(config, monkeypatch):
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    command = [str(Path(sys.executable).with_name("moslm")), "api", "--port", "0"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        line = next(line for line in process.stdout if "serving" in line)
        url = re.search(r"http://\S+", line).group(0)
        asked = {"model": "moslm", "messages": [{"role": "user", "content": "How much is left of the travel budget?"}]}
        said = httpx.post(f"{url}/chat/completions", json=asked, timeout=60, trust_env=False)
        assert said.json()["choices"][0]["message"]["content"] == "The budget has 412 euros left."
        assert said.headers["x-moslm-decision"]
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) in (0, -signal.SIGTERM)
        process.stdout.close()


def test_other_machines_are_let_in_with_keys_alone(config, capsys):
    assert main(["api", "--host", "0.0.0.0"]) == 2
    assert "no key is configured; add [api.keys.NAME]" in capsys.readouterr().err


def test_a_key_that_is_not_set_is_named(config, capsys, monkeypatch):
    monkeypatch.delenv("SHOP_KEY", raising=False)
    config.write_text(config.read_text() + KEYED)
    assert main(["api"]) == 2
    assert "api.keys.shop.env = 'SHOP_KEY'" in capsys.readouterr().err


@pytest.mark.loopback
def test_a_port_that_is_taken_is_one_line(config, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["api", "--port", str(port)]) == 2
    error = capsys.readouterr().err
    assert f"--port = {port}" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("absent", ["fastapi", "prometheus_client", "uvicorn"])
def test_without_its_packages_the_command_names_the_extra(config, capsys, monkeypatch, absent):
    for name in [each for each in sys.modules if each.startswith("moslm.integrations.api.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, absent, None)
    assert main(["api", "--port", "0"]) == 2
    assert "pip install 'moslm[api]'" in capsys.readouterr().err
