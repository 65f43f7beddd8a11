"""LangSmith's client as evaluations use it, and its failures in one line.

It hides nothing: what may be told is decided before it is handed over, and what is handed over must arrive.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from langsmith import Client
from langsmith.utils import LangSmithError

from moslm.errors import ConfigError

_KEY = "LANGSMITH_API_KEY"


def langsmith_client() -> Client:
    """Return a client of the LangSmith that the environment names.

    Raises:
        ConfigError: The environment holds no key.
    """
    if not os.environ.get(_KEY):
        mend = "set it, and LANGSMITH_ENDPOINT where the server is your own"
        raise ConfigError("is missing", file="environment", key=_KEY, mend=mend)
    # one request a run, sent before the call returns: what comes after may rely on it, and a failure is not lost
    return Client(auto_batch_tracing=False, hide_inputs=False, hide_outputs=False)


@contextmanager
def told_in_one_line() -> Iterator[None]:
    """Make what LangSmith refuses, or that it does not answer, a mistake of one line.

    Raises:
        ConfigError: In place of the client's own errors.
    """
    try:
        yield
    except LangSmithError as error:
        said = " ".join(str(error).split())[:200]
        mend = "see whether LANGSMITH_ENDPOINT and LANGSMITH_API_KEY are right"
        raise ConfigError(f"LangSmith did not take it: {said}", mend=mend) from None
