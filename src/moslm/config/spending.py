"""What a request may cost: the large model with its cap and throttle, caps of every kind, and prices."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from moslm.config.models import ModelSettings
from moslm.config.redis import RedisPlace
from moslm.config.settings import Milliseconds, Probability, Settings

Per = Literal["system", "tenant", "user", "conversation", "request", "domain", "model"]
Every = Literal["minute", "day", "month", "ever"]
Unit = Literal["usd", "tokens", "calls", "share"]
AtCapAction = Literal["hand_over", "answer_locally", "wait", "ask", "refuse"]

_SPANS: tuple[Every, ...] = ("minute", "day", "month", "ever")
_UNITS: tuple[Unit, ...] = ("usd", "tokens", "calls", "share")
_MOST_USD = 5_000_000


class LargeModelSettings(Settings):
    """The large model, its cap and its throttle. Without this section requests that must go up are handed over."""

    model: ModelSettings
    latency_ms: Milliseconds = 3000
    """Latency budget (3 s in the reference design): measured and shown."""
    deadline_ms: Milliseconds | None = None
    """When the call is given up; by default `deadline_of` the latency budget."""
    max_usd_per_day: float = Field(default=10.0, ge=0, le=_MOST_USD)
    """Cap on its money each day, for all that share the ledger; ``[[budgets.caps]]`` adds finer ones."""
    max_calls_per_day: int = Field(default=1000, ge=0)
    """Cap on its calls each day, for all that share the ledger."""
    requests_per_minute: float = Field(default=60, gt=0)
    """How often it is called in the long run; a twelfth of it may pass at once."""
    tokens_per_minute: float | None = Field(default=None, gt=0)
    """How many tokens, in and out together, its provider takes in the long run; by default they are not counted."""
    max_wait_ms: float = Field(default=5000, ge=0)
    """How long a request waits for the throttle before it is handed over."""
    review: bool = False
    """Whether a person must approve each escalation."""
    review_above_usd: float | None = Field(default=None, ge=0, le=_MOST_USD)
    """Whether a person must approve an escalation that may cost more than this, US dollars: the bytes of its prompt and
    its longest answer, at the model's price."""
    system_prompt: str = "You answer enterprise requests. Say plainly when you do not know."


class CapSettings(Settings):
    """One cap on what paid models may take; see docs/guides/budgets.md."""

    per: Per = "system"
    """What is counted on its own: each tenant, each user of a tenant, each domain ... or all together."""
    only: str | None = Field(default=None, min_length=1)
    """The one tenant, user, domain or model it is for; by default it is for each of them."""
    every: Every | None = None
    """Window of UTC it counts in; by default ``day``, and ``ever`` for a request and a conversation. A share slides."""
    usd: float | None = Field(default=None, ge=0, le=_MOST_USD)
    """US dollars."""
    tokens: int | None = Field(default=None, ge=0)
    """Tokens, in and out together."""
    calls: int | None = Field(default=None, ge=0)
    """Calls."""
    share: Probability | None = None
    """Largest share of the requests of the window that may call the large model."""
    free: int = Field(default=5, ge=0)
    """For a share: calls allowed in each window whatever the share."""
    name: str = ""
    """How people know it; by default what it says."""

    @model_validator(mode="after")
    def _caps_one_thing(self) -> CapSettings:
        named = [unit for unit in _UNITS if getattr(self, unit) is not None]
        if len(named) != 1:
            said = " and ".join(named) or "none"
            raise ValueError(f"a cap names exactly one of usd, tokens, calls and share; this one names {said}")
        if named == ["share"] and (self.per in ("request", "model") or self.every == "ever"):
            raise ValueError("a share needs many requests: it is not per request or model, and not for ever")
        if self.per == "system" and self.only:
            raise ValueError('only names nothing where per = "system"')
        return self

    @property
    def measure(self) -> tuple[Unit, float]:
        """What it counts, and the most of it."""
        return next((unit, getattr(self, unit)) for unit in _UNITS if getattr(self, unit) is not None)

    @property
    def window(self) -> Every:
        """The window it counts in."""
        return self.every or ("ever" if self.per in ("request", "conversation") else "day")

    @property
    def label(self) -> str:
        """How people know it."""
        if self.name:
            return self.name
        unit, value = self.measure
        amount = {"usd": f"${value:,.10g}", "share": f"{value:.0%} of requests"}.get(unit, f"{value:,.0f} {unit}")
        span = "" if self.window == "ever" else f" a {self.window}"
        whom = "" if self.per == "system" else f" for {self.per} {self.only}" if self.only else f" for each {self.per}"
        return f"{amount}{span}{whom}"


