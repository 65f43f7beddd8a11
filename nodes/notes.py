"""The words around a handbook passage, for a model that works from passages and calls no tools."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage


def with_notes(question: str, notes: Sequence[str]) -> str:
    """Return the question below its notes; alone where there are none."""
    return f"Notes:\n{chr(10).join(notes)}\n\nQuestion: {question}" if notes else question


WORKED_EXAMPLES: tuple[AnyMessage, ...] = (
    HumanMessage(
        with_notes(
            "When does the canteen open?", ["A lost badge is reported to the front desk. A new badge costs 10 euros."]
        )
    ),
    AIMessage("I do not know; please ask the team."),
    HumanMessage(
        with_notes("How much is parking for visitors?", ["Parking costs 3 euros a day for visitors. Staff park free."])
    ),
    AIMessage("Parking costs 3 euros a day for visitors."),
)
"""Shows a very small model what is wanted: a sentence from the notes, or that they do not say it. Without the second,
SmolLM2-135M rambles; without the first, it quotes whatever passage was found, with confidence; the order matters, it
leans towards the last one."""
