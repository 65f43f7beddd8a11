"""What owning it all costs, beside one large model for everything: a case for a finance department. Pure functions."""

from moslm.budgets.ownership.case import INPUTS, Case, Input, why_not
from moslm.budgets.ownership.chance import Draws, Outcomes, drawn
from moslm.budgets.ownership.horizon import Horizon, horizon
from moslm.budgets.ownership.monthly import Month, month
from moslm.budgets.ownership.sensitivity import BreakEven, Swing, break_even_share, break_even_volume, tornado

__all__ = [
    "INPUTS",
    "BreakEven",
    "Case",
    "Draws",
    "Horizon",
    "Input",
    "Month",
    "Outcomes",
    "Swing",
    "break_even_share",
    "break_even_volume",
    "drawn",
    "horizon",
    "month",
    "tornado",
    "why_not",
]
