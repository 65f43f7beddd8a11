"""How many replicas and GPUs a load takes, and what they cost: queueing, simulation, hardware as data."""

from moslm.budgets.sizing.hardware import Hardware, hardware_table
from moslm.budgets.sizing.plan import Level, Load, Plan, planned
from moslm.budgets.sizing.queueing import (
    allen_cunneen,
    mean_wait,
    takes_longer,
    waiting_probability,
    waits_longer,
)
from moslm.budgets.sizing.simulation import Simulated, simulated

__all__ = [
    "Hardware",
    "Level",
    "Load",
    "Plan",
    "Simulated",
    "allen_cunneen",
    "hardware_table",
    "mean_wait",
    "planned",
    "simulated",
    "takes_longer",
    "waiting_probability",
    "waits_longer",
]
