"""`Labelled`: a text in the making, and what stands where in it."""

from __future__ import annotations

from dataclasses import dataclass, field

PERSON, ADDRESS = "PERSON", "STREET_ADDRESS"


@dataclass(slots=True)
class Labelled:
    """A text in the making, and the spans in it."""

    text: str = ""
    spans: list[tuple[int, int, str]] = field(default_factory=list)

    def add(self, text: str, label: str | None = None) -> None:
        """Append a text, as one span where it has a label."""
        if label is not None and text:
            self.spans.append((len(self.text), len(self.text) + len(text), label))
        self.text += text

    def append(self, other: Labelled) -> None:
        """Append a labelled text."""
        shift = len(self.text)
        self.spans += [(start + shift, end + shift, label) for start, end, label in other.spans]
        self.text += other.text
