"""``json_value``: a JSON object whose fields hold what is expected; points are the share of the fields that do.

``expected`` is an object. Texts are compared as ``exact`` compares them, numbers within ``options.tolerance``, lists in
any order. Further fields do no harm unless ``options.strict`` says so. What is no JSON is ``unparsed``.
"""

from __future__ import annotations

import json
import re
from typing import Any

from moslm.evals.cases import Case
from moslm.evals.graders.graded import Grade, Graded, points, unparsed
from moslm.evals.graders.said import normalised

_FENCE = re.compile(r"```(?:json)?\s*(.*?)```", re.DOTALL)
_DEEPEST = 40


def json_value(case: Case) -> Grade:
    """Return the grade of a case."""
    wanted = case.expected
    if not isinstance(wanted, dict) or not wanted:
        raise ValueError("expects an object with at least one field")
    tolerance = case.options.get("tolerance", 1e-9)
    if isinstance(tolerance, bool) or not isinstance(tolerance, int | float) or tolerance < 0:
        raise ValueError(f"tolerance is {tolerance!r}, and must be a number that is not negative")
    strict = bool(case.options.get("strict"))

    def grade(answer: str) -> Graded:
        found = _object(answer)
        if found is None:
            return unparsed("the answer holds no JSON object")
        if strict and set(found) - set(wanted):
            return points(0.0, f"has the field {min(set(found) - set(wanted))}")
        wrong = [
            name for name, value in wanted.items() if name not in found or not _same(found[name], value, tolerance)
        ]
        return points(1 - len(wrong) / len(wanted), f"wrong: {', '.join(wrong)}" if wrong else "")

    return grade


def _object(answer: str) -> dict[str, Any] | None:
    """Return the last JSON object of an answer, in a fence or bare."""
    fenced = _FENCE.findall(answer)
    for text in [*reversed(fenced), answer]:
        decoder, at, found = json.JSONDecoder(), text.find("{"), None
        while at >= 0 and text.count("{", at, at + _DEEPEST * 2) < _DEEPEST:
            try:
                value, end = decoder.raw_decode(text, at)
            except (ValueError, RecursionError):
                at = text.find("{", at + 1)
                continue
            found = value if isinstance(value, dict) else found
            at = text.find("{", end)
        if found is not None:
            return found
    return None


def _same(found: Any, wanted: Any, tolerance: float) -> bool:
    if isinstance(wanted, bool) or wanted is None:
        return found is wanted
    if isinstance(wanted, int | float):
        return isinstance(found, int | float) and not isinstance(found, bool) and abs(found - wanted) <= tolerance
    if isinstance(wanted, str):
        return isinstance(found, str) and normalised(found) == normalised(wanted)
    if isinstance(wanted, list):
        return isinstance(found, list) and _matched(found, wanted, tolerance)
    return (
        isinstance(found, dict)
        and found.keys() == wanted.keys()
        and all(_same(found[name], value, tolerance) for name, value in wanted.items())
    )


def _matched(found: list[Any], wanted: list[Any], tolerance: float) -> bool:
    left = list(found)
    for value in wanted:
        place = next((i for i, each in enumerate(left) if _same(each, value, tolerance)), None)
        if place is None:
            return False
        left.pop(place)
    return not left
