"""How much the draft says beyond what was asked: a small model that knows nothing repeats the question."""

from __future__ import annotations

from moslm.decision import Signal
from moslm.state import Draft
from moslm.statements.assertions import assertions


def substance(draft: Draft) -> Signal:
    """Return the share of the draft's content words and numbers that are not the request's own."""
    said, asked = assertions(draft["text"]), assertions(draft["task"]["text"])
    pieces = said.words | said.numbers
    if not pieces:
        return Signal(name="substance", why="the draft has no content words")
    new = pieces - asked.words - asked.numbers
    return Signal(name="substance", value=len(new) / len(pieces), why=f"{len(new)} of {len(pieces)} pieces are new")
