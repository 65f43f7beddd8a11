"""What is wrong with a call, in the shape in which OpenAI's servers say it. Knows no framework and no graph."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from moslm.errors import MoSLMError, RequestError


class CallError(MoSLMError):
    """A call that cannot be answered.

    Args:
        status: HTTP status.
        message: One sentence for whoever wrote the client.
        code: Stable name of what is wrong.
        param: The field that is wrong, dotted.
    """

    def __init__(self, status: int, message: str, code: str, param: str | None = None) -> None:
        self.status, self.code, self.param = status, code, param
        super().__init__(message)

    @property
    def headers(self) -> dict[str, str]:
        """Headers that belong to the status."""
        return {401: {"WWW-Authenticate": "Bearer"}, 429: {"Retry-After": "1"}}.get(self.status, {})

    def body(self) -> dict[str, Any]:
        """Return the body as OpenAI's clients read it."""
        kind = "invalid_request_error" if self.status < 500 else "server_error"
        if self.status == 429:
            kind = "rate_limit_error"
        return {"error": {"message": str(self), "type": kind, "param": self.param, "code": self.code}}


def unreadable(error: ValidationError) -> CallError:
    """Return what to say about a body that does not fit the protocol: its first mistake."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    param = ".".join(str(part) for part in first["loc"])
    return CallError(400, f"{param or 'the body'}: {first['msg']}", "invalid_value", param or None)


def unanswerable(error: RequestError) -> CallError:
    """Return what to say about a request that nobody can answer as it stands."""
    return CallError(409 if error.code == "needs_a_person" else 400, str(error), error.code)
