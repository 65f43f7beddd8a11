"""LangSmith's client as evaluations use it: texts hidden unless somebody said otherwise, and failures in one line."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from langsmith import Client
from langsmith.utils import LangSmithError

from moslm.errors import ConfigError

_KEY = "LANGSMITH_API_KEY"


def langsmith_client(*, with_texts: bool) -> Client:
    """Return a client of the LangSmith that the environment names.

    Args:
        with_texts: Whether what runs are given and give may go along.

    Raises:
        ConfigError: The environment holds no key.
    """
    if not os.environ.get(_KEY):
        mend = "set it, and LANGSMITH_ENDPOINT where the server is your own"
        raise ConfigError("is missing", file="environment", key=_KEY, mend=mend)
    # one request a run, sent before the call returns: what comes after may rely on it, and a failure is not lost
    return Client(auto_batch_tracing=False, hide_inputs=not with_texts, hide_outputs=not with_texts)


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
