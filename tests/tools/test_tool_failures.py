from __future__ import annotations

import logging

import pytest
from langchain_core.tools import tool
from pydantic import BaseModel, field_validator

from moslm.config import Config
from moslm.errors import BackendTimeout
from moslm.tools import effect_of, how_to_call, safe_tool_error
from moslm.tools.company import open_company
from moslm.tools.customer_service import refund
from moslm.tools.it_support import open_ticket

SECRET = "password=hunter2 in /etc/moslm/secrets.toml"


@tool
def failing(kind: str) -> str:
    """Fail in several ways."""
    if kind == "timeout":
        raise TimeoutError(SECRET)
    if kind == "backend":
        raise BackendTimeout("stock", "The stock service took too long.")
    raise RuntimeError(SECRET)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("anything", "The tool failed. Answer without it"),
        ("timeout", "The tool took too long and was stopped."),
        ("backend", "The stock service took too long."),
    ],
)
def test_the_model_hears_a_safe_sentence_and_the_log_what_failed_where_without_its_words(run, caplog, kind, said):
    with caplog.at_level(logging.WARNING, "moslm.tools"):
        message = run(failing).message(kind=kind)
    assert message.status == "error"
    assert message.text.startswith(said)
    assert "hunter2" not in message.text
    assert "/" not in message.text
    if kind != "backend":
        assert "in failing" in caplog.text
        assert ("TimeoutError" if kind == "timeout" else "RuntimeError") in caplog.text
    assert "hunter2" not in caplog.text


def test_a_validators_own_words_are_not_repeated(run):
    class Arguments(BaseModel):
        name: str

        @field_validator("name")
        @classmethod
        def refuse(cls, value: str) -> str:
            raise ValueError(SECRET)

    @tool(args_schema=Arguments)
    def strict(name: str) -> str:
        """Take no name at all."""
        return name

    assert run(strict)(name="x") == "strict was not run. name is not valid. Mend the arguments and call it again."


def test_a_database_that_is_gone_shows_nothing_of_itself(company, run, tmp_path):
    call = run(open_ticket(company))
    company.engine.connect().close()
    company.engine.dispose()
    (tmp_path / "company-home" / "company.sqlite").write_bytes(b"gone" * 1000)
    said = call.message(summary="Screen flickers")
    assert said.status == "error"
    assert said.text == "The tool failed. Answer without it, or say that it is not available now."


def test_a_mistake_only_a_call_could_show_is_logged_as_the_line_it_is(run, tmp_path, monkeypatch, caplog):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MOSLM_HOME", str(tmp_path / "file" / "home"))
    said = run(open_ticket(open_company(Config()))).message(summary="Screen flickers")
    assert said.text == "The tool failed. Answer without it, or say that it is not available now."
    (logged,) = caplog.records
    assert logged.exc_info is None
    assert "company.sqlite: the sample company cannot be written: " in logged.getMessage()
    assert logged.getMessage().endswith("; make room, or set MOSLM_HOME to a folder that can be written")


def test_how_to_call_names_every_argument(company):
    assert how_to_call(refund(company)) == (
        "refund takes a JSON object with order_id (whole number), amount (number), reason (text)."
    )
    assert how_to_call(open_ticket(company)) == (
        "open_ticket takes a JSON object with summary (text), urgency (low or normal or high or urgent, optional)."
    )


def test_a_tool_that_declares_no_effect_counts_as_a_write():
    assert effect_of(failing) == "write"
    assert effect_of(failing.model_copy(update={"metadata": {"effect": "harmless"}})) == "write"


def test_any_error_at_all_becomes_one_short_line():
    for error in (KeyError("x"), UnicodeError("y"), MemoryError(SECRET), ExceptionGroup("z", [ValueError(SECRET)])):
        said = safe_tool_error(error)
        assert "\n" not in said
        assert len(said) < 160
