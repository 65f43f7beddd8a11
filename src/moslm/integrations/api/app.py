"""The endpoint's routes: who calls, what is asked, and what goes back. Imported only where the extra is installed."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from moslm.config import ApiSettings, Config
from moslm.context import MoSLMContext
from moslm.decision import Budget
from moslm.errors import MoSLMError, RequestError, wordless
from moslm.governance.access.guard import Guard
from moslm.integrations.api.keys import Keyring
from moslm.integrations.api.meters import Meters
from moslm.integrations.api.mistakes import CallError, unanswerable, unreadable
from moslm.integrations.api.replies import Reply
from moslm.integrations.api.wire import ChatRequest, NamedTool
from moslm.integrations.asking import Answer, Graph, aasked, question

DECISION = "x-moslm-decision"
"""Response header that names the Decision."""
_GONE = 499
"""What is counted where nobody waited for the answer."""
_SEE_LOG = "the request could not be answered; the server's log says why"
_log = logging.getLogger("moslm.api")
T = TypeVar("T")


def create_app(config: Config, graph: Callable[[], Graph], *, open_to_all: bool, metrics_path: str) -> FastAPI:
    """Build the application; `moslm.integrations.api.build_api` says what the arguments mean."""
    settings = config.api
    guard = Guard(config.access) if config.access else None
    door = _Door(settings, Keyring(settings, open_to_all, guard), cache(graph), Meters())
    app = FastAPI(title="MoSLM", docs_url=None, redoc_url=None)
    app.add_api_route("/v1/chat/completions", door.completions, methods=["POST"], **_documented())
    app.add_api_route("/v1/models", door.models, methods=["GET"])
    app.add_api_route("/v1/models/{name}", door.model, methods=["GET"])
    app.add_api_route("/health", door.health, methods=["GET"])
    app.add_api_route(metrics_path, door.metrics, methods=["GET"])
    app.add_exception_handler(CallError, door.failed)
    app.add_exception_handler(HTTPException, door.failed)
    app.add_exception_handler(Exception, door.failed)
    return app


class _Door:
    """The routes of one endpoint."""

    def __init__(self, settings: ApiSettings, keys: Keyring, graph: Callable[[], Graph], meters: Meters) -> None:
        self._settings, self._keys, self._graph, self._meters = settings, keys, graph, meters
        self._running = 0

    async def completions(self, request: Request) -> Response:
        """Answer a conversation."""
        caller = self._keys.caller(request.headers.get("authorization"))
        asked = _read(await _body(request, self._settings.max_body_kib * 1024))
        caller = _under_its_key(caller, request.headers.get("idempotency-key"))
        caller = _anew(caller, request.headers.get("cache-control"))
        self._check_model(asked.model)
        asked.refuse_what_is_not_offered()
        if self._running >= self._settings.most_in_flight:
            raise CallError(429, f"{self._running} requests are being answered; try again", "too_many_requests")
        self._running += 1
        try:
            with self._meters.in_flight.track_inprogress():
                answer = await _unless_gone(request, self._answer(asked, caller))
        except RequestError as error:
            raise unanswerable(error) from None
        except MoSLMError:
            raise
        except Exception as error:
            # raised on, its text, which may quote the request, would stand in the server's log
            _log.error("a request could not be answered: %s", wordless(error))
            raise CallError(500, _SEE_LOG, "internal_error") from None
        finally:
            self._running -= 1
        if answer is None:
            self._meters.called(_GONE)
            return Response(status_code=_GONE)
        return self._sent(Reply(answer, asked))

    async def models(self, request: Request) -> Response:
        """List the one model there is."""
        self._keys.caller(request.headers.get("authorization"))
        return self._said(JSONResponse({"object": "list", "data": [self._model]}))

    async def model(self, name: str, request: Request) -> Response:
        """Describe a model by name."""
        self._keys.caller(request.headers.get("authorization"))
        self._check_model(name)
        return self._said(JSONResponse(self._model))

    async def health(self) -> Response:
        """Say that the endpoint answers; no model is asked."""
        return JSONResponse({"status": "ok"})

    async def metrics(self, request: Request) -> Response:
        """Return the meters: under ``[access]`` to whoever may read what everything cost."""
        self._keys.may_read_meters(request.headers.get("authorization"))
        page = await asyncio.to_thread(self._meters.page)  # it reads files
        return Response(page, media_type="text/plain; version=0.0.4; charset=utf-8")

    async def failed(self, request: Request, error: Exception) -> Response:
        """Say in OpenAI's shape what went wrong."""
        wrong = _as_call_error(error)
        return self._said(JSONResponse(wrong.body(), wrong.status, headers=wrong.headers))

    async def _answer(self, asked: ChatRequest, caller: MoSLMContext) -> Answer:
        tools = [tool.model_dump(exclude_unset=True) for tool in asked.tools]
        choice = asked.tool_choice
        wish = question(asked.conversation(), tools, choice.function.name if isinstance(choice, NamedTool) else choice)
        own = asked.moslm
        knobs = {"threshold": own.threshold, "multi_domain": own.multi_domain}
        knobs["may_escalate"] = own.may_escalate and caller.may_escalate
        graph = await asyncio.to_thread(self._graph)
        answer = await aasked(graph, wish, caller.model_copy(update=knobs), None)
        self._meters.decided(answer.decision)
        return answer

    def _sent(self, reply: Reply) -> Response:
        decision = reply.answer.decision
        headers = {DECISION: decision.id}
        if decision.budget is not None and decision.budget.at_cap == "refuse":
            wrong = CallError(429, reply.text, "budget_exhausted")
            return self._said(JSONResponse(wrong.body(), wrong.status, headers={**headers, **_until(decision.budget)}))
        if decision.outcome == "refused":
            code = decision.reasons[0].trigger if decision.reasons else "refused"
            wrong = CallError(400, decision.refusal or reply.text, code, "messages")
            return self._said(JSONResponse(wrong.body(), wrong.status, headers=headers))
        if reply.asked.stream:
            events = StreamingResponse(_each(reply), media_type="text/event-stream", headers=headers)
            events.headers["cache-control"] = "no-store"
            return self._said(events)
        return self._said(JSONResponse(reply.body(), headers=headers))

    def _said(self, response: Response) -> Response:
        self._meters.called(response.status_code)
        return response

    def _check_model(self, name: str) -> None:
        if name != self._settings.model:
            message = f"there is no model {name!r}; there is {self._settings.model}"
            raise CallError(404, message, "model_not_found", "model")

    @property
    def _model(self) -> dict[str, Any]:
        return {"id": self._settings.model, "object": "model", "created": 0, "owned_by": "moslm"}


