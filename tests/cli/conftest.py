import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from moslm.cli import main
from moslm.governance.audit import AuditLog

# tests run in importlib mode: what they share is found only if its folder is named
sys.path.insert(0, str(Path(__file__).parents[1] / "governance"))

SCRIPTED = """
[defaults.model]
kind = "scripted"
replies = ["The budget has 412 euros left."]
confidence = 0.95
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty folder to work in, so that no moslm.toml lies about."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("MOSLM_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("NO_COLOR", raising=False)
    return here


@pytest.fixture
def config(folder):
    """A moslm.toml in the working folder, whose every model is scripted."""
    file = folder / "moslm.toml"
    file.write_text(SCRIPTED)
    return file


@pytest.fixture
def log(tmp_path):
    """The audit log the commands read and write."""
    log = AuditLog(tmp_path / "home" / "audit.sqlite")
    yield log
    log.close()


@pytest.fixture
def moslm_command(capsys):
    """Run one command in this process; return its exit code, stdout and stderr."""

    def run(*arguments):
        code = main(list(arguments))
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


@pytest.fixture
def terminal():
    """A terminal to be a command's stdin, at which these bytes are typed and then Ctrl-D."""
    opened = []

    def typing(text):
        opened.extend(pty.openpty())
        os.write(opened[-2], text + b"\x04")
        return opened[-1]

    yield typing
    for end in opened:
        os.close(end)


@pytest.fixture
def process():
    """Run one command in a process of its own; return what `subprocess.run` returns."""

    def run(*arguments, **options):
        command = [sys.executable, "-c", "import sys; from moslm.cli import main; sys.exit(main())", *arguments]
        return subprocess.run(command, capture_output=True, timeout=120, **options)

    return run
