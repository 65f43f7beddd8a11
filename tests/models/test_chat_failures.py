from __future__ import annotations

import asyncio
import subprocess
import sys

import httpx
import openai
import pytest
from langchain_core.exceptions import ContextOverflowError, ModelTimeoutError

from moslm.errors import (
    BackendBusy,
    BackendDown,
    BackendError,
    BackendGarbled,
    BackendTimeout,
    MissingExtraError,
    WeightsError,
)
from moslm.models.chat.failures import as_backend_error

SECRET = "http://10.0.0.7:8000/v1 /home/someone/weights.gguf sk-abcdef Traceback"


def _with_status(error: Exception, status: int) -> Exception:
    error.status_code = status
    return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TimeoutError(SECRET), BackendTimeout),
        (httpx.ReadTimeout(SECRET), BackendTimeout),
        (ModelTimeoutError(SECRET), BackendTimeout),
        (openai.APITimeoutError(request=None), BackendTimeout),
        (openai.APIConnectionError(message=SECRET, request=None), BackendDown),
        (httpx.ConnectError(SECRET), BackendDown),
        (ConnectionRefusedError(SECRET), BackendDown),
        (WeightsError(SECRET), BackendDown),
        (MissingExtraError("an embedded model", "local"), BackendDown),
        (_with_status(Exception(SECRET), 503), BackendDown),
        (_with_status(Exception(SECRET), 504), BackendTimeout),
        (_with_status(Exception(SECRET), 429), BackendBusy),
        (httpx.RemoteProtocolError(SECRET), BackendGarbled),
        (ContextOverflowError(SECRET), BackendGarbled),
        (ValueError(SECRET), BackendGarbled),
        (KeyError(SECRET), BackendGarbled),
        (_with_status(Exception(SECRET), 500), BackendError),
        (RuntimeError(SECRET), BackendError),
    ],
)
def test_every_failure_has_its_kind_and_a_sentence_without_secrets(error, kind):
    failure = as_backend_error(error, "small-model")
    assert type(failure) is kind
    assert failure.backend == "small-model"
    assert str(failure).startswith("small-model ")
    assert not any(word in str(failure) for word in SECRET.split())


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"Retry-After": "0.5"}, 0.5),
        ({"retry-after": "-3"}, 0),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0),
        ({"retry-after": "soon"}, 1),
        ({"retry-after": "nan"}, 1),
        ({"retry-after": "inf"}, 1),
        ({}, 1),
    ],
)
def test_a_busy_server_says_when_to_ask_again(header, seconds):
    request = httpx.Request("POST", "http://127.0.0.1")
    response = httpx.Response(429, headers=header, request=request)
    failure = as_backend_error(openai.RateLimitError("", response=response, body=None), "large")
    assert isinstance(failure, BackendBusy)
    assert failure.retry_after_s == seconds


def test_an_error_of_ours_comes_back_as_it_is():
    error = BackendTimeout("m", "m did not answer before its deadline")
    assert as_backend_error(error, "other") is error


def test_the_original_is_kept_as_the_cause():
    error = ValueError("x")
    assert as_backend_error(error, "m").__cause__ is error


@pytest.mark.parametrize("order", [asyncio.CancelledError(), KeyboardInterrupt(), SystemExit(), GeneratorExit()])
def test_an_order_to_stop_is_no_failure(order):
    with pytest.raises(type(order)):
        as_backend_error(order, "m")


def test_telling_failures_apart_imports_no_client():
    code = "import sys, moslm.models.chat.failures; print([m for m in ('openai', 'xllamacpp') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_vllms_refusal_of_a_prompt_that_is_too_long_is_told_from_its_other_refusals():
    says = "Error code: 400 - This model's maximum context length is 2048 tokens. However, your prompt contains 4010"
    assert str(as_backend_error(_with_status(ValueError(says), 400), "m")) == (
        "m was sent more text than its context holds"
    )
    other = ValueError("Error code: 400 - temperature must be non-negative")
    assert "context" not in str(as_backend_error(_with_status(other, 400), "m"))


@pytest.mark.parametrize("status", [500, None])
def test_a_vllm_whose_engine_died_counts_as_down_whether_it_had_begun_to_answer_or_not(status):
    error = RuntimeError("EngineCore encountered an issue. See stack trace (above) for the root cause.")
    failure = as_backend_error(_with_status(error, status), "m")
    assert type(failure) is BackendDown
    assert str(failure) == "m has lost the engine behind its server"
