"""A metric of acme's own: how many words an answer has in the middle."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from moslm.evals.figures import Figure, bootstrap
from moslm.evals.outcomes import Outcome


def median_words(outcomes: Sequence[Outcome]) -> Figure:
    found = [each for each in outcomes if each.answer]
    words = [float(len((each.answer or "").split())) for each in found]
    groups = [f"{each.suite}/{each.group}" for each in found]
    return bootstrap(words, groups, lambda drawn: float(np.median(drawn)), unit="count")
