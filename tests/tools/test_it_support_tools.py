from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from moslm.config import Config
from moslm.domains import load_domains
from moslm.tools import Handbook, effect_of
from moslm.tools.it_support import look_up_article, open_ticket, search_tickets, service_status
from moslm.tools.schema import tickets


def number_of_tickets(company) -> int:
    with company.engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(tickets)).scalar_one()


@pytest.mark.parametrize(
    ("service", "said"),
    [
        ("VPN", "Switchback (VPN): slow. The gateway Galway is overloaded"),
        ("the warehouse system", "Packhorse (warehouse system and scanners): down."),
        ("packhorse", "Packhorse (warehouse system and scanners): down."),
        ("Kestral", "Kestrel (tills): running."),
        ("", "Packhorse (warehouse system and scanners): down."),
        ("teapot", "There is no service of that name. There are Cairn, Gatehouse"),
    ],
)
def test_service_status_knows_services_by_name_and_by_what_they_are(company, service, said):
    assert service_status(company).invoke({"service": service}).startswith(said)


def test_search_tickets_ranks_by_the_words_that_fit(company):
    found = search_tickets(company).invoke({"text": "VPN error 809 from home"}).split("\n")
    assert found[0].startswith("INC-10482 of 2026-11-03: Cannot connect to Switchback VPN")
    assert any("INC-10508" in line for line in found)


def test_search_tickets_knows_numbers(company):
    assert search_tickets(company).invoke({"text": "INC-10511?"}).startswith("INC-10511")


@pytest.mark.parametrize("text", ["%", "_", "100%_", "'; DELETE FROM tickets; --", "zzz", "9" * 400])
def test_no_text_is_read_as_sql(company, text):
    said = search_tickets(company).invoke({"text": text})
    assert said in ("No ticket fits.", "Give a word of the problem or the number of a ticket.")
    assert number_of_tickets(company) == 8


def test_look_up_article_reads_a_whole_page():
    tool = look_up_article(Handbook(load_domains(Config())["it_support"].knowledge))
    assert tool.invoke({"topic": "vpn error"}).startswith("# Network and VPN\n")
    assert tool.invoke({"topic": "unicorns"}) == "There is no article on that."


def test_open_ticket_is_a_write_and_its_schema_shows_no_runtime(company):
    tool = open_ticket(company)
    assert effect_of(tool) == "write"
    assert set(tool.tool_call_schema.model_json_schema()["properties"]) == {"summary", "urgency"}


def test_an_approved_call_that_runs_twice_opens_one_ticket(company, run):
    call = run(open_ticket(company))
    first = call("call-1", summary="Screen flickers", urgency="high")
    assert first == "Ticket INC-10512 (high) is open."
    assert call("call-1", summary="Screen flickers", urgency="high") == first
    assert number_of_tickets(company) == 9


def test_other_calls_open_other_tickets(company, run):
    call = run(open_ticket(company))
    said = {
        call("call-1", summary="Screen flickers"),
        call("call-2", summary="Screen flickers"),
        call("call-1", thread="2", summary="Screen flickers"),
        call("call-1", summary="Screen is black"),
    }
    assert len(said) == 4


def test_the_request_keeps_calls_apart_that_a_server_numbers_alike(company, run):
    call = run(open_ticket(company))
    first, again, later = (call("0", request=each, summary="Screen flickers") for each in ("r1", "r1", "r2"))
    assert first == again != later


def test_one_call_run_by_many_threads_at_once_opens_one_ticket(company, run):
    call = run(open_ticket(company))
    with ThreadPoolExecutor(6) as pool:
        said = set(pool.map(lambda _: call("call-1", summary="Screen flickers"), range(12)))
    assert len(said) == 1
    assert number_of_tickets(company) == 9


def test_an_urgency_that_does_not_exist_is_explained(company, run):
    said = run(open_ticket(company)).message(summary="Screen flickers", urgency="asap")
    assert said.status == "error"
    assert "urgency: input should be 'low', 'normal', 'high' or 'urgent'" in said.text
