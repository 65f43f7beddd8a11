"""``wandb``: a run of an evaluation as a run of Weights & Biases, offline: a folder that ``wandb sync`` sends later.

Nothing leaves while it is written, nor does what W&B finds out about machine, code and packages stand in it.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

# before it is imported: it reads it then
os.environ.setdefault("WANDB_ERROR_REPORTING", "false")

import wandb

from moslm.config import home
from moslm.errors import ConfigError
from moslm.evals.trackers.account import Account


def keep(account: Account, at: str | None, project: str) -> str:
    """Keep an account as an offline run.

    Args:
        account: What is kept.
        at: Folder of the runs; by default one in MoSLM's home.
        project: Name of the project.

    Raises:
        ConfigError: The folder cannot be written.
    """
    folder = Path(at) if at else home() / "wandb"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}", key="--at", value=str(folder)) from None
    folder = folder.resolve()
    with _environment(folder):
        settings = wandb.Settings(
            console="off",
            disable_code=True,
            disable_git=True,
            save_code=False,
            silent=True,
            x_disable_machine_info=True,
            x_disable_meta=True,
            x_disable_stats=True,
            x_save_requirements=False,
        )
        run = wandb.init(
            project=project,
            name=account.name,
            dir=str(folder),
            config=dict(account.params),
            mode="offline",
            settings=settings,
        )
        with tempfile.TemporaryDirectory() as draft:
            artefact = wandb.Artifact(f"moslm-{account.manifest.run[:8]}", type="evaluation")
            for name, content in account.files.items():
                (Path(draft) / name).write_bytes(content)
                artefact.add_file(str(Path(draft) / name))
            run.log(dict(account.metrics))
            run.log_artifact(artefact)
            run.finish()
    place = Path(run.dir).parent
    return f"{place}; wandb sync {place} sends it"


@contextmanager
def _environment(folder: Path) -> Iterator[None]:
    """Keep what W&B writes in one folder, and its programs from where they would otherwise write."""
    named = {f"WANDB_{name}_DIR": str(folder / name.lower()) for name in ("CACHE", "CONFIG", "DATA", "ARTIFACT")}
    before: Mapping[str, str | None] = {name: os.environ.get(name) for name in named}
    os.environ.update(named)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
