"""MLflow keeps runs and models in one SQLite file, and no text that nobody told it to keep."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta

import pytest

from moslm.cli import main
from moslm.escalation.calibration import artefact as calibrations
from moslm.evals.trackers.registry import CLASSIFIER, fetch
from moslm.evals.trackers.store import Store
from moslm.graph.confidence import file_name
from moslm.models.classifiers import artefact

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A store with its tables: making them is what takes long."""
    folder = tmp_path_factory.mktemp("mlflow")
    Store(f"sqlite:///{folder / 'mlflow.db'}")
    return folder


@pytest.fixture
def at(empty, tmp_path):
    (tmp_path / "store").mkdir()
    shutil.copy(empty / "mlflow.db", tmp_path / "store" / "mlflow.db")
    return f"sqlite:///{tmp_path / 'store' / 'mlflow.db'}"


def test_a_run_is_kept_with_parameters_figures_and_files(run_of_canaries, command, at, capsys):
    assert command("track", run_of_canaries, "--to", "mlflow", "--at", at, "--project", "pilot") == 0
    client = Store(at).client
    run = client.search_runs([client.get_experiment_by_name("pilot").experiment_id])[0]
    assert run.info.status == "FINISHED"
    assert run.data.params["config_sha256"] == "c"
    assert run.data.metrics["moslm/all/accuracy"] == 0.5
    assert run.data.metrics["moslm/all/accuracy.low"] < 0.5 < run.data.metrics["moslm/all/accuracy.high"]
    assert {each.path for each in client.list_artifacts(run.info.run_id)} == {
        "report.json",
        "params.json",
        "outcomes.jsonl",
    }
    assert f"3 outcomes, no texts: run {run.info.run_id} of pilot" in capsys.readouterr().out


def test_no_byte_of_the_store_holds_a_text_unless_told_to(
    run_of_canaries, command, at, canaries, bytes_below, tmp_path
):
    command("track", run_of_canaries, "--to", "mlflow", "--at", at)
    kept = bytes_below(tmp_path / "store")
    assert b"moslm/all/accuracy" in kept
    assert [each for each in canaries if each in kept] == []
    command("track", run_of_canaries, "--to", "mlflow", "--at", at, "--with-texts")
    kept = bytes_below(tmp_path / "store")
    assert b"CANARY-ANSWER" in kept
    assert b"CANARY-PAGE" in kept


def test_a_classifier_goes_from_challenger_to_champion_and_back_to_a_folder(at, tmp_path, capsys):
    shipped = str(artefact.SHIPPED)
    assert main(["eval", "register", "--classifier", shipped, "--at", at]) == 0
    assert main(["eval", "register", "--classifier", shipped, "--at", at]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told == ["moslm-classifier 1: registered as the challenger", "moslm-classifier 1: is registered already"]
    assert main(["eval", "promote", CLASSIFIER, "--at", at, "--out", str(tmp_path / "served")]) == 0
    assert "moslm-classifier 1 is the champion" in capsys.readouterr().out
    assert artefact.read(tmp_path / "served").version == artefact.read(artefact.SHIPPED).version
    assert sorted(each.name for each in (tmp_path / "served").iterdir()) == ["bank.npz", "card.json", "head.npz"]


def test_of_two_calibrations_the_later_challenges_and_the_former_champion_is_known(at, tmp_path, capsys):
    folder = artefact.SHIPPED.parents[2] / "escalation/calibration/shipped"
    first = folder / file_name("smollm2-135m-instruct")
    found = calibrations.read_calibration(first)
    later = replace(found, expires=found.expires + timedelta(days=1))
    calibrations.write_calibration(tmp_path / "later.json", later)
    name = "moslm-calibration-smollm2-135m-instruct"
    main(["eval", "register", "--calibration", str(first), "--at", at])
    main(["eval", "promote", name, "--at", at])
    main(["eval", "register", "--calibration", str(tmp_path / "later.json"), "--at", at])
    capsys.readouterr()
    assert main(["eval", "promote", name, "--at", at]) == 0
    assert capsys.readouterr().out == f"{name} 2 is the champion; version 1 was it before\n"
    assert Store(at).client.get_model_version_by_alias(name, "former").version == 1
    assert main(["eval", "promote", name, "--at", at]) == 2
    assert "has no challenger; register one with moslm eval register, or name a --version" in capsys.readouterr().err
    assert main(["eval", "promote", name, "--version", "1", "--at", at]) == 0
    fetch(Store(at), name, tmp_path / "served")
    assert calibrations.read_calibration(tmp_path / "served" / first.name) == found


def test_what_was_altered_is_registered_nowhere(at, tmp_path, capsys):
    shutil.copytree(artefact.SHIPPED, tmp_path / "altered")
    (tmp_path / "altered" / "head.npz").write_bytes(b"PK")
    assert main(["eval", "register", "--classifier", str(tmp_path / "altered"), "--at", at]) == 2
    assert "is truncated or not the file its card names" in capsys.readouterr().err
    assert Store(at).client.search_registered_models() == []


def test_an_address_that_is_none_and_a_model_that_is_not_there_are_told(at, capsys):
    assert main(["eval", "promote", "moslm-clasifier", "--at", at]) == 2
    assert "model = 'moslm-clasifier': no such model; register one" in capsys.readouterr().err
    assert main(["eval", "promote", "x", "--at", "nonsense://x"]) == 2
    assert "--at = 'nonsense://x': MLflow did not take it" in capsys.readouterr().err


def test_mlflow_does_not_tell_its_makers():
    from mlflow.telemetry.utils import is_telemetry_disabled

    assert is_telemetry_disabled()
