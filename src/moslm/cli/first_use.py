"""Brings what a first request needs: the embedded model's weights, pulled when a command is about to ask it.

A command line may fetch on first use, because a person watches; the library never does.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec

from moslm.cli.pull import progress_on
from moslm.config import EmbeddedModel, load
from moslm.domains import load_domains
from moslm.errors import MissingExtraError
from moslm.models.weights.catalog import PINNED
from moslm.models.weights.pulling import pull
from moslm.models.weights.shelf import kept


def bring_weights(config: str | None) -> None:
    """Pull the pinned weights that served domains need and that are not here yet, telling so on stderr.

    Raises:
        MissingExtraError: A domain has the embedded model, and the extra ``local`` is not installed.
        WeightsError: They could not be pulled.
    """
    settings = load(config)
    served = [domain for domain in load_domains(settings, file=config).values() if not domain.large_model_only]
    embedded = [domain.settings.model for domain in served if isinstance(domain.settings.model, EmbeddedModel)]
    if embedded and find_spec("xllamacpp") is None:
        raise MissingExtraError("the embedded model", "local")
    for name in dict.fromkeys(model.weights for model in embedded):
        if name in PINNED and not kept(PINNED[name]):
            print(f"First use: pulling {name} ({(PINNED[name].bytes or 0) / 1e6:.0f} MB).", file=sys.stderr)
            with progress_on(sys.stderr, name) as progress:
                pull(name, progress=progress)
