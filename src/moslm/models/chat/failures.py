"""`as_backend_error`: whatever a model client raises, as one of our errors with a sentence that is safe to show.

Client libraries put addresses, keys and whole server replies into their messages, so nothing of a message is kept.
Errors are told apart by the names of their classes: the libraries that define them need not be imported, or installed.
Two are told by their words, because their class says less: a prompt that is too long, and an engine that died.
Knows nothing of what becomes of the error.
"""

from __future__ import annotations

from moslm.errors import (
    BackendBusy,
    BackendDown,
    BackendError,
    BackendGarbled,
    BackendTimeout,
    MissingExtraError,
    WeightsError,
)
from moslm.models.chat.retry_after import seconds_asked_for

_BY_STATUS: dict[int, tuple[type[BackendError], str]] = {
    401: (BackendGarbled, "refused the key it was given"),
    403: (BackendGarbled, "refused the key it was given"),
    404: (BackendGarbled, "does not know the model it was asked for"),
    413: (BackendGarbled, "was sent more text than it takes"),
    429: (BackendBusy, "refused the request because it has too many"),
    502: (BackendDown, "does not answer behind its gateway"),
    503: (BackendDown, "is not ready to answer"),
    504: (BackendTimeout, "did not answer before its gateway's deadline"),
}

_TOO_LONG = (BackendGarbled, "was sent more text than its context holds")
_SAYS_TOO_LONG = "maximum context length"
"""What vLLM's refusal of a prompt beyond its context has in common with OpenAI's; its code names another parameter."""

_DEAD = (BackendDown, "has lost the engine behind its server")
_SAYS_DEAD = "EngineCore encountered an issue"
"""What vLLM's server says, with status 500 or in the middle of a stream, between its engine's death and its own."""

_BY_NAME: tuple[tuple[frozenset[str], type[BackendError], str], ...] = (
    (frozenset({"ContextOverflowError"}), *_TOO_LONG),
    (
        frozenset({"ModelTimeoutError", "APITimeoutError", "TimeoutException", "TimeoutError"}),
        BackendTimeout,
        "did not answer before its deadline",
    ),
    (frozenset({"ProtocolError", "DecodingError"}), BackendGarbled, "broke off in the middle of its answer"),
    (
        frozenset({"ModelConnectionError", "APIConnectionError", "TransportError", "OSError"}),
        BackendDown,
        "does not answer at its address",
    ),
    (frozenset({"ModelRateLimitError", "RateLimitError"}), *_BY_STATUS[429]),
    (frozenset({"ModelAuthenticationError", "AuthenticationError"}), *_BY_STATUS[401]),
    (frozenset({"ModelPermissionDeniedError", "PermissionDeniedError"}), *_BY_STATUS[403]),
    (frozenset({"ModelNotFoundError", "NotFoundError"}), *_BY_STATUS[404]),
    (frozenset({"ModelInvalidRequestError", "BadRequestError"}), BackendGarbled, "refused the request"),
    (
        frozenset({"ContentFilterFinishReasonError", "OpenAIRefusalError"}),
        BackendGarbled,
        "refused to answer",
    ),
    # What parsing an answer raises when the answer is not the protocol's.
    (
        frozenset({"ValueError", "LookupError", "TypeError", "AttributeError", "LengthFinishReasonError"}),
        BackendGarbled,
        "gave an answer that could not be read",
    ),
)
"""First match wins, so the special stands before the general (a timeout is also a connection error)."""


def as_backend_error(error: BaseException, backend: str) -> BackendError:
    """Turn whatever a model or its client raised into one of our errors.

    Args:
        error: What was raised. A `BackendError` comes back as it is.
        backend: Name of the model or tool, which begins the sentence; never an address or a path.

    Returns:
        The matching `BackendError`, with ``error`` as its cause. Its text holds no address, path or server text.

    Raises:
        BaseException: ``error`` itself, where it is no failure but an order to stop (cancellation, an interrupt).
    """
    if isinstance(error, BackendError):
        return error
    if not isinstance(error, Exception):
        raise error
    kind, says = _classified(error)
    failure = kind(backend, f"{backend} {says}")
    if isinstance(failure, BackendBusy):
        failure.retry_after_s = seconds_asked_for(error, failure.retry_after_s)
    failure.__cause__ = error
    return failure


def _classified(error: Exception) -> tuple[type[BackendError], str]:
    if isinstance(error, MissingExtraError):
        return BackendDown, f"is not installed; {error.mend}"
    if isinstance(error, WeightsError):
        return BackendDown, "has no usable weights; run: moslm pull, or moslm doctor to see why"
    status = getattr(error, "status_code", None)
    if isinstance(status, int) and status in _BY_STATUS:
        return _BY_STATUS[status]
    if status == 400 and _SAYS_TOO_LONG in str(error):
        return _TOO_LONG
    if status in (None, 500) and _SAYS_DEAD in str(error):
        return _DEAD
    names = {cls.__name__ for cls in type(error).__mro__}
    for known, kind, says in _BY_NAME:
        if names & known:
            return kind, says
    if isinstance(status, int):
        return BackendError, f"failed with status {status}"
    return BackendError, f"failed ({type(error).__name__})"
