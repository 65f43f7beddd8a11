import random
import sys
from pathlib import Path

import pytest

# tests run in importlib mode: what they share is found only if its folder is named
sys.path.insert(0, str(Path(__file__).parent))

from outcome_samples import gated, outcome


@pytest.fixture(scope="session")
def run():
    """Outcomes of MoSLM and all its baselines on the same eighty cases."""
    draw = random.Random(7)
    made = [gated(number, draw) for number in range(80)]
    made += [outcome(number, "large", way="escalated", usd=0.01) for number in range(80)]
    made += [outcome(n, name, n % 3 > 0, usd=0.001) for n in range(80) for name in ("small:a", "small:b")]
    made += [outcome(number, "ungated", number % 4 > 0) for number in range(80)]
    made.append(made.pop(0).model_copy(update={"ending": "unparsed", "score": None, "why": "no number stands in it"}))
    return made
