from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from sqlalchemy import func, select

from moslm.tools import effect_of
from moslm.tools.company import Company
from moslm.tools.customer_service import order_status, refund, return_eligibility
from moslm.tools.schema import refunds

OTHER_PROCESS = """
import sys
from moslm.config import Config
from moslm.tools.company import open_company
from moslm.tools.schema import refunds
from moslm.tools.write_once import write_once
engine = open_company(Config()).engine
from datetime import date
row = {"order_id": 10305, "amount_cents": 100, "reason": "late", "made_on": date(2026, 11, 20)}
print(write_once(engine, refunds, sys.argv[1], lambda _: row)["id"])
"""


def paid_back(company: Company, order_id: int) -> int:
    with company.engine.connect() as connection:
        query = select(func.coalesce(func.sum(refunds.c.amount_cents), 0)).where(refunds.c.order_id == order_id)
        return connection.execute(query).scalar_one()


def test_order_status_tells_what_became_of_an_order(company):
    assert order_status(company).invoke({"order_id": 10233}) == (
        "Order 10233 of 2026-09-01: delivered. Articles: 1 x Corrie rain jacket, blue, M. Left on 2026-09-02 with"
        " An Bealach. Delivered on 2026-09-04. Total 129.00 EUR. Paid back so far: 30.00 EUR."
    )


@pytest.mark.parametrize("given", ["10482", "#10482", "order 10482", " 10482."])
def test_order_numbers_are_read_as_people_write_them(company, given):
    assert order_status(company).invoke({"order_id": given}).startswith("Order 10482 of 2026-11-16: on its way.")


def test_an_order_that_does_not_exist_is_an_ordinary_answer(company, run):
    for tool, more in ((order_status, {}), (return_eligibility, {}), (refund, {"amount": 5, "reason": "late"})):
        said = run(tool(company)).message(order_id=999, **more)
        assert said.status == "success"
        assert said.text.startswith("There is no order 999.")


@pytest.mark.parametrize(
    ("order_id", "said"),
    [
        (10305, "Order 10305 can be returned until 2026-12-05. Ridge 2 tent: yes"),
        (10305, "Gas canister 230 g: gas cannot be returned once opened"),
        (10233, "Order 10233 can no longer be returned: the last day was 2026-10-04."),
        (10377, "Order 10377 can be returned until 2026-11-23."),
        (10482, "Order 10482 has not arrived yet"),
        (10452, "Order 10452 was cancelled"),
    ],
)
def test_return_eligibility_follows_the_handbook(company, order_id, said):
    assert said in return_eligibility(company).invoke({"order_id": order_id})


def test_the_last_day_counts_and_the_next_does_not(company):
    for day, said in ((date(2026, 12, 5), "can be returned until"), (date(2026, 12, 6), "can no longer be returned")):
        assert said in return_eligibility(Company(company.engine, lambda day=day: day)).invoke({"order_id": 10305})


def test_a_refund_is_a_write_and_its_schema_shows_no_runtime(company):
    assert effect_of(refund(company)) == "write"
    assert set(refund(company).tool_call_schema.model_json_schema()["properties"]) == {"order_id", "amount", "reason"}


def test_an_approved_refund_that_runs_twice_pays_once(company, run):
    call = run(refund(company))
    first = call("call-1", order_id=10305, amount="49.90 EUR", reason="tent pole missing")
    assert first == "Refund R-2: 49.90 EUR for order 10305 is on its way and arrives within 5 working days."
    assert call("call-1", order_id=10305, amount="49.90 EUR", reason="tent pole missing") == first
    assert paid_back(company, 10305) == 4990


def test_no_more_is_paid_back_than_was_paid(company, run):
    call = run(refund(company))
    assert call("a", order_id=10233, amount=99.01, reason="broken zip") == (
        "No refund was made: at most 99.00 EUR can still be paid back for order 10233."
    )
    assert call("b", order_id=10233, amount=99, reason="broken zip").startswith("Refund R-2: 99.00 EUR")
    assert "at most 0.00 EUR" in call("c", order_id=10233, amount=1, reason="broken zip")


def test_refunds_side_by_side_never_pay_back_too_much(company, run):
    call = run(refund(company))
    with ThreadPoolExecutor(6) as pool:
        said = list(pool.map(lambda i: call(f"call-{i}", order_id=10305, amount=60, reason="late"), range(8)))
    assert sum(each.startswith("Refund") for each in said) == 4
    assert paid_back(company, 10305) == 24_000


def test_one_call_run_by_two_processes_at_once_pays_once(company):
    commands = [[sys.executable, "-c", OTHER_PROCESS, "the-same-call"]] * 2
    running = [subprocess.Popen(each, stdout=subprocess.PIPE, text=True) for each in commands]
    ids = {process.communicate(timeout=60)[0].strip() for process in running}
    assert ids == {"2"}
    assert paid_back(company, 10305) == 100


def test_missing_arguments_are_named(company, run):
    said = run(refund(company)).message(order_id=10305)
    assert said.status == "error"
    assert said.text == (
        "refund was not run. amount is missing. reason is missing. Mend the arguments and call it again."
    )
