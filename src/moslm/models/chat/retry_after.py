"""``Retry-After``: how long a server asked to be left alone, as its client's errors carry it."""

from __future__ import annotations

import math
import time
from email.utils import parsedate_to_datetime


def asked_for(error: BaseException) -> str | None:
    """Return the header of an error, or of the one that it was made of; None where there is none."""
    for each in (error, error.__cause__):
        headers = getattr(getattr(each, "response", None), "headers", None)
        if headers is not None and headers.get("retry-after"):
            return str(headers["retry-after"])
    return None


def seconds_asked_for(error: BaseException, otherwise: float = 1.0) -> float:
    """Return how many seconds a server asked to be left alone: a number or a date, never less than none.

    Args:
        error: What its client raised.
        otherwise: Where it did not say, or nobody can read what it said.
    """
    text = asked_for(error)
    if text is None:
        return otherwise
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - time.time()
        except ValueError:
            return otherwise
    return max(seconds, 0.0) if math.isfinite(seconds) else otherwise
