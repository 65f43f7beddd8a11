"""``moslm eval register``: a fitted classifier or a calibration as the challenger in MLflow's registry."""

from __future__ import annotations

import argparse
from pathlib import Path

from moslm.errors import ConfigError, MissingExtraError

HELP = "Register a fitted classifier or a calibration in MLflow, as the challenger"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what is registered, and where."""
    parser.add_argument("--classifier", metavar="DIR", type=Path, help="what moslm fit --out wrote")
    parser.add_argument("--calibration", metavar="FILE", type=Path, help="what moslm calibrate --out wrote")
    add_store(parser)


def add_store(parser: argparse.ArgumentParser) -> None:
    """Add which store."""
    parser.add_argument("--at", metavar="ADDRESS", help="of MLflow's store; by default a SQLite file in MoSLM's home")


def needs_mlflow() -> None:
    """See that the packages are there.

    Raises:
        MissingExtraError: They are not.
    """
    try:
        import moslm.evals.trackers.store  # noqa: F401
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("moslm"):
            raise
        raise MissingExtraError("the registry of models", "mlflow") from None


def run(options: argparse.Namespace) -> int:
    """Register it."""
    if (options.classifier is None) == (options.calibration is None):
        raise ConfigError("is needed", key="--classifier", mend="write --classifier DIR, or --calibration FILE")
    needs_mlflow()
    from moslm.evals.trackers.registry import register_calibration, register_classifier
    from moslm.evals.trackers.store import Store

    store = Store(options.at)
    if options.classifier is not None:
        found = register_classifier(store, options.classifier)
    else:
        found = register_calibration(store, options.calibration)
    print(f"{found.name} {found.version}: {'registered as the challenger' if found.new else 'is registered already'}")
    return 0