class BudgetSettings(RedisPlace):
    """Where the ledger is kept, and the caps; see docs/guides/budgets.md."""

    what: ClassVar[str] = "the ledger is kept"
    caps: list[CapSettings] = []
    file: Path | None = None
    """SQLite file of the ledger, for every process of this machine; by default ``ledger.sqlite`` in `home`."""
    sync: bool = True
    """Whether the file's reservations wait for the disk, so that not even a power cut loses one."""
    redis_durable: bool = True
    """Whether a Redis that keeps nothing on its disk is refused: a restart of it would forget what was spent."""
    alerts: list[Probability] = [0.5, 0.8, 1.0]
    """Shares of a cap that are told when they are reached."""
    max_wait_ms: float = Field(default=10_000, ge=0)
    """The longest that ``at_cap = "wait"`` waits for a cap to have room again."""
    keep_answers_minutes: float = Field(default=60, ge=0)
    """How long the answer of a paid step is kept, so that a run that is repeated does not pay again."""

    @model_validator(mode="after")
    def _caps_agree(self) -> BudgetSettings:
        found: dict[tuple[Per, str | None, Unit], dict[Every, float]] = {}
        for cap in self.caps:
            unit, value = cap.measure
            windows = found.setdefault((cap.per, cap.only, unit), {})
            if cap.window in windows:
                said = f"{windows[cap.window]:g} and {value:g}"
                raise ValueError(f"two caps on {unit} per {cap.per} and {cap.window}: {said}; leave one out")
            windows[cap.window] = value
        for (per, only, unit), windows in found.items():
            _check_nesting(per, only, unit, windows)
        labels = [cap.label for cap in self.caps]
        if twice := next((label for label in labels if labels.count(label) > 1), None):
            raise ValueError(f"two caps are called {twice!r}")
        return self


def _check_nesting(per: Per, only: str | None, unit: Unit, windows: dict[Every, float]) -> None:
    """Refuse a short window that allows more than a longer one around it: one of the two is a mistake."""
    if unit == "share":
        return
    for short, long in pairwise(span for span in _SPANS if span in windows):
        if windows[short] > windows[long]:
            whom = f"{per} {only}" if only else per
            raise ValueError(
                f"contradicting caps per {whom}: {windows[short]:g} {unit} a {short} is more than"
                f" {windows[long]:g} {unit} {'for ever' if long == 'ever' else f'a {long}'}"
            )


class Price(Settings):
    """What one model costs: a list price per million tokens, or that of the GPUs one owns and how fast they write."""

    input: float = Field(default=0.0, ge=0)
    cached_input: float | None = Field(default=None, ge=0)
    """Prompt tokens from the provider's cache; by default those of ``input``."""
    output: float = Field(default=0.0, ge=0)
    reasoning: float | None = Field(default=None, ge=0)
    """Reasoning tokens; by default those of ``output``."""
    gpu_hour: float | None = Field(default=None, gt=0)
    """What one GPU costs an hour, bought or rented, in the place of ``input`` and ``output``: an answer costs its share
    of the GPUs' time."""
    gpus: int = Field(default=1, ge=1)
    """GPUs that write ``tokens_per_second`` together."""
    tokens_per_second: float | None = Field(default=None, gt=0)
    """Tokens they write a second under the load they have, over all answers side by side: measured."""
    prompt_tokens_per_second: float | None = Field(default=None, gt=0)
    """Prompt tokens they read a second, where reading costs apart; by default ``tokens_per_second`` has it within."""
    utilisation: float = Field(default=1.0, gt=0, le=1)
    """Share of the time they are busy; below 1 the answers pay for the idle time too."""
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")
    """One that ``[currencies]`` gives in US dollars."""
    as_of: str = ""

    @model_validator(mode="after")
    def _one_kind_of_price(self) -> Price:
        tokens = self.model_fields_set & {"input", "cached_input", "output", "reasoning"}
        owned = self.model_fields_set & {"gpus", "tokens_per_second", "prompt_tokens_per_second", "utilisation"}
        if self.gpu_hour is None:
            missing = next((key for key in ("input", "output") if key not in tokens), None)
            if missing:
                raise ValueError(f"{missing} is missing; add {missing} = ..., per million tokens, or gpu_hour = ...")
            if owned:
                raise ValueError(f"{min(owned)} means nothing without gpu_hour; add gpu_hour = ... or remove it")
        elif tokens:
            raise ValueError(f"has two prices, gpu_hour and {min(tokens)}; leave one out")
        elif self.tokens_per_second is None:
            raise ValueError("tokens_per_second is missing; add what bench/capacity.py measures on these GPUs")
        return self
