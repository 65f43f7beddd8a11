"""Tables of the company database; the only module here that imports SQLAlchemy when it is imported itself.

Money is whole cents, days are dates. ``call_key`` makes a write happen once: see `moslm.tools.write_once`.
"""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, Date, ForeignKey, Integer, MetaData, String, Table, Text

metadata = MetaData()

cost_centres = Table(
    "cost_centres",
    metadata,
    Column("code", String(16), primary_key=True),
    Column("name", String(80), nullable=False),
    Column("holder", String(80), nullable=False),
)

budgets = Table(
    "budgets",
    metadata,
    Column("cost_centre", ForeignKey("cost_centres.code"), primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("quarter", Integer, CheckConstraint("quarter BETWEEN 1 AND 4"), primary_key=True),
    Column("budget_cents", Integer, nullable=False),
    Column("spent_cents", Integer, nullable=False),
    Column("committed_cents", Integer, nullable=False),
)

expense_categories = Table(
    "expense_categories",
    metadata,
    Column("account", String(16), primary_key=True),
    Column("name", String(80), nullable=False),
    # Beginnings of words that speak for the category, separated by blanks.
    Column("keywords", Text, nullable=False),
    Column("note", Text, nullable=False),
)

expense_rules = Table(
    "expense_rules",
    metadata,
    Column("kind", String(40), primary_key=True),
    Column("limit_cents", Integer, nullable=False),
    # What the limit is for: "a person", "a night", "a ride" ...
    Column("per", String(40), nullable=False),
    # Who may allow more; empty when nobody may.
    Column("above", String(80), nullable=False),
    Column("note", Text, nullable=False),
)

approval_limits = Table(
    "approval_limits",
    metadata,
    Column("approver", String(80), primary_key=True),
    # Largest purchase they approve; NULL means any.
    Column("limit_cents", Integer),
)

services = Table(
    "services",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("what", String(80), nullable=False),
    Column("status", String(40), nullable=False),
    Column("note", Text, nullable=False),
)

tickets = Table(
    "tickets",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("opened_on", Date, nullable=False),
    Column("summary", Text, nullable=False),
    Column("urgency", String(16), nullable=False),
    Column("status", String(40), nullable=False),
    Column("resolution", Text, nullable=False),
    Column("call_key", String(64), unique=True),
    sqlite_autoincrement=True,
)

orders = Table(
    "orders",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("placed_on", Date, nullable=False),
    Column("status", String(40), nullable=False),
    Column("shipped_on", Date),
    Column("delivered_on", Date),
    Column("carrier", String(80)),
    Column("delivery_cents", Integer, nullable=False),
    Column("club_member", Boolean, nullable=False),
)

order_lines = Table(
    "order_lines",
    metadata,
    Column("order_id", ForeignKey("orders.id"), primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("article", String(120), nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("price_cents", Integer, nullable=False),
    # Why it cannot be returned; empty when it can.
    Column("no_return", String(120), nullable=False),
)

refunds = Table(
    "refunds",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("order_id", ForeignKey("orders.id"), nullable=False),
    Column("amount_cents", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("made_on", Date, nullable=False),
    Column("call_key", String(64), unique=True),
    sqlite_autoincrement=True,
)
