from __future__ import annotations

import fcntl
import hashlib
import io
import os
import pty
import struct
import subprocess
import sys
import termios
from argparse import ArgumentParser

import pytest

from moslm.cli import pull as command
from moslm.errors import WeightsError
from moslm.models.weights import PINNED, Weights

BYTES = bytes(range(256)) * 12_000
SHA256 = hashlib.sha256(BYTES).hexdigest()


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("MOSLM_HOME", str(tmp_path / "shelf"))
    monkeypatch.setitem(PINNED, "tiny", Weights("tiny", "tiny.gguf", SHA256, len(BYTES), "Apache-2.0"))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "usb").mkdir()
    (tmp_path / "usb" / "tiny.gguf").write_bytes(BYTES)
    return tmp_path / "usb"


def _run(*arguments: str) -> int:
    parser = ArgumentParser()
    command.arguments(parser)
    return command.run(parser.parse_args(arguments))


def test_it_prints_the_path_on_stdout_and_the_rest_on_stderr(folder, tmp_path, capsys):
    assert _run("tiny", "--from", str(folder)) == 0
    said = capsys.readouterr()
    assert said.out == f"{tmp_path}/shelf/weights/tiny/tiny.gguf\n"
    assert f"tiny: pulled, sha256 {SHA256[:12]}… proven" in said.err
    assert _run("tiny") == 0
    assert "tiny: already here" in capsys.readouterr().err


def test_in_a_log_progress_is_whole_lines(folder, capsys):
    _run("tiny", "--from", str(folder))
    said = capsys.readouterr().err
    assert "\r" not in said
    assert "tiny: 3 of 3 MB (100%)" in said.splitlines()


def test_a_log_gets_a_line_for_every_tenth_and_no_more():
    stream = io.StringIO()
    with command.progress_on(stream, "tiny") as progress:
        for done in range(0, 10_000_001, 10_000):
            progress.advance(done, 10_000_000)
    assert len(stream.getvalue().splitlines()) == 11


def test_in_a_terminal_progress_is_a_bar(folder, tmp_path):
    code = (
        "from moslm.models.weights import PINNED, Weights; from moslm.cli import pull; from argparse import Namespace; "
        f"PINNED['tiny'] = Weights('tiny', 'tiny.gguf', {SHA256!r}); "
        f"pull.run(Namespace(name='tiny', source={str(folder)!r}, sha256=None, list=False))"
    )
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = {**os.environ, "MOSLM_HOME": str(tmp_path / "terminal")}
    try:
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=theirs, env=environment, check=True
        )
    finally:
        os.close(theirs)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    assert "100%" in shown
    assert "\r" in shown
    assert done.stdout.decode().endswith("tiny.gguf\n")


def test_the_list_shows_what_is_pinned_and_what_is_here(folder, capsys):
    assert _run("--list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("smollm2-135m-instruct  98 MB  Apache-2.0  not here") for line in lines)
    _run("tiny", "--from", str(folder))
    capsys.readouterr()
    _run("--list")
    assert "tiny  3 MB  Apache-2.0  here" in capsys.readouterr().out


def test_what_cannot_be_is_an_error_of_one_line(folder):
    (folder / "tiny.gguf").write_bytes(b"other")
    with pytest.raises(WeightsError) as refused:
        _run("tiny", "--from", str(folder))
    assert "\n" not in str(refused.value)
