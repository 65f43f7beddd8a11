"""Tunes the tagger, and says how it does on texts that were kept from it."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from naming.network import LABELS, Lower, Upper
from naming.pieces import Pieces

_IGNORED = 255


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the tagger is tuned.

    Attributes:
        frozen: Layers that stay as they were.
        steps: Most steps of the optimiser.
        seconds: About how long it may take; fewer steps are made where they take longer.
        pieces: Word pieces a step.
        rate: Learning rate of the tuned layers; what is new learns three times as fast.
        noise: Standard deviation of what is added to the states below, as a share of theirs: 8 bits err so much.
        averaged: Decay of the moving average of the weights that is kept in the end.
    """

    frozen: int = 3
    steps: int = 9000
    seconds: float = 90.0
    pieces: int = 16_384
    rate: float = 3e-4
    noise: float = 0.1
    drop: float = 0.1
    averaged: float = 0.998
    seed: int = 0


class Batches:
    """Draws batches of texts of about one length from what lies on the device.

    Args:
        pieces: The texts.
        device: Where they are to lie.
    """

    def __init__(self, pieces: Pieces, device: str) -> None:
        self.rows = torch.from_numpy(pieces.rows.astype(np.int32)).to(device)
        self.starts = torch.from_numpy(np.concatenate([[0], np.cumsum(pieces.lengths)[:-1]])).to(device)
        self.lengths = torch.from_numpy(pieces.lengths).to(device)
        self.device = device
        rounded = -(-pieces.lengths // 8) * 8
        self.buckets = {int(each): np.flatnonzero(rounded == each) for each in np.unique(rounded)}

    def epoch(self, size: int, chance: np.random.Generator) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield all texts once, as rows (4, texts, pieces) and a mask."""
        batches = []
        for length, members in self.buckets.items():
            shuffled = chance.permutation(members)
            step = max(1, size // length)
            batches += [(length, shuffled[at : at + step]) for at in range(0, len(shuffled), step)]
        for at in chance.permutation(len(batches)):
            length, members = batches[at]
            yield self.batch(members, length)

    def batch(self, members: np.ndarray, length: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the rows of some texts, padded, and which pieces are there."""
        chosen = torch.from_numpy(members).to(self.device)
        along = torch.arange(length, device=self.device)
        mask = along[None] < self.lengths[chosen][:, None]
        at = torch.where(mask, self.starts[chosen][:, None] + along[None], 0)
        rows = self.rows[:, at]
        rows[:3] *= mask
        rows[3].masked_fill_(~mask, _IGNORED)
        return rows.long(), mask


def tune(
    base: dict[str, np.ndarray], texts: Batches, recipe: Recipe, shapes: int, gaps: int, device: str
) -> tuple[Lower, Upper, dict[str, Any]]:
    """Tune the upper layers; return them with those below and what there is to say of it."""
    torch.manual_seed(recipe.seed)
    chance = np.random.default_rng(recipe.seed)
    lower, upper = (
        Lower(base, recipe.frozen).to(device).eval(),
        Upper(base, recipe.frozen, shapes, gaps).to(device).train(),
    )
    new = [*upper.head.parameters(), *upper.shapes.parameters(), *upper.gaps.parameters()]
    groups = [{"params": [*upper.layers.parameters()], "lr": recipe.rate}, {"params": new, "lr": 3 * recipe.rate}]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    average = copy.deepcopy(upper).eval()
    steps, done, began = recipe.steps, 0, time.monotonic()
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda at: min(1.0, (at + 1) / 200, max(0.0, 1 - at / steps))
    )
    losses: list[float] = []
    while done < steps:
        for rows, mask in texts.epoch(recipe.pieces, chance):
            loss = _loss(lower, upper, rows, mask, recipe, device)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(upper.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            done += 1
            decay = min(recipe.averaged, done / (done + 10))
            with torch.no_grad():
                torch._foreach_lerp_([*average.parameters()], [*upper.parameters()], 1 - decay)
            if done % 100 == 0 or done == steps:
                losses.append(round(float(loss.detach()), 4))
                each = (time.monotonic() - began) / done
                steps = max(done, min(recipe.steps, int(recipe.seconds / each)))
            if done % 1000 == 0:
                print(
                    f"step {done} of {steps}, loss {losses[-1]}, {time.monotonic() - began:.0f} s",
                    flush=True,
                )
            if done >= steps:
                break
    return (
        lower,
        average,
        {"steps": done, "seconds": round(time.monotonic() - began, 1), "losses": losses[:: max(1, len(losses) // 40)]},
    )


def _loss(
    lower: Lower, upper: Upper, rows: torch.Tensor, mask: torch.Tensor, recipe: Recipe, device: str
) -> torch.Tensor:
    with torch.autocast(device, dtype=torch.bfloat16, enabled=device == "cuda"):
        with torch.no_grad():
            hidden = lower(rows[0], mask)
            hidden = hidden + recipe.noise * hidden.std() * torch.randn_like(hidden)
        scores = upper(hidden, rows[1], rows[2], mask, recipe.drop)
    return functional.cross_entropy(scores.float().flatten(0, 1), rows[3].flatten(), ignore_index=_IGNORED)


@torch.no_grad()
def judged(lower: Lower, upper: Upper, texts: Batches, device: str) -> dict[str, Any]:
    """Return by threshold how many names and addresses are found whole, and how many other pieces are hidden."""
    found: dict[str, list[np.ndarray]] = {name: [] for name in ("labels", "hidden")}
    for rows, mask in texts.epoch(16_384, np.random.default_rng(0)):
        with torch.autocast(device, dtype=torch.bfloat16, enabled=device == "cuda"):
            scores = upper(lower(rows[0], mask), rows[1], rows[2], mask)
        hidden = 1 - scores.float().softmax(-1)[..., 0]
        keep = rows[3] != _IGNORED
        found["labels"].append(
            torch.cat([rows[3][keep], torch.zeros(1, device=device, dtype=torch.long)]).cpu().numpy()
        )
        found["hidden"].append(torch.cat([hidden[keep], torch.zeros(1, device=device)]).cpu().numpy())
    labels, hidden = np.concatenate(found["labels"]), np.concatenate(found["hidden"])
    return {f"{threshold}": _at(labels, hidden > threshold) for threshold in (0.1, 0.2, 0.3, 0.5, 0.7)}


def _at(labels: np.ndarray, hidden: np.ndarray) -> dict[str, float]:
    result = {"false_pieces_per_1000": round(1000 * float(hidden[labels == 0].mean()), 2)}
    for begin, name in ((1, LABELS[1][2:]), (3, LABELS[3][2:])):
        starts = np.flatnonzero(labels == begin)
        whole = []
        for start in starts:
            end = start + 1
            while end < len(labels) and labels[end] == begin + 1:
                end += 1
            whole.append(bool(hidden[start:end].all()))
        result[name] = round(float(np.mean(whole)), 4) if whole else float("nan")
    return result
