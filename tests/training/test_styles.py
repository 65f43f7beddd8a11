from __future__ import annotations

import random
import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "training"))

from tuning.styles import FORMS, restyled, stripped_ticket

from moslm.models.classifiers.surroundings import read_asides

REQUEST = "I can't log in to the payroll portal since Monday; can you reset my password?"


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_a_form_keeps_what_is_asked(form):
    for seed in range(20):
        said = set(re.findall(r"[a-z]+", form(REQUEST, random.Random(seed)).lower()))
        assert {"payroll", "portal", "password", "reset"} <= said


@pytest.mark.parametrize("text", ["", " ", "?", "5", "the", "ok", "Größe 😀", "a\nb"])
def test_no_text_is_too_odd_to_be_restyled(text):
    asides = read_asides()
    for seed in range(200):
        assert isinstance(restyled(text, asides, random.Random(seed)), str)


def test_the_same_dice_say_the_same():
    asides = read_asides()
    assert [restyled(REQUEST, asides, random.Random(7)) for _ in range(3)] == [
        restyled(REQUEST, asides, random.Random(7))
    ] * 3


def test_a_stripped_ticket_has_neither_stop_words_nor_figures_nor_capitals():
    found = stripped_ticket("The invoice 4711 of ACME was paid twice on 3 May", random.Random(1))
    assert re.fullmatch(r"[a-z ]+", found)
    assert not {"the", "of", "was", "on"} & set(found.split())
