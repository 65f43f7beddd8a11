"""Public tables of what several models really answered, read as outcomes: no model is called."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from moslm.evals.tables.gsm8k import gsm8k_gpt3
from moslm.evals.tables.llmrouter import llmrouter
from moslm.evals.tables.mmlu_pro import mmlu_pro
from moslm.evals.tables.pricing import Assumptions
from moslm.evals.tables.recorded import RecordedTable
from moslm.evals.tables.routellm import routellm_gsm8k, routellm_mmlu
from moslm.evals.tables.routerarena import routerarena

TABLES: dict[str, Callable[[Path, Assumptions], RecordedTable]] = {
    "mmlu_pro_models": mmlu_pro,
    "routellm_mmlu": routellm_mmlu,
    "routellm_gsm8k": routellm_gsm8k,
    "gsm8k_gpt3_6b_vs_175b": gsm8k_gpt3,
    "llmrouter_9models": llmrouter,
    "routerarena_sub10": routerarena,
}
"""Every table by name; each reads the folder that holds the public data."""
