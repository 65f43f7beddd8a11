"""The tagger: the shipped encoder's lower layers as they are, upper layers tuned, and a label for each word piece.

The encoder reads lower case without accents; how a piece looks (`surface`) is added where the tuned layers begin.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

LABELS = ("O", "B-PERSON", "I-PERSON", "B-STREET_ADDRESS", "I-STREET_ADDRESS")
_WIDTH, _HEADS, _INNER, _LAYERS, _EPSILON = 384, 12, 1536, 6, 1e-12


class Layer(nn.Module):
    """One layer of BERT."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value, self.out = (nn.Linear(_WIDTH, _WIDTH) for _ in range(4))
        self.wide, self.narrow = nn.Linear(_WIDTH, _INNER), nn.Linear(_INNER, _WIDTH)
        self.first, self.second = nn.LayerNorm(_WIDTH, eps=_EPSILON), nn.LayerNorm(_WIDTH, eps=_EPSILON)

    def forward(self, hidden: torch.Tensor, mask: torch.Tensor | None, drop: float = 0.0) -> torch.Tensor:
        """Run the layer; ``mask`` tells which pieces are there, None that all are."""
        count, length, _ = hidden.shape
        shape = (count, length, _HEADS, _WIDTH // _HEADS)
        query, key, value = (each(hidden).view(shape).transpose(1, 2) for each in (self.query, self.key, self.value))
        seen = None if mask is None else mask[:, None, None, :]
        read = functional.scaled_dot_product_attention(query, key, value, attn_mask=seen)
        read = self.out(read.transpose(1, 2).reshape(count, length, _WIDTH))
        hidden = self.first(hidden + functional.dropout(read, drop, self.training))
        inner = self.narrow(functional.gelu(self.wide(hidden)))
        return self.second(hidden + functional.dropout(inner, drop, self.training))


class Lower(nn.Module):
    """The embeddings and the layers that stay as they are.

    Args:
        base: What `naming.base` packed.
        layers: How many.
    """

    def __init__(self, base: dict[str, np.ndarray], layers: int) -> None:
        super().__init__()
        words = (base["words"].astype(np.float32) - base["words_zero"]) * base["words_scale"]
        self.words = nn.Embedding.from_pretrained(torch.from_numpy(words))
        self.places = nn.Embedding.from_pretrained(torch.from_numpy(base["places"].astype(np.float32)))
        self.norm = nn.LayerNorm(_WIDTH, eps=_EPSILON)
        self.norm.load_state_dict(
            {key: torch.from_numpy(base[f"norm.{key}"].astype(np.float32)) for key in ("weight", "bias")}
        )
        self.layers = nn.ModuleList(layer(base, number) for number in range(layers))
        self.requires_grad_(False)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return the states that the lower layers leave."""
        hidden = self.norm(self.words(ids) + self.places.weight[: ids.shape[1]])
        for each in self.layers:
            hidden = each(hidden, mask)
        return hidden


class Upper(nn.Module):
    """The layers that are tuned, and what they are tuned for: this is what ships.

    Args:
        base: What `naming.base` packed.
        frozen: How many layers stand below.
        shapes: How many shapes a piece may have.
        gaps: How many gaps may stand before one.
    """

    def __init__(self, base: dict[str, np.ndarray], frozen: int, shapes: int, gaps: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layer(base, number) for number in range(frozen, _LAYERS))
        self.shapes, self.gaps = nn.Embedding(shapes, _WIDTH), nn.Embedding(gaps, _WIDTH)
        for each in (self.shapes, self.gaps):
            nn.init.normal_(each.weight, std=0.05)
        self.head = nn.Linear(_WIDTH, len(LABELS))

    def forward(
        self,
        hidden: torch.Tensor,
        shapes: torch.Tensor,
        gaps: torch.Tensor,
        mask: torch.Tensor | None = None,
        drop: float = 0.0,
    ) -> torch.Tensor:
        """Return the score of each label for each piece."""
        hidden = hidden + self.shapes(shapes) + self.gaps(gaps)
        for each in self.layers:
            hidden = each(hidden, mask, drop)
        return self.head(functional.dropout(hidden, drop, self.training))


_KEYS = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "out": "attention.output.dense",
    "first": "attention.output.LayerNorm",
    "wide": "intermediate.dense",
    "narrow": "output.dense",
    "second": "output.LayerNorm",
}


def layer(base: dict[str, np.ndarray], number: int) -> Layer:
    """Return a layer as it was pre-trained."""
    made = Layer()
    made.load_state_dict(
        {
            f"{ours}.{end}": torch.from_numpy(base[f"{number}.{theirs}.{end}"].astype(np.float32))
            for ours, theirs in _KEYS.items()
            for end in ("weight", "bias")
        }
    )
    return made


def read_base(file: Path) -> dict[str, np.ndarray]:
    """Return what `naming.base` packed."""
    with np.load(file) as packed:
        return {key: packed[key] for key in packed.files}
