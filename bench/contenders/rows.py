"""The rows every system learns from and is asked about: moslm-route without its constructed rows.

Knows the files of ``moslm-route``, the domains' own examples and the requests written for MoSLM (``corpus/``); both are
training rows like any other, of every system that can learn.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

EXAMPLES = "examples"
"""Source name of the domains' own examples."""
WRITTEN = "written"
"""Source name of the requests written for MoSLM."""
NEVER_LEFT_OUT = (EXAMPLES, WRITTEN)
_CORPUS = Path(__file__).parents[2] / "corpus" / "requests"
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
        return sorted(
            {(row.domain, row.source) for row in self.train if row.domain and row.source not in NEVER_LEFT_OUT}
        )

    @property
    def labels(self) -> tuple[str, ...]:
        """Every domain, sorted."""
        return tuple(sorted({row.domain for row in self.train if row.domain}))

    def without(self, pairs: Collection[Pair]) -> Data:
        """Return the data when sources were never seen: their rows of that domain are in neither train nor dev."""
        return Data(_spared(self.train, pairs), _spared(self.dev, pairs), self.test)

    def asked_of(self, pair: Pair, most: int) -> tuple[Row, ...]:
        """Return the left-out training rows to ask, a fixed draw of at most ``most``."""
        return _draw([row for row in self.train if (row.domain, row.source) == pair], most)

    def thinned(self, test_rows: int, every: int) -> Data:
        """Return a small part, enough to prove that everything runs."""
        return Data(self.train[::every], self.dev[::every], _draw(self.test, test_rows))


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Sources that are left out together.

    Attributes:
        pairs: Their domains and names.
        encoder: Folder of an encoder that MoSLM tuned without them; None when there is none.
    """

    pairs: tuple[Pair, ...]
    encoder: Path | None = None


def read(folder: Path) -> Data:
    """Read moslm-route below ``folder``, the examples of MoSLM's domains and the requests written for it.

    A written request that says the same as a row that is asked is taught to nobody.
    """
    from moslm.config import Config
    from moslm.domains import load_domains

    own = [
        Row(text, name, EXAMPLES, "Apache-2.0")
        for name, domain in load_domains(Config()).items()
        for text in domain.examples
    ]
    splits = {name: _rows(folder / "moslm-route" / f"{name}.jsonl") for name in ("train", "dev", "test")}
    asked = {_plain(row.text) for name in ("dev", "test") for row in splits[name]}
    written = [row for file in sorted(_CORPUS.glob("*.jsonl")) for row in _rows(file) if _plain(row.text) not in asked]
    return Data((*own, *written, *splits["train"]), splits["dev"], splits["test"])


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
        Row(
            record["text"],
            None if record.get("novel") else record["domain"],
            record["source"],
            record.get("license") or "",
        )
        for record in records
        if not record.get("constructed")
    )


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def _spared(rows: Iterable[Row], pairs: Collection[Pair]) -> tuple[Row, ...]:
    return tuple(row for row in rows if (row.domain, row.source) not in pairs)


def _draw(rows: Iterable[Row], most: int) -> tuple[Row, ...]:
    given = list(rows)
    return tuple(given if len(given) <= most else random.Random(7).sample(given, most))
