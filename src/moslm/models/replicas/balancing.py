"""Which of several servers to ask: the one where an answer is to be had soonest.

Cost is work times pace. Work is what stands before an answer, in prompt tokens: what the server was already given, and
of this prompt what its prefix cache does not hold. So a conversation stays with its server for exactly as long as
reading it anew elsewhere would take longer than waiting. Pure functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WRITING = 20.0
"""Reading a token costs 1, writing one costs this: a prompt is read in batches, an answer written token by token."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A server that could be asked."""

    index: int
    outstanding: float
    """Work it was given and has not done."""
    held: int
    """Tokens of this prompt that its prefix cache holds."""
    pace: float
    """Seconds per unit of work, as last measured; servers are compared by it, so its scale does not matter."""


def cost(candidate: Candidate, prompt_tokens: int, answer_tokens: float) -> float:
    """Return how long an answer would take, in seconds where the pace was measured."""
    return candidate.pace * (candidate.outstanding + work(candidate.held, prompt_tokens, answer_tokens))


def work(held: int, prompt_tokens: int, answer_tokens: float) -> float:
    """Return the work of a call, in prompt tokens."""
    return max(0, prompt_tokens - held) + WRITING * answer_tokens


def choose(
    candidates: Sequence[Candidate], prompt_tokens: int, answer_tokens: float, turn: int
) -> tuple[Candidate, str]:
    """Choose whom to ask.

    Args:
        candidates: One at least.
        prompt_tokens: Length of the prompt.
        answer_tokens: How long answers are, on average.
        turn: Counts calls; it shares out calls among servers that cost the same.

    Returns:
        The candidate, and why it: one sentence for the Decision.
    """
    count = max(each.index for each in candidates) + 1
    chosen = min(candidates, key=lambda each: (cost(each, prompt_tokens, answer_tokens), (each.index - turn) % count))
    return chosen, _why(chosen, candidates, prompt_tokens, answer_tokens)


def _why(chosen: Candidate, candidates: Sequence[Candidate], prompt_tokens: int, answer_tokens: float) -> str:
    others = [each for each in candidates if each.index != chosen.index]
    if not others:
        return "the only one in service"
    if chosen.held > max(each.held for each in others):
        cheapest = min(cost(each, prompt_tokens, answer_tokens) for each in others)
        forgotten = Candidate(chosen.index, chosen.outstanding, 0, chosen.pace)
        if cost(forgotten, prompt_tokens, answer_tokens) >= cheapest:
            return f"holds {chosen.held} tokens of the prompt"
    return "least work before it"
