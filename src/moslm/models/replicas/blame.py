"""Whose failure it was, and so what may be done about it."""

from __future__ import annotations

from enum import Enum

from moslm.errors import BackendBusy, BackendDown, ConfigError
from moslm.models.chat.failures import as_backend_error
from moslm.models.chat.retry_after import asked_for, seconds_asked_for

_NO_CONNECTION = {"ConnectError", "ConnectTimeout", "ConnectionRefusedError", "gaierror"}
_RESTS_S = 1.0
_RESTS_LONGEST_S = 30.0


class Blame(Enum):
    """Who must act for a call to succeed."""

    CALLER = "caller"
    """The request cannot be answered as it stands, or the configuration is wrong: no server would answer it."""
    BUSY = "busy"
    """The server has too much to do, and says so."""
    FAULT = "fault"
    """The server answered wrongly, or not in time."""
    DIED = "died"
    """The server is not there, or went away while it answered."""


def blame_for(error: Exception) -> Blame:
    """Say whose failure an exception of a model client is."""
    if isinstance(error, ConfigError):
        return Blame.CALLER
    failure = as_backend_error(error, "model")
    if isinstance(failure, BackendBusy) or (_status(error) == 503 and asked_for(error) is not None):
        return Blame.BUSY
    if isinstance(failure, BackendDown):
        return Blame.DIED
    status = _status(error)
    return Blame.CALLER if status is not None and 400 <= status < 500 and status != 408 else Blame.FAULT


def lost_behind(error: Exception) -> bool:
    """Tell whether a load balancer lost the server that it had given a call to, and is itself there.

    It then tears the answer, or says 500, 502 or 503 in words of its own; a model server says what is wrong in OpenAI's
    shape.
    """
    if _names(error) & _NO_CONNECTION:
        return False
    status = _status(error)
    if status is None:
        return blame_for(error) is Blame.DIED
    return status in (500, 502, 503) and asked_for(error) is None and not _in_openais_shape(error)


def retry_after(error: Exception) -> float:
    """Return how many seconds a server asked to be left alone: 1 where it did not say, 30 at most."""
    return min(_RESTS_LONGEST_S, seconds_asked_for(error, _RESTS_S))


def _status(error: BaseException) -> int | None:
    for each in (error, error.__cause__):
        status = getattr(each, "status_code", None)
        if isinstance(status, int):
            return status
    return None


def _in_openais_shape(error: BaseException) -> bool:
    return any(isinstance(getattr(each, "body", None), dict) for each in (error, error.__cause__))


def _names(error: BaseException) -> set[str]:
    """Return the names of the classes of an error and of everything it was made of."""
    names, seen = set(), error
    while seen is not None and type(seen).__name__ not in names:
        names.add(type(seen).__name__)
        seen = seen.__cause__ or seen.__context__  # type: ignore[assignment]
    return names
