"""What the tagger of names is tuned on: every name in a drawn text is labelled, and those kept from it never appear."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from random import Random

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "training"))

from naming.identities import Names, held_out  # noqa: E402
from naming.labelled import Labelled  # noqa: E402
from naming.requests import Request  # noqa: E402
from naming.sentences import Sentences  # noqa: E402
from naming.slots import Slots  # noqa: E402

FIRST = [f"Given{chr(97 + at // 26)}{chr(97 + at % 26)}" for at in range(200)]
LAST = [f"Family{chr(97 + at // 26)}{chr(97 + at % 26)}" for at in range(200)]
PLAIN = [Request(f"my manager has no printer in office {at}", ()) for at in range(40)]
NAMED = [Request(f"Anna Berg has no printer in {at}", ((0, 9),)) for at in range(20)]


@pytest.fixture(scope="module")
def lists(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("names") / "names.json"
    country = {"first": [], "last": [], "town": ["Norway"]}
    content = {"en_GB:latin": {"first": FIRST, "last": LAST, "town": ["Ghent"]}, "countries": country}
    file.write_text(json.dumps(content))
    return file


@pytest.fixture(scope="module")
def sentences(lists):
    return Sentences(ROOT / "training/naming/texts", Names(lists), [*PLAIN, *NAMED])


def test_the_same_seed_draws_the_same_texts(sentences):
    one, other = ([sentences.draw(Random(seed)) for seed in range(50)] for _ in range(2))
    assert one == other


def test_every_label_covers_letters_of_its_text_and_none_overlap(sentences):
    for seed in range(400):
        made = sentences.draw(Random(seed))
        end = 0
        for start, stop, label in sorted(made.spans):
            assert end <= start < stop <= len(made.text)
            assert label in ("PERSON", "STREET_ADDRESS")
            assert any(letter.isalnum() for letter in made.text[start:stop])
            end = stop


def test_a_slot_is_labelled_exactly_where_its_value_stands(lists):
    made = Slots(Names(lists)).filled("ask {f} at {c}, {t}", Random(3))
    ((start, stop, label),) = made.spans
    assert label == "PERSON"
    assert made.text[:start] == "ask "
    assert made.text[stop:].startswith(" at ")


def test_names_that_are_kept_are_never_drawn_for_the_tuning_and_alone_to_judge_it(lists):
    chance, tuning, judging = Random(1), Names(lists), Names(lists, unseen=True)
    assert not any(held_out(tuning.given(chance)) for _ in range(500))
    kept = {each for each in FIRST if held_out(each)}
    assert {judging.given(chance) for _ in range(500)} == kept
    assert 5 <= len(kept) <= 40


def test_templates_and_requests_that_judge_are_not_those_that_tune(lists):
    tune, dev = (Sentences(ROOT / "training/naming/texts", Names(lists), PLAIN, part) for part in ("train", "dev"))
    assert not {*tune.plain} & {*dev.plain}
    assert not any({*tune.templates[tongue]} & {*dev.templates[tongue]} for tongue in tune.templates)


def test_appending_moves_the_labels_of_what_is_appended():
    made, other = Labelled(), Labelled()
    made.add("Hi ")
    other.add("to ")
    other.add("Eva", "PERSON")
    made.append(other)
    assert made.text == "Hi to Eva"
    assert made.spans == [(6, 9, "PERSON")]
