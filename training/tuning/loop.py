"""Tunes the network: weighted draws of the requests, and of the tasks beside them."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from tuning.material import DOMAIN, FINE, PARTS, WISH, WRITTEN, Example, finer_labels
from tuning.network import Network
from tuning.variants import Variants

_WRITTEN_SHARE = 0.6
_SMOOTHING = 0.05


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the network is tuned.

    Attributes:
        steps: Steps of the optimiser.
        batch: Requests a step; half as many finer labels, and a quarter as many wishes or parts, come with them.
        rate: Learning rate of the tuned layers.
        fine: What the finer labels count; 0 leaves them out.
        dropped: Share of the tokens that a step does not see.
        averaged: Decay of the moving average of the weights that is kept in the end.
        seed: Of draws and weights.
    """

    steps: int = 3000
    batch: int = 128
    rate: float = 1.5e-4
    head_rate: float = 3e-3
    fine: float = 0.5
    dropped: float = 0.1
    averaged: float = 0.998
    seed: int = 0


def tune(
    examples: Sequence[Example], variants: Variants, rows: NDArray[np.int64], labels: tuple[str, ...], base: Path,
    recipe: Recipe, device: str = "cpu",
) -> Network:  # fmt: skip
    """Tune a network on some of the examples.

    Args:
        examples: All examples.
        variants: Their word pieces, in the same order.
        rows: Which of them are tuned on.
        labels: The domains, in the order of the outputs.
        base: Folder of the pre-trained model.
        recipe: How.
        device: Where.
    """
    torch.manual_seed(recipe.seed)
    finer = finer_labels([examples[row] for row in rows]) if recipe.fine else {}
    network = Network(base, len(labels), {name.split("/")[1]: len(own) for name, own in finer.items()}).to(device)
    average = copy.deepcopy(network).requires_grad_(False)
    draws = _Draws(examples, variants, rows, labels, finer, recipe, device)
    parameters, linear = network.tuned(), network.linear()
    optimizer = torch.optim.AdamW(
        [{"params": parameters, "lr": recipe.rate}, {"params": linear, "lr": recipe.head_rate}], weight_decay=0.01
    )
    rates = [recipe.rate, recipe.head_rate]
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rates, total_steps=recipe.steps + 1, pct_start=0.1)
    network.train()
    seen = torch.zeros((), device=device)
    for number in range(1, recipe.steps + 1):
        with torch.autocast(device, torch.bfloat16, enabled=device != "cpu"):
            loss = _loss(network, draws, recipe, number)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_([*parameters, *linear], 1.0)
        optimizer.step()
        schedule.step()
        decay = min(recipe.averaged, number / (number + 10))
        with torch.no_grad():
            kept = [*average.tuned(), *average.linear()]
            torch._foreach_lerp_(kept, [*parameters, *linear], 1 - decay)
            seen += loss.detach()
        if number % 200 == 0:
            print(f"step {number}/{recipe.steps}, loss {seen.item() / 200:.3f}", flush=True)
            seen.zero_()
    return average.eval()


def _loss(network: Network, draws: _Draws, recipe: Recipe, number: int) -> torch.Tensor:
    ids, mask, counted, target = draws.domains()
    vectors = network.vectors(ids, mask, counted)
    loss = functional.cross_entropy(network.labelled(vectors), target, label_smoothing=_SMOOTHING)
    single = functional.one_hot(target, network.head.out_features).float()
    loss = loss + 0.3 * _told_apart(network.asked_for(vectors), single)
    ids, mask, counted, wanted = draws.parts() if number % 2 else draws.wishes()
    vectors = network.vectors(ids, mask, counted)
    loss = loss + 0.25 * _told_apart(network.asked_for(vectors) if number % 2 else network.wished(vectors), wanted)
    if recipe.fine:
        name, ids, mask, counted, target = draws.finer()
        logits = network.finer(name, network.vectors(ids, mask, counted))
        loss = loss + recipe.fine * functional.cross_entropy(logits, target, label_smoothing=_SMOOTHING)
    return loss


