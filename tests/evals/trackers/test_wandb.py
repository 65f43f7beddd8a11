"""Weights & Biases keeps a run offline in one folder, and no text that nobody told it to keep."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytestmark = pytest.mark.loopback  # its own process listens on loopback where it has no Unix socket


def test_a_run_is_written_and_no_byte_of_it_is_a_text_unless_told_to(
    run_of_canaries, command, canaries, bytes_below, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert (
        command("track", run_of_canaries, "--to", "wandb", "--at", str(tmp_path / "wandb"), "--project", "pilot") == 0
    )
    kept = bytes_below(tmp_path / "wandb")
    assert b"moslm/all/accuracy" in kept
    assert b"outcomes.jsonl" in kept
    assert [each for each in canaries if each in kept] == []
    place = Path(capsys.readouterr().out.rpartition("wandb sync ")[2].split()[0])
    record = next(place.glob("*.wandb")).read_bytes()
    assert b"moslm/all/accuracy" in record  # so that a search of its bytes finds what is in it
    assert command("track", run_of_canaries, "--to", "wandb", "--at", str(tmp_path / "texts"), "--with-texts") == 0
    assert b"CANARY-ANSWER" in bytes_below(tmp_path / "texts")
    assert not (tmp_path / "home").exists()
    assert not any(name.startswith("WANDB_") and name.endswith("_DIR") for name in os.environ)


def test_a_folder_that_cannot_be_written_is_named(run_of_canaries, command, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert command("track", run_of_canaries, "--to", "wandb", "--at", str(tmp_path / "file" / "runs")) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_its_reports_of_errors_are_off():
    import moslm.evals.trackers.wandb  # noqa: F401

    assert os.environ["WANDB_ERROR_REPORTING"] == "false"
