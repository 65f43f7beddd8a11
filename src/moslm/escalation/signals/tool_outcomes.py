"""How the tools fared that the draft stands on."""

from __future__ import annotations

from moslm.decision import Signal, ToolUse
from moslm.state import Draft

_EMPTY = 0.5
"""An empty lookup may be the answer ("there is no such order"), or a question wrongly put."""


def tool_outcomes(draft: Draft) -> Signal:
    """Return the mean over the tools it called, the last call of each: 1 done, 0.5 found nothing, 0 failed."""
    last = {use.name: use for use in (ToolUse.model_validate(each) for each in draft.get("tools") or [])}
    if not last:
        return Signal(name="tool_outcomes", why="no tool was called")
    value = sum(_one(use) for use in last.values()) / len(last)
    amiss = [name for name, use in last.items() if _one(use) < 1]
    return Signal(name="tool_outcomes", value=value, why=f"{len(last)} tools, {len(amiss)} of them without a result")


def _one(use: ToolUse) -> float:
    if use.outcome not in ("done", "answered"):
        return 0.0
    return _EMPTY if use.empty else 1.0