def _under_its_key(caller: MoSLMContext, key: str | None) -> MoSLMContext:
    """Take in what names the request for a caller who sends it again."""
    if key is None:
        return caller
    if not 0 < len(key) <= 256:
        raise CallError(400, "the Idempotency-Key must have 1 to 256 characters", "invalid_idempotency_key")
    return caller.model_copy(update={"idempotency_key": key})


def _anew(caller: MoSLMContext, cache_control: str | None) -> MoSLMContext:
    """Take in whether an earlier answer may be given again, as HTTP's requests say it."""
    said = {each.strip().lower() for each in (cache_control or "").split(",")}
    if not said & {"no-cache", "no-store"}:
        return caller
    remember = caller.remember and "no-store" not in said
    return caller.model_copy(update={"fresh": True, "remember": remember})


def _until(budget: Budget) -> dict[str, str]:
    """Return when it makes sense to ask again; nothing where the cap never has room."""
    reached = next((each for each in budget.caps if each.reached), None)
    if reached is None or reached.frees_at is None:
        return {}
    frees = datetime.strptime(reached.frees_at, "%Y-%m-%d %H:%M UTC").replace(tzinfo=UTC)
    return {"retry-after": str(max(1, round((frees - datetime.now(UTC)).total_seconds())))}


async def _body(request: Request, most: int) -> bytes:
    """Read the body, no further than it may be long."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":  # also what keeps a page in a browser from posting here unasked
        raise CallError(415, "the body must be sent as application/json", "unsupported_media_type")
    too_long = CallError(413, f"the body is longer than {most:,} bytes", "request_too_large")
    stated = request.headers.get("content-length", "")
    if stated.isdigit() and int(stated) > most:
        raise too_long
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > most:
            raise too_long
    return bytes(body)


def _read(body: bytes) -> ChatRequest:
    try:
        return ChatRequest.model_validate(json.loads(body))
    except ValidationError as error:
        raise unreadable(error) from None
    except (ValueError, RecursionError):
        raise CallError(400, "the body is not JSON", "invalid_json") from None


async def _unless_gone(request: Request, work: Coroutine[Any, Any, T]) -> T | None:
    """Return what the work gives, or None where the client has gone: then the work is cancelled."""
    task, gone = asyncio.create_task(work), asyncio.create_task(_disconnected(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        for each in (task, gone):
            each.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _each(reply: Reply) -> Any:
    for event in reply.events():
        yield event


def _as_call_error(error: Exception) -> CallError:
    if isinstance(error, CallError):
        return error
    if isinstance(error, HTTPException):
        code = "not_found" if error.status_code == 404 else "invalid_call"
        return CallError(error.status_code, str(error.detail), code)
    if isinstance(error, MoSLMError):
        _log.error("%s", error)
        return CallError(500, _SEE_LOG, type(error).__name__)
    return CallError(500, _SEE_LOG, "internal_error")


def _documented() -> dict[str, Any]:
    schema = ChatRequest.model_json_schema()
    return {"openapi_extra": {"requestBody": {"content": {"application/json": {"schema": schema}}, "required": True}}}
