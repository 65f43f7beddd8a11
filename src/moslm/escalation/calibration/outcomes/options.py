"""What the wording of a question's options says by itself about which one is right.

Options that somebody wrote around a right answer lie around it: in length, in number, in words, in meaning. This file
turns each option into figures relative to its neighbours; no model's answer is among them. How much they tell is
learned, so that options without such traces simply tell nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_NUMBER = re.compile(r"-?\d[\d,]*\.?\d*(?:[eE][+-]?\d{1,3}\b)?")
_WORD = re.compile(r"\w+")
_NONE = re.compile(r"\b(none of|neither|cannot be|not enough|insufficient)\b")
_ALL = re.compile(r"\b(all of|both)\b")
_STRICT = re.compile(r"\b(not|no|never|only|always)\b")


def option_figures(question: str, options: Sequence[str], question_vector: Array, vectors: Array) -> Array:
    """Return one row of figures an option.

    Args:
        question: The question's text.
        options: Its options.
        question_vector: (d,) sentence vector of the question.
        vectors: (options, d) sentence vectors of the options.
    """
    count = len(options)
    places = np.arange(count)
    about = np.column_stack(
        [np.full(count, 1 / count), places, places / count, np.full(count, np.log1p(len(question)))]
    )
    parts = [about, _lengths(options), _numbers(options), _meaning(question_vector, vectors)]
    return np.column_stack([*parts, _words(question, options), _style(options)])


def _lengths(options: Sequence[str]) -> Array:
    logs = np.log1p([len(option) for option in options])
    mean = np.full(len(options), logs.mean())
    return np.column_stack([logs - mean, _rank(logs), logs == logs.max(), logs == logs.min(), mean])


def _numbers(options: Sequence[str]) -> Array:
    texts = [_NUMBER.search(option) for option in options]
    values = np.array([_value(found.group()) if found else np.nan for found in texts])
    is_number = np.isfinite(values)
    count, numbers = len(options), int(is_number.sum())
    share = np.full(count, numbers / count)
    if numbers < 2:
        blank = np.zeros((count, 10))
        blank[:, 0] = 0.5
        return np.column_stack([is_number, share, blank])
    rank = np.where(is_number, np.argsort(np.argsort(np.where(is_number, values, np.inf))) / (numbers - 1), 0.5)
    sizes = np.log(np.abs(np.where(is_number, values, 1.0)) + 1e-9)
    ratio = np.where(is_number, np.clip(sizes - np.median(sizes[is_number]), -5, 5), 0.0)
    digits = np.array([sum(char.isdigit() for char in found.group()) if found else -1 for found in texts])
    decimals = [len(found.group().partition(".")[2]) if found else 0 for found in texts]
    whole = np.where(is_number, values == np.round(values), False).astype(float)
    own = [rank, np.abs(rank - 0.5), rank == 0, rank == 1, ratio, np.abs(ratio)]
    form = [digits - np.median(digits), _share_alike(digits.tolist()), _share_alike(decimals), whole - whole.mean()]
    return np.column_stack([is_number, share, *own, *form])


def _meaning(question: Array, vectors: Array) -> Array:
    alike = vectors @ vectors.T
    np.fill_diagonal(alike, 0)
    mean = alike.sum(axis=1) / (len(vectors) - 1)
    nearest, asked = alike.max(axis=1), vectors @ question
    parts = [mean - mean.mean(), _rank(mean), nearest - nearest.mean(), asked - asked.mean(), _rank(asked)]
    return np.column_stack(parts)


def _words(question: str, options: Sequence[str]) -> Array:
    words = [set(_WORD.findall(option.lower())) for option in options]
    asked = set(_WORD.findall(question.lower()))
    spread = Counter(word for each in words for word in each)
    others = len(options) - 1
    shared = np.array([np.mean([(spread[word] - 1) / others for word in each]) if each else 0.0 for each in words])
    repeated = np.array([len(each & asked) / max(1, len(each)) for each in words])
    return np.column_stack([shared - shared.mean(), _rank(shared), repeated - repeated.mean()])


def _style(options: Sequence[str]) -> Array:
    stops = np.array([option.rstrip().endswith((".", "!")) for option in options], dtype=float)
    capitals = np.array([option[:1].isupper() for option in options], dtype=float)
    spaces = [option != option.strip() for option in options]
    money, formula = ["$" in option for option in options], ["\\" in option for option in options]
    alike = _share_alike(list(zip(stops.tolist(), capitals.tolist(), spaces, money, formula, strict=True)))
    low = [option.lower() for option in options]
    none, every, strict = (
        np.array([bool(pattern.search(text)) for text in low], dtype=float) for pattern in (_NONE, _ALL, _STRICT)
    )
    own = [alike, alike - alike.max(), stops - stops.mean(), capitals - capitals.mean()]
    return np.column_stack([*own, none, every, strict - strict.mean()])


def _rank(values: Array) -> Array:
    return np.asarray(np.argsort(np.argsort(values, kind="stable")) / max(1, len(values) - 1))


def _share_alike(forms: Sequence[object]) -> Array:
    counts = Counter(forms)
    return np.array([counts[form] / len(forms) for form in forms])


def _value(text: str) -> float:
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return float("nan")
