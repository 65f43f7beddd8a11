"""How well the best passage fits the request."""

from __future__ import annotations

from moslm.decision import Signal
from moslm.state import Draft
from moslm.statements.assertions import assertions, share


def retrieval(draft: Draft) -> Signal:
    """Return the largest share of the request's content words that one passage and its title hold."""
    titles, texts = draft.get("passages") or [], draft.get("evidence") or []
    if not titles:
        return Signal(name="retrieval", why="no passage was looked up, or none was found")
    asked = assertions(draft["task"]["text"]).words
    if not asked:
        return Signal(name="retrieval", value=0.0, why="the request has no content words")
    # what the tools returned comes after the passages and is none of them
    pages = [f"{title}\n{text}" for title, text in zip(titles, texts, strict=False)]
    best = max((share(asked, assertions(page).words) for page in pages), default=0.0)
    return Signal(name="retrieval", value=best, why=f"of {len(asked)} content words, in the best of {len(titles)}")
