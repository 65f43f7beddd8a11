"""The rows every system learns from and is asked about: moslm-route without its constructed rows.

Knows the files of ``moslm-route`` and the domains' own examples, which are training rows like any other.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

EXAMPLES = "examples"
"""Source name of the domains' own examples; it is never left out."""
Pair = tuple[str, str]
"""A domain and a source."""


@dataclass(frozen=True, slots=True)
class Row:
    """One request and the domain it belongs to; None for one that belongs nowhere."""

    text: str
    domain: str | None
    source: str
    license: str


@dataclass(frozen=True, slots=True)
class Data:
    """What is learned from, what thresholds may be set on, and what is asked."""

    train: tuple[Row, ...]
    dev: tuple[Row, ...]
    test: tuple[Row, ...]

    @property
    def pairs(self) -> list[Pair]:
        """Every domain and source of the training rows, sorted."""
        return sorted({(row.domain, row.source) for row in self.train if row.domain and row.source != EXAMPLES})

    @property
    def labels(self) -> tuple[str, ...]:
        """Every domain, sorted."""
        return tuple(sorted({row.domain for row in self.train if row.domain}))

    def without(self, pair: Pair) -> Data:
        """Return the data when a source was never seen: its rows of that domain are in neither train nor dev."""
        return Data(_spared(self.train, pair), _spared(self.dev, pair), self.test)

    def asked_of(self, pair: Pair, most: int) -> tuple[Row, ...]:
        """Return the left-out training rows to ask, a fixed draw of at most ``most``."""
        return _draw([row for row in self.train if (row.domain, row.source) == pair], most)

    def thinned(self, test_rows: int, every: int) -> Data:
        """Return a small part, enough to prove that everything runs."""
        return Data(self.train[::every], self.dev[::every], _draw(self.test, test_rows))


def read(folder: Path) -> Data:
    """Read moslm-route below ``folder`` and the examples of MoSLM's domains."""
    from moslm.config import Config
    from moslm.domains import load_domains

    own = [
        Row(text, name, EXAMPLES, "Apache-2.0")
        for name, domain in load_domains(Config()).items()
        for text in domain.examples
    ]
    splits = {name: _rows(folder / "moslm-route" / f"{name}.jsonl") for name in ("train", "dev", "test")}
    return Data((*own, *splits["train"]), splits["dev"], splits["test"])


def write(data: Data, file: Path) -> None:
    """Keep the data for the processes that learn and answer."""
    file.write_text(json.dumps(asdict(data)), encoding="utf-8")


def kept(file: Path) -> Data:
    """Read what `write` kept."""
    splits = json.loads(file.read_text(encoding="utf-8"))
    return Data(**{name: tuple(Row(**row) for row in rows) for name, rows in splits.items()})


def _rows(file: Path) -> tuple[Row, ...]:
    with file.open(encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines]
    return tuple(
        Row(record["text"], None if record["novel"] else record["domain"], record["source"], record["license"] or "")
        for record in records
        if not record["constructed"]
    )


def _spared(rows: Iterable[Row], pair: Pair) -> tuple[Row, ...]:
    return tuple(row for row in rows if (row.domain, row.source) != pair)


def _draw(rows: Iterable[Row], most: int) -> tuple[Row, ...]:
    given = list(rows)
    return tuple(given if len(given) <= most else random.Random(7).sample(given, most))
