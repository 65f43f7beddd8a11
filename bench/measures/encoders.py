"""Encoders tuned without some sources (``training/encoder.py --folds``): found in a folder, and known by name.

A head finds its encoder by name, also while it is fitted; one that is not in the table of encoders would be mistaken
for another or not be found.
"""

from __future__ import annotations

import json
from pathlib import Path

from moslm.models.encoders import ENCODERS, Encoder
from moslm.models.encoders.transformer import TransformerEncoder


def folders_in(folder: Path) -> list[Path]:
    """Return the folder of each encoder, in the order of their names."""
    return sorted(each for each in folder.iterdir() if (each / "card.json").exists())


def unseen_by(folder: Path) -> set[tuple[str, str]]:
    """Return the (domain, source) pairs that an encoder was tuned without."""
    return {(domain, source) for domain, source in json.loads((folder / "card.json").read_text())["left_out"]}


def registered(folder: Path) -> Encoder:
    """Return the encoder of a folder, which heads fitted over it then find by its name."""
    encoder = TransformerEncoder(folder)
    ENCODERS[encoder.name] = lambda: encoder
    return encoder
