"""What is remembered: one answer, what it holds for, and where it came from. Plain values; they know no store."""

from __future__ import annotations

import base64
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

How = Literal["exact", "semantic"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One remembered answer. The question is kept as hashes and a vector, never in words.

    Attributes:
        key: Hash of the whole conversation and all that must be equal.
        wording: Hash of what the request says without its filler, and all that must be equal; None for a conversation,
            which is compared as a whole or not at all.
        tenant: Whose it is.
        role: Which role it was given to.
        domain: What it is about.
        decision: Id of the Decision that closed the request it was given to first.
        text: The answer.
        model: Who answered.
        alone: Whether one small model answered all of it: then it can be asked again.
        cost_usd: What answering cost.
        made: When, `time.time()`.
        expires: Until when it holds, `time.time()`.
        vector: The request in half precision; empty for a conversation.
    """

    key: str
    wording: str | None
    tenant: str
    role: str
    domain: str | None
    decision: str
    text: str
    model: str
    alone: bool
    cost_usd: float
    made: float
    expires: float
    vector: bytes = field(default=b"", repr=False)

    def holds(self, now: float) -> bool:
        """Tell whether it may be given at this moment; one from the future was made under a clock that jumped."""
        return self.made - 60 <= now < self.expires

    def similarity(self, vector: NDArray[np.float32]) -> float:
        """Return the cosine between the request it was made for and another one; 0 where nothing can be compared."""
        own = np.frombuffer(self.vector, np.float16).astype(np.float32)
        length = float(np.linalg.norm(own) * np.linalg.norm(vector))
        return float(own @ vector) / length if own.shape == vector.shape and length else 0.0

    def plain(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {**asdict(self), "vector": base64.b64encode(self.vector).decode()}

    @classmethod
    def from_plain(cls, values: dict[str, Any]) -> Entry:
        """Return what `plain` gave.

        Raises:
            ValueError: It is none.
        """
        try:
            return cls(**{**values, "vector": base64.b64decode(values["vector"])})
        except (TypeError, KeyError) as error:
            raise ValueError(f"not a remembered answer: {error}") from None


@dataclass(frozen=True, slots=True)
class Found:
    """A remembered answer that may be given."""

    entry: Entry
    how: How
    similarity: float


def packed(vector: NDArray[np.float32]) -> bytes:
    """Return a vector as an `Entry` keeps it."""
    return vector.astype(np.float16).tobytes()