def _told_apart(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return functional.binary_cross_entropy_with_logits(logits, target * 0.95 + 0.025)


Batch = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


class _Draws:
    """Draws batches of each task, each text in a style drawn anew."""

    def __init__(
        self, examples: Sequence[Example], variants: Variants, rows: NDArray[np.int64], labels: tuple[str, ...],
        finer: dict[str, list[str]], recipe: Recipe, device: str,
    ) -> None:  # fmt: skip
        self._variants, self._recipe, self._device = variants, recipe, device
        self._chance = np.random.default_rng(recipe.seed)
        by_task: dict[str, list[int]] = {}
        for row in rows.tolist():
            by_task.setdefault(examples[row].task, []).append(row)
        self._domain_rows = np.array(by_task[DOMAIN])
        self._weights = row_weights([examples[row] for row in self._domain_rows])
        self._classes = np.array([labels.index(examples[row].target) for row in self._domain_rows])
        self._wish_rows = np.array(by_task[WISH])
        self._wished = np.array([[examples[row].target] for row in self._wish_rows], np.float32)
        self._part_rows = np.array(by_task[PARTS])
        self._parts = np.array([[x in examples[r].target for x in labels] for r in self._part_rows], np.float32)
        self._fine = {
            name: (np.array(by_task[name]), np.array([own.index(examples[row].target) for row in by_task[name]]))
            for name, own in finer.items()
        }
        self._fine_names = list(self._fine)
        # topics, which no source taints, as often as all intents together
        sizes = np.array([len(self._fine[name][0]) ** 0.5 for name in self._fine_names])
        ours = np.array([name == f"{FINE}/topics" for name in self._fine_names])
        if ours.any() and not ours.all():
            sizes[~ours] *= sizes[ours].sum() / sizes[~ours].sum()
        self._fine_shares = sizes / sizes.sum() if len(sizes) else sizes

    def domains(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return requests and their domains."""
        chosen = self._chance.choice(len(self._domain_rows), self._recipe.batch, p=self._weights)
        return *self._batch(self._domain_rows[chosen]), self._tensor(self._classes[chosen])

    def parts(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return requests and the domains of their parts; half of them are of several."""
        return self._halves(self._part_rows, self._parts, self._parts.sum(axis=1) > 1)

    def wishes(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return sentences and whether each is a wish; half of them are."""
        return self._halves(self._wish_rows, self._wished, self._wished[:, 0] > 0)

    def finer(self) -> tuple[str, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return texts of one set of finer labels, and their labels."""
        name = self._fine_names[self._chance.choice(len(self._fine_names), p=self._fine_shares)]
        rows, classes = self._fine[name]
        chosen = self._chance.choice(len(rows), self._recipe.batch // 2)
        return name.split("/")[1], *self._batch(rows[chosen]), self._tensor(classes[chosen])

    def _halves(
        self, rows: NDArray[np.int64], target: NDArray[np.float32], kind: NDArray[np.bool_]
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        half = self._recipe.batch // 8
        chosen = np.concatenate([self._chance.choice(np.flatnonzero(kind == each), half) for each in (True, False)])
        return *self._batch(rows[chosen]), self._tensor(target[chosen])

    def _batch(self, rows: NDArray[np.int64]) -> Batch:
        styles = self._chance.integers(0, self._variants.count, len(rows))
        # one text in three as it was written
        styles[self._chance.random(len(rows)) < 0.3] = 0
        ids, mask = padded([self._variants.of(row, style) for row, style in zip(rows, styles, strict=True)])
        counted = mask * (self._chance.random(mask.shape) >= self._recipe.dropped)
        counted[:, 0] = 1
        return self._tensor(ids), self._tensor(mask), self._tensor(counted.astype(np.float32))

    def _tensor(self, array: NDArray[np.generic]) -> torch.Tensor:
        return torch.from_numpy(array).to(self._device, non_blocking=True)


def padded(rows: Sequence[NDArray[np.uint16]]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return word pieces side by side, and 1 where there are any."""
    longest = max(len(row) for row in rows)
    ids, mask = np.zeros((len(rows), longest), np.int64), np.zeros((len(rows), longest), np.float32)
    for number, row in enumerate(rows):
        ids[number, : len(row)], mask[number, : len(row)] = row, 1
    return ids, mask


def row_weights(requests: Sequence[Example]) -> NDArray[np.float64]:
    """Return the chance of each to be drawn: labels alike, sources by the root of their size, ours a share."""
    sizes = Counter((each.target, each.source) for each in requests)
    weights = np.array([sizes[each.target, each.source] ** -0.5 for each in requests])
    ours = np.array([each.source == WRITTEN for each in requests])
    labels = np.array([each.target for each in requests])
    for label in np.unique(labels):
        for group, share in ((ours, _WRITTEN_SHARE), (~ours, 1 - _WRITTEN_SHARE)):
            chosen = (labels == label) & group
            weights[chosen] *= share / max(weights[chosen].sum(), 1e-12)
    return weights / weights.sum()
