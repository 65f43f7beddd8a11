"""Tools of customer service: what became of an order, whether it can come back, and money back.

No tool tells who ordered: whoever asks sees the order alone.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any

from langchain_core.tools import BaseTool
from langgraph.prebuilt import ToolRuntime
from pydantic import BaseModel, BeforeValidator, Field

from moslm.tools.company import Company
from moslm.tools.effects import typed_tool
from moslm.tools.money import Euros, cents, in_euros
from moslm.tools.write_once import call_key, write_once

_RETURN_DAYS = 30
_CLUB_RETURN_DAYS = 60


def _number_in(value: object) -> object:
    """Read "#10482" or "order 10482" as 10482: small models copy what people write."""
    if isinstance(value, str) and (found := re.fullmatch(r"\D{0,20}(\d{1,9})\W*", value.strip())):
        return int(found[1])
    return value


OrderId = Annotated[int, BeforeValidator(_number_in), Field(ge=1, le=999_999_999, description="Number of the order")]


class OrderNumber(BaseModel):
    """Arguments of `order_status` and `return_eligibility`."""

    order_id: OrderId


class NewRefund(BaseModel):
    """Arguments of `refund`."""

    order_id: OrderId
    amount: Euros
    reason: str = Field(min_length=3, max_length=300, description="Why the money goes back, in a few words")


def order_status(company: Company) -> BaseTool:
    """Make the tool that tells what became of an order."""

    def order_status(order_id: int) -> str:
        """Tell the status of an order: what was ordered, when it left and when it arrived."""
        with company.engine.connect() as connection:
            order, lines = _order(connection, order_id)
            paid_back = _refunded(connection, order_id)
        if order is None:
            return _no_such_order(order_id)
        articles = ", ".join(f"{line['quantity']} x {line['article']}" for line in lines)
        parts = [f"Order {order_id} of {order['placed_on']}: {order['status']}.", f"Articles: {articles}."]
        if order["shipped_on"]:
            parts.append(f"Left on {order['shipped_on']} with {order['carrier']}.")
        if order["delivered_on"]:
            parts.append(f"Delivered on {order['delivered_on']}.")
        parts.append(f"Total {in_euros(_total(order, lines))}.")
        if paid_back:
            parts.append(f"Paid back so far: {in_euros(paid_back)}.")
        return " ".join(parts)

    return typed_tool(order_status, OrderNumber, "read")


def return_eligibility(company: Company) -> BaseTool:
    """Make the tool that tells whether an order can be returned."""

    def return_eligibility(order_id: int) -> str:
        """Tell whether the articles of an order can still be returned, and until when."""
        with company.engine.connect() as connection:
            order, lines = _order(connection, order_id)
        if order is None:
            return _no_such_order(order_id)
        if order["status"] == "cancelled":
            return f"Order {order_id} was cancelled; there is nothing to return."
        if order["delivered_on"] is None:
            return f"Order {order_id} has not arrived yet; it can be returned once it has."
        last_day = _last_return_day(order)
        if company.today() > last_day:
            return f"Order {order_id} can no longer be returned: the last day was {last_day}."
        verdicts = [f"{line['article']}: {line['no_return'] or 'yes, unused and with its labels'}" for line in lines]
        return f"Order {order_id} can be returned until {last_day}. {'; '.join(verdicts)}."

    return typed_tool(return_eligibility, OrderNumber, "read")


def refund(company: Company) -> BaseTool:
    """Make the tool that pays money back for an order; a write."""
    from sqlalchemy import Connection

    from moslm.tools.schema import refunds

    def refund(order_id: int, amount: Decimal, reason: str, runtime: ToolRuntime[Any, Any]) -> str:
        """Pay money back for an order, in euros, to the means of payment that was used."""

        def row(connection: Connection) -> dict[str, Any] | str:
            order, lines = _order(connection, order_id, lock=True)
            if order is None:
                return _no_such_order(order_id)
            left = _total(order, lines) - _refunded(connection, order_id)
            if cents(amount) > left:
                return f"No refund was made: at most {in_euros(left)} can still be paid back for order {order_id}."
            made = {"order_id": order_id, "amount_cents": cents(amount), "reason": reason}
            return {**made, "made_on": company.today()}

        written = write_once(company.engine, refunds, call_key(runtime, "refund", order_id, cents(amount), reason), row)
        if isinstance(written, str):
            return written
        return (
            f"Refund R-{written['id']}: {in_euros(written['amount_cents'])} for order {written['order_id']}"
            " is on its way and arrives within 5 working days."
        )

    return typed_tool(refund, NewRefund, "write")


def _order(connection: Any, order_id: int, *, lock: bool = False) -> tuple[Any, list[Any]]:
    from sqlalchemy import select

    from moslm.tools.schema import order_lines, orders

    query = select(orders).where(orders.c.id == order_id)
    # SQLite ignores FOR UPDATE; there the transaction itself was begun for writing
    order = connection.execute(query.with_for_update() if lock else query).mappings().first()
    lines = select(order_lines).where(order_lines.c.order_id == order_id).order_by(order_lines.c.line)
    return order, list(connection.execute(lines).mappings())


def _refunded(connection: Any, order_id: int) -> int:
    from sqlalchemy import func, select

    from moslm.tools.schema import refunds

    total = select(func.coalesce(func.sum(refunds.c.amount_cents), 0)).where(refunds.c.order_id == order_id)
    return int(connection.execute(total).scalar_one())


def _total(order: Any, lines: list[Any]) -> int:
    return int(order["delivery_cents"] + sum(line["quantity"] * line["price_cents"] for line in lines))


def _last_return_day(order: Any) -> date:
    days = _CLUB_RETURN_DAYS if order["club_member"] else _RETURN_DAYS
    return date.fromisoformat(str(order["delivered_on"])) + timedelta(days=days)


def _no_such_order(order_id: int) -> str:
    return f"There is no order {order_id}. Ask for the number again; it stands in the confirmation e-mail."
