"""How many replicas a load takes: Erlang's formula for M/M/c, and what a GPU can do at best. Pure functions.

Requests arrive at random (Poisson), a replica that answers `k` of them side by side is `k` servers, and how long an
answer takes is random as well (exponential). Answers of a language model vary less than that, which errs to the safe
side, and arrivals come in bursts, which does not. See docs/guides/scaling.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from moslm.budgets.sizing.queueing import waiting_probability, waits_longer

_MOST = 100_000


@dataclass(frozen=True, slots=True)
class Need:
    """How many replicas a load takes."""

    replicas: int
    """That answer in time; one more is needed so that one may die."""
    load: float
    """Answers that are being written at any time, in erlangs."""
    utilisation: float
    waiting: float
    """Probability that a request waits at all."""
    late: float
    """Probability that it waits longer than it may."""


def replicas_for(
    rate: float, answer_s: float, side_by_side: int, *, wait_s: float = 1.0, late: float = 0.05, most_used: float = 0.7
) -> Need:
    """Return the fewest replicas of which few requests wait too long, and which are not used too much.

    Args:
        rate: Requests a second at the peak.
        answer_s: Seconds an answer takes while so many are written side by side.
        side_by_side: Answers that a replica writes side by side.
        wait_s: How long a request may wait before it is begun, seconds.
        late: Share of the requests that may wait longer.
        most_used: Utilisation that is left as headroom for bursts.

    Raises:
        ValueError: A number is not positive, or no number of replicas is enough.
    """
    if min(rate, answer_s, side_by_side) <= 0 or not 0 < most_used < 1:
        raise ValueError("rate, answer_s and side_by_side must be positive, most_used between 0 and 1")
    load = rate * answer_s
    for replicas in range(max(1, math.ceil(load / most_used / side_by_side - 1e-9)), _MOST):
        servers = replicas * side_by_side
        if waits_longer(wait_s, servers, load, answer_s) <= late:
            wait = waiting_probability(servers, load)
            return Need(replicas, load, load / servers, wait, waits_longer(wait_s, servers, load, answer_s))
    raise ValueError(f"more than {_MOST} replicas would be needed")


@dataclass(frozen=True, slots=True)
class Gpu:
    """What a GPU can do at best, as its data sheet says: half precision, dense."""

    memory_gb: float
    bandwidth_gb_s: float
    tflops: float


GPUS = {
    "L4": Gpu(24, 300, 121),
    "A10": Gpu(24, 600, 125),
    "L40S": Gpu(48, 864, 362),
    "A100 80 GB": Gpu(80, 2039, 312),
    "H100 SXM": Gpu(80, 3350, 989),
    "H200": Gpu(141, 4800, 989),
}


@dataclass(frozen=True, slots=True)
class Model:
    """What of a model its speed depends on."""

    billions: float
    """Parameters."""
    kv_kb: float
    """Keys and values of a token, kB: 2 x layers x heads of keys x size of a head x bytes of a number / 1000."""
    bytes_each: float = 2.0
    """Bytes of a parameter."""

    @property
    def gb(self) -> float:
        """Size of the weights."""
        return self.billions * self.bytes_each


MODELS = {
    "Qwen2.5-1.5B": Model(1.54, 2 * 28 * 2 * 128 * 2 / 1000),
    "Qwen2.5-7B": Model(7.62, 2 * 28 * 4 * 128 * 2 / 1000),
    "Qwen2.5-7B, 4 bit": Model(7.62, 2 * 28 * 4 * 128 * 2 / 1000, bytes_each=0.56),
    "Qwen2.5-14B": Model(14.8, 2 * 48 * 8 * 128 * 2 / 1000),
}
READING, WRITING = 0.5, 0.6
"""Shares of the arithmetic and of the bandwidth that are assumed to be reached; measure your own."""


@dataclass(frozen=True, slots=True)
class Ability:
    """What one replica is assumed to do."""

    most_side_by_side: int
    """Answers whose keys and values fit into the memory; 0 where the weights do not."""
    answer_s: float
    """Seconds an answer takes with so many side by side as were asked for."""
    tokens_s: float
    """Tokens written a second, over all of them."""
    requests_s: float


def ability(gpu: Gpu, model: Model, tokens_in: int, tokens_out: int, side_by_side: int, cached: float = 0.0) -> Ability:
    """Return what one replica on one GPU is assumed to do (a roofline; assumptions, no measurement).

    Writing reads all weights once for one token of every answer, and each answer's keys and values; reading a prompt
    computes two operations for each parameter and token, and takes its time from writing.

    Args:
        gpu: Its data sheet.
        model: The model.
        tokens_in: Prompt tokens of a request.
        tokens_out: Answer tokens of a request.
        side_by_side: Answers written side by side.
        cached: Share of the prompt that the prefix cache holds.
    """
    left = 0.9 * gpu.memory_gb - model.gb
    length = tokens_in + tokens_out
    fits = max(0, int(left * 1e6 / (model.kv_kb * length)))
    read = model.gb + side_by_side * model.kv_kb * (tokens_in + tokens_out / 2) / 1e6
    step_s = read / (gpu.bandwidth_gb_s * WRITING)
    prompt_s = 2 * model.billions * tokens_in * (1 - cached) / (gpu.tflops * 1000 * READING)
    # every answer's prompt is read in the time of all of them
    answer_s = tokens_out * step_s + side_by_side * prompt_s
    return Ability(fits, answer_s, side_by_side * tokens_out / answer_s, side_by_side / answer_s)


def assumed(rate: float, tokens_in: int, tokens_out: int, side_by_side: int, cached: float) -> list[str]:
    """Return the guide's table: what each GPU is assumed to do with each model, and how many of it a rate takes."""
    lines = [
        f"| model | GPU | fit side by side | S({side_by_side}) | requests/s | replicas for {rate:g}/s |",
        "|---|---|---|---|---|---|",
    ]
    for model_name, model in MODELS.items():
        for gpu_name, gpu in GPUS.items():
            can = ability(gpu, model, tokens_in, tokens_out, side_by_side, cached)
            first = f"| {model_name} | {gpu_name} |"
            if can.most_side_by_side < side_by_side:
                lines.append(f"{first} {can.most_side_by_side or 'no'} | – | – | – |")
                continue
            need = replicas_for(rate, can.answer_s, side_by_side)
            lines.append(
                f"{first} {can.most_side_by_side} | {can.answer_s:.1f} s | {can.requests_s:.1f} | {need.replicas} + 1 |"
            )
    return lines
