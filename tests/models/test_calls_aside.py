"""Work aside: beside the event loop under ``ainvoke``, in this thread under ``invoke``; never a backend's failure."""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import Any

import pytest
from langchain_core.runnables import RunnableLambda

from moslm.errors import AuditError
from moslm.models.calls import Aside, Call, adrive, drive


def steps(*asked: Any) -> Any:
    said = []
    for each in asked:
        said.append((yield each))
    return said


def fails(error: Exception) -> Any:
    raise error


def test_it_runs_in_the_callers_own_thread_under_invoke():
    assert drive(steps(Aside(threading.get_ident)), {}) == [threading.get_ident()]


async def test_it_runs_beside_the_event_loop_under_ainvoke():
    (ran,) = await adrive(steps(Aside(threading.get_ident)), {})
    assert ran != threading.get_ident()


async def test_calls_and_work_aside_take_turns():
    call = Call(RunnableLambda(lambda text: text.upper()), "yes", "backend", time.monotonic() + 60)
    asked = (Aside(lambda: 1), call, Aside(lambda: 2))
    assert drive(steps(*asked), {}) == await adrive(steps(*asked), {}) == [1, "YES", 2]


@pytest.mark.parametrize("error", [AuditError("the disk is full"), TimeoutError("locked"), OSError("gone")])
async def test_what_it_raises_is_no_backends_failure(error):
    with pytest.raises(type(error), match=str(error)):
        drive(steps(Aside(partial(fails, error))), {})
    with pytest.raises(type(error), match=str(error)):
        await adrive(steps(Aside(partial(fails, error))), {})
