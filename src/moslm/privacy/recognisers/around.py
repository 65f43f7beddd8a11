"""`Around`: keeps what is guessed apart from what has a form, so that each keeps its own placeholder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from moslm.privacy.recognisers.finding import Finding, Recogniser, merged


class Around:
    """A recogniser whose findings are cut where others find something; no character of them is left out but theirs.

    A tagger takes the phone number below an address for a part of it; overlaps become one finding, so both would be one
    placeholder, and nobody could ask for the number.

    Args:
        guessing: Whose findings are cut.
        forms: Who finds what stays whole.
    """

    def __init__(self, guessing: Recogniser, forms: Sequence[Recogniser]) -> None:
        self._guessing, self._forms = guessing, forms

    def find(self, text: str) -> list[Finding]:
        """Return what was guessed, outside of what has a form."""
        guesses = self._guessing.find(text)
        if not guesses:
            return []
        formed = merged(each for form in self._forms for each in form.find(text))
        return [part for guess in guesses for part in _outside(text, guess, formed)]


def _outside(text: str, guess: Finding, formed: Sequence[Finding]) -> Iterator[Finding]:
    at = guess.start
    for each in formed:
        # of one kind they are one thing: a street by its form, the town below it by guess
        if each.kind == guess.kind or each.end <= guess.start or guess.end <= each.start:
            continue
        yield from _part(text, at, each.start, guess)
        at = max(at, each.end)
    yield from _part(text, at, guess.end, guess)


def _part(text: str, start: int, end: int, guess: Finding) -> Iterator[Finding]:
    if start == guess.start and end >= guess.end:
        yield guess
    elif any(letter.isalnum() for letter in text[start:end]):
        inside = text[start:end]
        begin = end - len(inside.lstrip(" ,;:.\n\t-"))
        yield Finding(begin, start + len(inside.rstrip(" ,;:.\n\t-")), guess.kind, guess.score)
