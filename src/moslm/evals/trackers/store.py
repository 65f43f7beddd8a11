"""MLflow's store as we use it: a SQLite file by default, its own telemetry off, nothing global touched.

Knows neither runs of evaluations nor models.
"""

from __future__ import annotations

import logging
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

# before MLflow is imported: it reads them then
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("DO_NOT_TRACK", "true")
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")

from mlflow.exceptions import MlflowException

with warnings.catch_warnings():
    # what its tables ask of SQLAlchemy is SQLAlchemy's and MLflow's to settle
    warnings.simplefilter("ignore")
    import mlflow.store.model_registry.sqlalchemy_store
    import mlflow.store.tracking.sqlalchemy_store  # noqa: F401
from mlflow.tracking import MlflowClient

from moslm.config import home
from moslm.errors import ConfigError

_SQLITE = "sqlite:///"


class Store:
    """A place where MLflow keeps runs and models.

    Args:
        at: Its address; by default a SQLite file in MoSLM's home, what is attached beside it.

    Raises:
        ConfigError: It cannot be opened.
    """

    def __init__(self, at: str | None = None) -> None:
        self.at = at or f"{_SQLITE}{home() / 'mlflow.db'}"
        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.ERROR)
        with told_in_one_line(self.at):
            self._beside = _beside(self.at)
            self.client = MlflowClient(tracking_uri=self.at, registry_uri=self.at)
            self.client.search_experiments(max_results=1)

    def experiment(self, name: str) -> str:
        """Return the id of an experiment, made where it is not there."""
        found = self.client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        place = (self._beside / name).as_uri() if self._beside else None
        return str(self.client.create_experiment(name, artifact_location=place))

    def attach(self, run: str, files: Mapping[str, bytes], folder: str | None = None) -> None:
        """Attach files to a run."""
        with tempfile.TemporaryDirectory() as draft:
            for name, content in files.items():
                (Path(draft) / name).write_bytes(content)
            self.client.log_artifacts(run, draft, folder)


@contextmanager
def told_in_one_line(at: str) -> Iterator[None]:
    """Make what MLflow refuses a mistake of one line.

    Args:
        at: Address of the store.

    Raises:
        ConfigError: In place of MLflow's own errors.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except MlflowException as error:
        said = " ".join(str(error).split())[:200]
        raise ConfigError(f"MLflow did not take it: {said}", key="--at", value=at) from None
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}", key="--at", value=at) from None


def _beside(at: str) -> Path | None:
    """Return where what is attached lies: beside a SQLite file; None where the server decides."""
    if not at.startswith(_SQLITE):
        return None
    file = Path(at.removeprefix(_SQLITE)).absolute()
    file.parent.mkdir(parents=True, exist_ok=True)
    return file.parent / f"{file.stem}-artifacts"
