from __future__ import annotations

import math
import random

import pytest

from moslm.escalation.calibration.calibrator import Calibrator, Reach, Scale
from moslm.escalation.calibration.curves import Curve
from moslm.escalation.reach import reaches, settled
from moslm.escalation.signals import COSTLY, SIGNALS
from moslm.state import Draft, Task

WORDS = """The limit is 140 euros per night , Larkmoor pays 1 500 for Jean-Pierre on Monday and it is not
12.5 % .""".split()  # noqa: SIM905
EVIDENCE = ["The limit for hotels is 140 euros per night. Larkmoor pays on Monday."]


def draft(words: list[str], rows: list[list[float]]) -> Draft:
    made = Draft(task=Task(part="0", domain="finance", text="What may a hotel cost?"), model="m", text=" ".join(words))
    made["logprobs"], made["evidence"], made["passages"] = rows, EVIDENCE, ["Hotels"]
    made["classification"] = {"probabilities": {"finance": 0.9, "it_support": 0.1}, "novelty_p": 0.4}
    return made


def row(draw: random.Random) -> list[float]:
    own = draw.random() ** 0.3
    rest = [(1 - own) * share for share in (0.6, 0.3, 0.1)]
    return [math.log(max(own, 1e-9)), *(math.log(max(each, 1e-9)) for each in rest)]


def test_no_way_to_go_on_leaves_what_was_said_to_be_possible():
    draw = random.Random(1)
    for _ in range(300):
        most = draw.randint(5, 40)
        whole = [draw.choice(WORDS) for _ in range(most)]
        rows = [row(draw) for _ in whole]
        cut, end = draw.randint(1, most - 1), draw.randint(1, most)
        end = max(cut, end)
        so_far = draft(whole[:cut], rows[:cut])
        so_far["text"] += draw.choice(["", whole[cut][: draw.randint(0, 2)]])
        now = {name: signal(so_far).value for name, signal in SIGNALS.items()}
        possible = reaches(so_far, most - cut, SIGNALS, now)
        finished = draft(whole[:end] if end > cut else [so_far["text"]], rows[:end])
        for name in SIGNALS.keys() - COSTLY:
            value, reach = SIGNALS[name](finished).value, possible[name]
            if value is None:
                assert reach is None or reach.may_lack, name
            else:
                assert reach is not None, name
                assert reach.least - 1e-9 <= value <= reach.most + 1e-9, (name, value, reach)


@pytest.mark.parametrize(
    ("text", "certain"),
    [
        ("It costs 140 euros per ni", "It costs 140 euros per"),
        ("It costs 1 50", "It"),
        ("It costs 140", "It"),
        ("Ask Jean-Pier", "Ask"),
        ("Ask the team. ", "Ask the"),
        ("x", ""),
        ("", ""),
    ],
)
def test_only_what_no_further_letter_changes_is_settled(text, certain):
    assert settled(text) == certain


def test_an_invented_number_is_held_against_a_draft_once_it_stands_for_good():
    now: dict[str, float | None] = dict.fromkeys(SIGNALS)
    beginning = draft(["It", "costs", "190"], [[-0.1]] * 3)
    assert reaches(beginning, 90, SIGNALS, now)["grounding"] == Reach(0.0, 1.0)
    assert reaches(draft(["It", "costs", "190", "euros", "per"], [[-0.1]] * 5), 90, SIGNALS, now)["grounding"] == Reach(
        0.0, 0.0
    )


def test_of_a_strangers_signal_nothing_is_known():
    mine = {"mean": lambda draft: SIGNALS["mean"](draft), "own": SIGNALS["minimum"]}
    found = reaches(draft(["It"], [[-5.0]]), 0, mine, {"mean": 0.1, "own": 0.1})
    assert found == {"mean": Reach(0.0, 1.0), "own": Reach(0.0, 1.0)}


def test_the_best_probability_bounds_every_probability_that_can_come():
    scales = (Scale("a", "logit", 0.5, 1.2, True), Scale("b", "logit", -0.5, 0.7, False))
    calibrator = Calibrator(scales, (0.8, -1.1), (-0.3, 0.0), 0.2, Curve("platt", (0.9, 0.1)))
    draw = random.Random(2)
    for _ in range(200):
        low, high = sorted((draw.random(), draw.random()))
        best = calibrator.best({"a": Reach(low, high), "b": Reach(0.1, 0.6, may_lack=False)})
        values = {"a": draw.choice([None, draw.uniform(low, high)]), "b": draw.uniform(0.1, 0.6)}
        assert best is not None
        assert calibrator.probability(values) <= best + 1e-12
    assert calibrator.best({"b": None}) is None
