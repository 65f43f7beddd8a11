"""`Manifest`: what a run was made from, so that another can be made like it, and no other goes on in its place."""

from __future__ import annotations

import platform
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from moslm.evals.suites.suite import Suite

_VERSIONS = ("moslm", "langgraph", "langchain-core", "numpy", "onnxruntime", "xllamacpp")
_SAME = ("config_sha256", "data_sha256", "systems", "judge", "checked", "seed", "sample")
"""What must be equal for a run to go on."""


class SuiteRun(BaseModel):
    """One suite of a run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cases: int
    """How many are asked."""
    of: int
    """How many it has."""
    sha256: str
    licence: str
    about: str


class Manifest(BaseModel):
    """What a run was made from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = 1
    run: str
    """Id of the run; part of every idempotency key."""
    started: str
    command: list[str]
    commit: str | None
    """Commit of the source it ran from; None outside of a checkout. Ends in ``+`` where that was changed."""
    config_sha256: str
    """Hash of the configuration as it was given; a run keeps paid answers longer, so Decisions show another."""
    data_sha256: str
    """Hash of all cases that are asked."""
    suites: dict[str, SuiteRun]
    systems: dict[str, str]
    """By system: what it is, such as the hash of its recorded answers."""
    models: dict[str, str]
    """By model: its revision, where it states one."""
    judge: str | None = None
    checked: float = 0.0
    seed: int = 0
    sample: int | None = None
    versions: dict[str, str] = {}

    def differs_from(self, other: Manifest) -> str | None:
        """Return the name of what must be equal and is not; None where all is."""
        return next((name for name in _SAME if getattr(self, name) != getattr(other, name)), None)


def made_from(
    *,
    command: Sequence[str],
    config_sha256: str,
    suites: Sequence[tuple[Suite, int]],
    data_sha256: str,
    systems: Mapping[str, str],
    models: Mapping[str, str],
    judge: str | None,
    checked: float,
    seed: int,
    sample: int | None,
) -> Manifest:
    """Return the manifest of a run that begins now.

    Args:
        command: How it was called.
        config_sha256: Hash of the configuration.
        suites: What is asked of each suite, and how many cases the suite has.
        data_sha256: Hash of all that is asked.
        systems: What is asked.
        models: Revisions of the models.
        judge: Name of the judge.
        checked: Share of checkable answers that it grades.
        seed: Of the sample.
        sample: Size of the sample of each suite.
    """
    told = {
        suite.name: SuiteRun(
            cases=len(suite.cases), of=whole, sha256=suite.sha256, licence=suite.licence, about=suite.about
        )
        for suite, whole in suites
    }
    return Manifest(
        run=uuid.uuid4().hex,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        command=list(command),
        commit=_commit(),
        config_sha256=config_sha256,
        data_sha256=data_sha256,
        suites=told,
        systems=dict(systems),
        models=dict(models),
        judge=judge,
        checked=checked,
        seed=seed,
        sample=sample,
        versions={**_versions(), "python": platform.python_version()},
    )


def _commit() -> str | None:
    here = Path(__file__).resolve().parent
    try:
        head = _git(here, "rev-parse", "HEAD")
        return head + ("+" if _git(here, "status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()


def _versions() -> dict[str, str]:
    found = {}
    for name in _VERSIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
