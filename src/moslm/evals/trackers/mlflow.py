"""``mlflow``: a run of an evaluation as a run of MLflow: parameters, figures with their intervals, what is attached."""

from __future__ import annotations

import re
import time

from mlflow.entities import Metric, Param, RunTag

from moslm.evals.trackers.account import Account
from moslm.evals.trackers.store import Store, told_in_one_line

_AT_ONCE = 100
"""MLflow takes no more parameters in one request."""
_LONGEST = 6000
"""Characters of a parameter's value."""
RUN = "moslm.run"
"""Tag of the run that is kept."""


def keep(account: Account, at: str | None, project: str) -> str:
    """Keep an account as a run; one that is kept already gets a run of its own beside it.

    Args:
        account: What is kept.
        at: Address of the store; by default a SQLite file in MoSLM's home.
        project: Name of the experiment.

    Raises:
        ConfigError: The store cannot be opened or written.
    """
    store = Store(at)
    with told_in_one_line(store.at):
        run = store.client.create_run(
            store.experiment(project), run_name=account.name, tags={RUN: account.manifest.run}
        )
        id = str(run.info.run_id)
        now = int(time.time() * 1000)
        params = [Param(_name(name), value[:_LONGEST]) for name, value in account.params.items()]
        metrics = [Metric(_name(name), value, now, 0) for name, value in account.metrics.items()]
        for start in range(0, max(len(params), len(metrics)), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            store.client.log_batch(id, metrics=metrics[part], params=params[part])
        store.attach(id, account.files)
        store.client.log_batch(id, tags=[RunTag("moslm.texts", "yes" if account.with_texts else "no")])
        store.client.set_terminated(id)
    return f"run {id} of {project} in {store.at}"


def _name(name: str) -> str:
    return re.sub(r"[^\w./ -]", "_", name, flags=re.ASCII)
