"""The network that is tuned: MiniLM, the mean over its tokens, and a linear layer for each task.

Its lower layers stay as they were pre-trained, and the mean over the states they leave is the second half of every
sentence vector: the tuned layers know the domains they were tuned on; what belongs to none of anybody's domains shows
better in the layers that were left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional

FROZEN_LAYERS = 3
_SCALE, _FINE_SCALE = 8.0, 16.0


class Network(nn.Module):
    """The encoder and what it is tuned by.

    Args:
        folder: The pre-trained model, as transformers keeps it.
        labels: How many domains there are, "belongs nowhere" counted in.
        fine: For each set of finer labels how many it has.
    """

    def __init__(self, folder: Path, labels: int, fine: Mapping[str, int]) -> None:
        super().__init__()
        from transformers import AutoModel

        self.base: Any = AutoModel.from_pretrained(folder, attn_implementation="sdpa", dtype=torch.float32)
        width = self.base.config.hidden_size
        self.head, self.wish, self.asked = nn.Linear(width, labels), nn.Linear(width, 1), nn.Linear(width, labels)
        self.fine = nn.ParameterDict({name: nn.Parameter(torch.randn(n, width)) for name, n in fine.items()})

    def tuned(self) -> list[nn.Parameter]:
        """Return the parameters of the layers that are tuned."""
        return [*self.base.encoder.layer[FROZEN_LAYERS:].parameters()]

    def linear(self) -> list[nn.Parameter]:
        """Return the parameters of the tasks' own layers."""
        layers = (self.head, self.wish, self.asked)
        return [*(each for layer in layers for each in layer.parameters()), *self.fine.values()]

    def vectors(self, ids: torch.Tensor, mask: torch.Tensor, counted: torch.Tensor | None = None) -> torch.Tensor:
        """Return unit vectors, one a text; ``counted`` leaves out tokens from the upper layers on."""
        with torch.no_grad():
            hidden = self.lower(ids, mask)
        return self.upper(hidden, mask if counted is None else counted)

    def lower(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Run the embeddings and the frozen layers."""
        return self._through(self.base.embeddings(input_ids=ids), mask, 0, FROZEN_LAYERS)

    def upper(self, hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Run the tuned layers and return unit vectors, one a text."""
        return unit_mean(self._through(hidden, mask, FROZEN_LAYERS, len(self.base.encoder.layer)), mask)

    def labelled(self, vectors: torch.Tensor) -> torch.Tensor:
        """Return the scores of the domains."""
        return self.head(functional.dropout(vectors, 0.1, self.training)) * _SCALE

    def wished(self, vectors: torch.Tensor) -> torch.Tensor:
        """Return the log-odds that a sentence wishes for a stronger model."""
        return self.wish(vectors) * _SCALE

    def asked_for(self, vectors: torch.Tensor) -> torch.Tensor:
        """Return for each domain the log-odds that some part of the request is about it."""
        return self.asked(vectors) * _SCALE

    def finer(self, name: str, vectors: torch.Tensor) -> torch.Tensor:
        """Return the scores of a set of finer labels."""
        return functional.normalize(vectors, dim=1) @ functional.normalize(self.fine[name], dim=1).T * _FINE_SCALE

    def _through(self, hidden: torch.Tensor, mask: torch.Tensor, first: int, last: int) -> torch.Tensor:
        bias = (1.0 - mask[:, None, None, :].to(hidden.dtype)) * -1e4
        for layer in self.base.encoder.layer[first:last]:
            out = layer(hidden, bias)
            hidden = out[0] if isinstance(out, tuple) else out
        return hidden


def unit_mean(hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return the mean over the tokens of each text, scaled to length 1."""
    counted = mask.unsqueeze(-1).to(hidden.dtype)
    return functional.normalize((hidden * counted).sum(1) / counted.sum(1), dim=1)


class Sentences(nn.Module):
    """What is exported: word pieces in; out come the vectors of the tuned layers, and those of the pre-trained ones."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return two unit vectors a text."""
        hidden = self.network.lower(input_ids, attention_mask)
        return self.network.upper(hidden, attention_mask), unit_mean(hidden, attention_mask)
