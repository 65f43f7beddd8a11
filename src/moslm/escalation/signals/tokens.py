"""The log-probabilities of an answer's tokens, once they are known to be numbers one may reckon with.

Not a signal of its own. The signals that read log-probabilities share one answer to the question when there are none.
"""

from __future__ import annotations

import math

from moslm.state import Draft

MISSING = "the server sent no log-probabilities"
_MALFORMED = "the server sent log-probabilities that are no numbers"
_NO_ALTERNATIVES = "the server sent no alternatives"


def own(draft: Draft) -> tuple[list[float], str]:
    """Return the log-probability of each answer token, or none and why.

    A single value that is missing, not finite or above 0 makes all of them unusable: what it hides may be the one
    token that was guessed.
    """
    rows = draft.get("logprobs")
    if not rows:
        return [], MISSING
    if not all(row and _is_logprob(row[0]) for row in rows):
        return [], _MALFORMED
    return [min(row[0], 0.0) for row in rows], ""


def alternatives(draft: Draft) -> tuple[list[list[float]], str]:
    """Return per token the log-probabilities of the most probable tokens, its own among them, descending.

    Tokens for which fewer than two were reported are left out.
    """
    _, why = own(draft)
    if why:
        return [], why
    rows = draft.get("logprobs") or []
    if not all(_is_logprob(value) for row in rows for value in row):
        return [], _MALFORMED
    listed = [sorted((min(value, 0.0) for value in row), reverse=True) for row in rows if len(row) > 1]
    return listed, "" if listed else _NO_ALTERNATIVES


def _is_logprob(value: object) -> bool:
    """Tell whether a value can be a log-probability; a hair above 0 is rounding."""
    if type(value) is float:  # nearly always, and asked of every alternative of every token
        return -math.inf < value <= 1e-3
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value <= 1e-3
