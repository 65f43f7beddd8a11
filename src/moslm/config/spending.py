"""What a request may cost: the large model with its cap and throttle, and prices."""

from __future__ import annotations

from pydantic import Field

from moslm.config.models import ModelSettings
from moslm.config.settings import Milliseconds, Settings


class LargeModelSettings(Settings):
    """The large model, its cap and its throttle. Without this section requests that must go up are handed over."""

    model: ModelSettings
    latency_ms: Milliseconds = 3000
    """Latency budget (3 s in the reference design): measured and shown."""
    deadline_ms: Milliseconds | None = None
    """When the call is given up; by default `deadline_of` the latency budget."""
    max_usd_per_day: float = Field(default=10.0, ge=0)
    max_calls_per_day: int = Field(default=1000, ge=0)
    requests_per_minute: float = Field(default=60, gt=0)
    max_wait_ms: float = Field(default=5000, ge=0)
    """How long a request waits for the throttle before it is handed over."""
    review: bool = False
    """Whether a person must approve each escalation."""
    system_prompt: str = "You answer enterprise requests. Say plainly when you do not know."


class Price(Settings):
    """List price of one model, US dollars per million tokens."""

    input: float = Field(ge=0)
    cached_input: float | None = Field(default=None, ge=0)
    output: float = Field(ge=0)
    as_of: str = ""
