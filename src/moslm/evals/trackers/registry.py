"""Fitted classifiers and calibrations in MLflow's registry: each a version, one the champion, one the challenger.

What is registered is read first, by the reader that serves it: a file that was altered is refused here as there. It
holds numbers and names, and no text that it was fitted on.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflow.exceptions import MlflowException

from moslm.errors import ConfigError
from moslm.escalation.calibration.artefact import read_calibration
from moslm.evals.trackers.store import Store, told_in_one_line
from moslm.models.classifiers import artefact

CHAMPION, CHALLENGER, FORMER = "champion", "challenger", "former"
"""Aliases: what serves, what is to be tried against it, and what served before."""
CLASSIFIER = "moslm-classifier"
EXPERIMENT = "moslm-models"

_FOLDER = "model"
_SHA256 = "moslm.sha256"


@dataclass(frozen=True, slots=True)
class Registered:
    """One version of a model."""

    name: str
    version: str
    new: bool = True
    """Whether it was not there before."""


def register_classifier(store: Store, folder: Path) -> Registered:
    """Register a fitted head as the challenger.

    Args:
        store: Where.
        folder: What ``moslm fit --out`` wrote.

    Raises:
        ConfigError: It is no head, or the store cannot be written.
    """
    head, card = artefact.read(folder), artefact.read_card(folder)
    files = {name: (folder / name).read_bytes() for name in ("card.json", *card["files"])}
    tags = {"moslm.version": head.version, "moslm.encoder": head.encoder_name, "moslm.labels": ", ".join(head.labels)}
    return _register(store, CLASSIFIER, files, tags)


def register_calibration(store: Store, file: Path) -> Registered:
    """Register a calibration as the challenger of its model.

    Args:
        store: Where.
        file: What ``moslm calibrate --out`` wrote.

    Raises:
        ConfigError: It is no calibration, or the store cannot be written.
    """
    found = read_calibration(file)
    tags = {"moslm.version": found.version, "moslm.model": found.model, "moslm.revision": found.revision}
    return _register(store, f"moslm-calibration-{_plain(found.model)}", {file.name: file.read_bytes()}, tags)


def promote(store: Store, name: str, version: str | None = None) -> tuple[Registered, str | None]:
    """Make the challenger, or a version that is named, the champion.

    Args:
        store: Where.
        name: Of the model.
        version: By default the challenger.

    Returns:
        The champion, and the version that was one before.

    Raises:
        ConfigError: There is no such model, version or challenger.
    """
    _named(store, name)
    wanted = version or _alias(store, name, CHALLENGER)
    if wanted is None:
        mend = "register one with moslm eval register, or name a --version"
        raise ConfigError("has no challenger", key="model", value=name, mend=mend)
    if all(str(each.version) != wanted for each in _versions(store, name)):
        there = ", ".join(sorted(str(each.version) for each in _versions(store, name)))
        raise ConfigError("no such version", key="--version", value=wanted, mend=f"one of: {there}")
    before = _alias(store, name, CHAMPION)
    with told_in_one_line(store.at):
        if before is not None and before != wanted:
            store.client.set_registered_model_alias(name, FORMER, before)
        store.client.set_registered_model_alias(name, CHAMPION, wanted)
        if _alias(store, name, CHALLENGER) == wanted:
            store.client.delete_registered_model_alias(name, CHALLENGER)
    return Registered(name, wanted, new=before != wanted), before if before != wanted else None


def fetch(store: Store, name: str, out: Path) -> Registered:
    """Write the champion's files to a folder, checked by the reader that will serve them.

    Args:
        store: Where.
        name: Of the model.
        out: The folder.

    Raises:
        ConfigError: There is no champion, it cannot be read, or the folder cannot be written.
    """
    _named(store, name)
    version = _alias(store, name, CHAMPION)
    if version is None:
        raise ConfigError("has no champion", key="model", value=name, mend="promote one with moslm eval promote")
    with told_in_one_line(store.at), tempfile.TemporaryDirectory() as draft:
        run = store.client.get_model_version(name, version).run_id
        there = Path(store.client.download_artifacts(str(run), _FOLDER, draft))
        files = sorted(file for file in there.iterdir() if file.is_file())
        if name == CLASSIFIER:
            artefact.read(there)
        else:
            for file in files:
                read_calibration(file)
        out.mkdir(parents=True, exist_ok=True)
        for file in files:
            shutil.copy(file, out / file.name)
    return Registered(name, version, new=False)


def _register(store: Store, name: str, files: Mapping[str, bytes], tags: Mapping[str, str]) -> Registered:
    sha256 = hashlib.sha256(b"".join(hashlib.sha256(files[each]).digest() for each in sorted(files))).hexdigest()
    with told_in_one_line(store.at):
        if store.client.search_registered_models(f"name = '{name}'"):
            same = [each for each in _versions(store, name) if each.tags.get(_SHA256) == sha256]
            if same:
                version = str(same[0].version)
                if version != _alias(store, name, CHAMPION):
                    store.client.set_registered_model_alias(name, CHALLENGER, version)
                return Registered(name, version, new=False)
        else:
            store.client.create_registered_model(name)
        run = store.client.create_run(store.experiment(EXPERIMENT), run_name=f"{name} {tags['moslm.version']}")
        store.attach(run.info.run_id, files, _FOLDER)
        store.client.set_terminated(run.info.run_id)
        told = {**tags, _SHA256: sha256}
        source = f"{run.info.artifact_uri}/{_FOLDER}"
        made = store.client.create_model_version(name, source, run.info.run_id, tags=told)
        store.client.set_registered_model_alias(name, CHALLENGER, str(made.version))
    return Registered(name, str(made.version))


def _named(store: Store, name: str) -> None:
    with told_in_one_line(store.at):
        there = sorted(each.name for each in store.client.search_registered_models())
    if name not in there:
        mend = f"one of: {', '.join(there)}" if there else "register one with moslm eval register"
        raise ConfigError("no such model", key="model", value=name, mend=mend)


def _versions(store: Store, name: str) -> list[Any]:
    return list(store.client.search_model_versions(f"name = '{name}'"))


def _alias(store: Store, name: str, alias: str) -> str | None:
    try:
        return str(store.client.get_model_version_by_alias(name, alias).version)
    except MlflowException:
        return None


def _plain(name: str) -> str:
    return "".join(char if char.isalnum() or char in "-_." else "-" for char in name)
