"""How many requests turn to another domain when their style changes or something is pasted beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from measures.asides import asides
from measures.judged import Judge, Judged
from measures.languages import sentences
from measures.logs import pasted_logs
from measures.styles import STYLES, WRONG_DOMAIN

Change = Callable[[str, int], str]
"""Changes a text; the second argument is its number, which picks what is put beside it."""


def changes() -> dict[str, Change]:
    """Return every change by name."""
    return {**{name: _numberless(style) for name, style in STYLES.items()}, **asides(), **sentences(), **pasted_logs()}


def of_changes(
    judge: Judge, texts: Sequence[str], labels: Sequence[str], changes: Mapping[str, Change]
) -> dict[str, dict[str, float]]:
    """Return what each change does to requests.

    ``flips`` is the share whose likeliest domain becomes another. Of these ``flips_not_unfamiliar`` are not flagged as
    unfamiliar, and ``flips_answered`` would be answered by the wrong small model, with nothing to notice it by.
    ``unfamiliar`` is the share of all requests that are flagged once changed, ``answered`` that a small model answers.
    """
    before = [judge(text) for text in texts]
    return {
        "as_written": {"unfamiliar": _share(each.unfamiliar for each in before), "answered": _answered(before)},
        **{name: _of_change(judge, texts, before, labels, change) for name, change in changes.items()},
    }


def _of_change(
    judge: Judge, texts: Sequence[str], before: Sequence[Judged], labels: Sequence[str], change: Change
) -> dict[str, float]:
    after = []
    for number, (text, was) in enumerate(zip(texts, before, strict=True)):
        wrong = next(label for label in labels if label != was.domain)
        after.append(judge(change(text, number).replace(WRONG_DOMAIN, wrong)))
    flipped = [now for now, was in zip(after, before, strict=True) if now.domain != was.domain]
    return {
        "flips": len(flipped) / len(texts),
        "flips_not_unfamiliar": sum(not now.unfamiliar for now in flipped) / len(texts),
        "flips_answered": sum(now.answered for now in flipped) / len(texts),
        "unfamiliar": _share(now.unfamiliar for now in after),
        "answered": _answered(after),
    }


def _numberless(style: Callable[[str], str]) -> Change:
    return lambda text, number: style(text)


def _answered(judged: Sequence[Judged]) -> float:
    return _share(each.answered for each in judged)


def _share(chosen: Iterable[bool]) -> float:
    found = list(chosen)
    return sum(found) / len(found)
