"""Tools of finance: what is left of a budget, where an expense belongs, what the rules say, exact arithmetic."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any

from langchain_core.tools import BaseTool
from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema

from moslm.tools.arithmetic import NotArithmetic, evaluate, in_digits
from moslm.tools.company import Company
from moslm.tools.effects import typed_tool
from moslm.tools.money import Euros, cents, in_euros


def _quarter_number(value: object) -> object:
    found = re.fullmatch(r"\s*[qQ]\s*([1-4])\s*", value) if isinstance(value, str) else None
    return int(found[1]) if found else value


_QUARTER = "Quarter 1 to 4; empty for the whole year"
Quarter = Annotated[
    int,
    BeforeValidator(_quarter_number),
    Field(ge=1, le=4),
    WithJsonSchema({"type": "integer", "description": _QUARTER}),
]


class BudgetQuestion(BaseModel):
    """Arguments of `budget_status`."""

    cost_centre: str = Field(
        min_length=1, max_length=80, coerce_numbers_to_str=True, description="Code or name, such as 4100 or Marketing"
    )
    year: int | None = Field(default=None, ge=2000, le=2100, description="Empty for this year")
    quarter: Quarter | None = Field(default=None, description=_QUARTER)


class Expense(BaseModel):
    """Arguments of `expense_category`."""

    description: str = Field(min_length=1, max_length=500, description="What was bought, such as train ticket")


class PolicyQuestion(BaseModel):
    """Arguments of `policy_check`."""

    kind: str = Field(
        max_length=80,
        description="purchase, hotel, hotel_capital, meals, team_dinner, taxi, gift, home_office or lost_receipt",
    )
    amount: Euros
    people_or_nights: int = Field(
        default=1, ge=1, le=1000, description="How many people, nights or days share the amount"
    )


class Expression(BaseModel):
    """Arguments of `calculate`."""

    expression: str = Field(
        min_length=1, max_length=300, coerce_numbers_to_str=True, description="Such as 4312.50 * 0.19 or 19% of 4312.50"
    )


def budget_status(company: Company) -> BaseTool:
    """Make the tool that tells what is left of a budget."""
    from sqlalchemy import func, or_, select

    from moslm.tools.schema import budgets, cost_centres

    def budget_status(cost_centre: str, year: int | None = None, quarter: int | None = None) -> str:
        """Tell budget, spending, commitments and what is left of a cost centre, for a quarter or a year."""
        year = year or company.today().year
        wanted = cost_centre.strip().lower()
        named = or_(cost_centres.c.code == wanted, func.lower(cost_centres.c.name).contains(wanted, autoescape=True))
        with company.engine.connect() as connection:
            centres = (
                connection.execute(select(cost_centres).where(named).order_by(cost_centres.c.code)).mappings().all()
            )
            if len(centres) != 1:
                known = (
                    centres or connection.execute(select(cost_centres).order_by(cost_centres.c.code)).mappings().all()
                )
                return _which_centre(bool(centres), known)
            query = select(budgets).where(budgets.c.cost_centre == centres[0]["code"], budgets.c.year == year)
            rows = connection.execute(query.order_by(budgets.c.quarter)).mappings().all()
        rows = [row for row in rows if quarter in (None, row["quarter"])]
        period = f"{year} Q{quarter}" if quarter else str(year)
        name = f"{centres[0]['code']} {centres[0]['name']}"
        return _budget_in_words(name, period, rows) if rows else f"There is no budget of {name} for {period}."

    return typed_tool(budget_status, BudgetQuestion, "read")


def expense_category(company: Company) -> BaseTool:
    """Make the tool that tells where an expense belongs."""
    from sqlalchemy import select

    from moslm.tools.schema import expense_categories

    def expense_category(description: str) -> str:
        """Tell the category and account an expense belongs to."""
        with company.engine.connect() as connection:
            query = select(expense_categories).order_by(expense_categories.c.account)
            rows = connection.execute(query).mappings().all()
        words = re.findall(r"[a-z]+", description.lower())
        hits = {row["account"]: _hits(row["keywords"].split(), words) for row in rows}
        best = max(hits.values(), default=0)
        found = [row for row in rows if best and hits[row["account"]] == best][:2]
        if not found:
            return "No category fits. Ask accounting, or describe the expense in other words."
        return " Or: ".join(f"{row['name']}, account {row['account']}. {row['note']}".strip() for row in found)

    return typed_tool(expense_category, Expense, "read")


def policy_check(company: Company) -> BaseTool:
    """Make the tool that holds an expense or a purchase against the rules."""
    from sqlalchemy import select

    from moslm.tools.schema import approval_limits, expense_rules

    def policy_check(kind: str, amount: Decimal, people_or_nights: int = 1) -> str:
        """Tell whether an expense is within the rules, or who must approve a purchase."""
        name = re.sub(r"\W+", "_", kind.strip().lower())
        with company.engine.connect() as connection:
            rules = {row["kind"]: row for row in connection.execute(select(expense_rules)).mappings()}
            approvers = connection.execute(select(approval_limits)).mappings().all()
        if name == "purchase":
            return _approver_in_words(cents(amount), approvers)
        if name not in rules:
            return f"There is no rule of that kind. Kinds: purchase, {', '.join(sorted(rules))}."
        return _verdict(rules[name], cents(amount), people_or_nights)

    return typed_tool(policy_check, PolicyQuestion, "read")


def calculate() -> BaseTool:
    """Make the tool that calculates exactly."""

    def calculate(expression: str) -> str:
        """Calculate exactly: + - * / ** brackets, percent, round(x, 2), min, max, sum."""
        try:
            return in_digits(evaluate(expression))
        except NotArithmetic as finding:
            return f"Cannot calculate that. {finding}"

    return typed_tool(calculate, Expression, "read")


def _which_centre(several: bool, centres: Any) -> str:
    names = ", ".join(f"{row['code']} {row['name']}" for row in centres)
    return f"{'Several cost centres fit' if several else 'There is no such cost centre. There are'}: {names}."


def _budget_in_words(name: str, period: str, rows: Any) -> str:
    budget, spent, committed = (sum(row[f"{what}_cents"] for row in rows) for what in ("budget", "spent", "committed"))
    left = budget - spent - committed
    ending = f"{in_euros(left)} left" if left >= 0 else f"over budget by {in_euros(-left)}"
    figures = f"budget {in_euros(budget)}, spent {in_euros(spent)}, committed {in_euros(committed)}"
    return f"{name}, {period}: {figures}, {ending}."


def _hits(keywords: list[str], words: list[str]) -> int:
    return sum(any(word.startswith(keyword) for word in words) for keyword in keywords)


def _approver_in_words(amount_cents: int, approvers: Any) -> str:
    able = [row for row in approvers if row["limit_cents"] is None or amount_cents <= row["limit_cents"]]
    if not able:
        return f"Nobody may approve a purchase of {in_euros(amount_cents)}."
    lowest = min(able, key=lambda row: float("inf") if row["limit_cents"] is None else row["limit_cents"])
    return f"A purchase of {in_euros(amount_cents)} needs the approval of the {lowest['approver']}."


def _verdict(rule: Any, amount_cents: int, shares: int) -> str:
    limit = f"The limit is {in_euros(rule['limit_cents'])} {rule['per']}."
    if amount_cents <= rule["limit_cents"] * shares:
        verdict = "Allowed."
    elif rule["above"]:
        verdict = f"Only with the approval of {rule['above']}."
    else:
        verdict = "Not allowed."
    return f"{verdict} {limit} {rule['note']}".strip()
