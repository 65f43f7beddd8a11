"""Amounts of money as people and small models write them, and as the database keeps them: whole cents."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

_DESCRIPTION = "Amount in euros, such as 59.90"


def _plain(value: object) -> object:
    """Read "1,250.50 EUR" or "59,90 €" as a plain number; anything else is left for pydantic to judge."""
    if isinstance(value, float):
        return str(value)
    if not isinstance(value, str):
        return value
    text = re.sub(r"(?i)\s*(eur|euros?|€)\s*", "", value.strip())
    if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", text):
        return text.replace(",", "")
    return text.replace(",", ".") if re.fullmatch(r"\d+,\d{1,2}", text) else text


Euros = Annotated[
    Decimal,
    BeforeValidator(_plain),
    Field(gt=0, le=10_000_000, decimal_places=2, allow_inf_nan=False, description=_DESCRIPTION),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "description": _DESCRIPTION}),
]
"""An amount a model may send: more than nothing, whole cents."""


def cents(amount: Decimal) -> int:
    """Return an amount in euros as whole cents."""
    return int(amount * 100)


def in_euros(amount_cents: int) -> str:
    """Return whole cents as people read them, such as ``1,250.00 EUR``."""
    sign = "-" if amount_cents < 0 else ""
    euros, rest = divmod(abs(amount_cents), 100)
    return f"{sign}{euros:,}.{rest:02d} EUR"
