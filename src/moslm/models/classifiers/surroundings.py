"""What people write around a request: asides that say nothing of its subject, put around training texts.

A classifier that never saw them takes "I tried calling, nobody picks up" for evidence. The asides were written for
MoSLM and lie beside this module. Knows no labels; the asides a request really carries are not looked for here.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

SHIPPED_ASIDES = Path(__file__).parent / "asides.jsonl"
_JOINTS = (" ", " ", "\n", " ... ", ", ", " - ")


@dataclass(frozen=True, slots=True)
class Aside:
    """A stretch that fits any request.

    Attributes:
        text: The words.
        place: Where it may stand.
    """

    text: str
    place: Literal["before", "after", "either"]


def read_asides(file: Path = SHIPPED_ASIDES) -> list[Aside]:
    """Return the asides of a JSON lines file, ``{"text", "place"}`` each."""
    with file.open(encoding="utf-8") as lines:
        return [Aside(row["text"], row["place"]) for row in map(json.loads, lines)]


def surrounded(text: str, asides: Sequence[Aside], chance: random.Random) -> str:
    """Return the text with one aside before or after it, or with one at each end."""
    for aside in chance.sample(asides, 2 if chance.random() < 0.3 else 1):
        joint = chance.choice(_JOINTS)
        before = aside.place == "before" or (aside.place == "either" and chance.random() < 0.5)
        text = f"{aside.text}{joint}{text}" if before else f"{text}{joint}{aside.text}"
    return text
