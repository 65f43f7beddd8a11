from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moslm import Turn
from moslm.models.classifiers import artefact
from moslm.models.classifiers.closeness import ReadRequest, core
from moslm.models.classifiers.encoder import EncoderClassifier
from moslm.models.classifiers.several import CLEARLY_ONE

ONE_STORY = (
    "My laptop shows a blue screen whenever I open the spreadsheet. I restarted it twice. "
    "The screen stays blue until I pull the plug. Can you repair my laptop?"
)
TWO_WISHES = "My laptop shows a blue screen. Also, when will the parcel with my shoes arrive?"
LONG_ASIDES = (
    "First of all I must beg your pardon for writing on a Sunday, but the children are asleep at last and the rain is "
    "drumming on the roof, so I have a quiet minute.",
    "Please do not start with how sorry you are and how much you value me, my neighbour says that everybody gets the "
    "very same three sentences, and he should know, the old grumbler.",
)


@pytest.fixture(scope="module")
def head():
    return artefact.read(artefact.SHIPPED)


@pytest.fixture
def encoded(head, monkeypatch):
    """The texts that were put to the dear encoder."""
    asked, kind = [], type(head.careful.encoder)
    encode = kind.encode
    monkeypatch.setattr(kind, "encode", lambda self, texts: asked.extend(texts) or encode(self, texts))
    return asked


def domain(head, text):
    found = EncoderClassifier(head).rank([Turn("user", text)]).probabilities
    return max(found, key=found.get)


def test_the_pieces_of_one_story_are_not_put_to_the_dear_encoder(head, encoded):
    read = ReadRequest(head, ONE_STORY)
    assert len(read.spans) > 2
    assert read.several_odds() < CLEARLY_ONE
    assert set(encoded) <= {ONE_STORY}


def test_what_may_be_several_wishes_is_judged_as_if_all_its_doubtful_pieces_had_been_read(head):
    staged, closest = ReadRequest(head, TWO_WISHES), ReadRequest(head, TWO_WISHES)
    closest.closest_features()
    assert staged.several_odds() == closest.several_odds() > 0
    assert np.array_equal(staged.pieces, closest.pieces)


def test_a_head_without_a_glance_reads_everything_that_is_in_doubt(head):

    blind = ReadRequest(replace(head, glance=None), ONE_STORY)
    closest = ReadRequest(head, ONE_STORY)
    closest.closest_features()
    blind.several_odds()
    assert np.array_equal(blind.pieces, closest.pieces)


@given(st.lists(st.floats(-20, 20, width=32), max_size=12))
def test_the_core_is_one_stretch_with_the_most_familiar_piece_in_it(strangeness):
    found = core(np.array(strangeness, np.float32))
    kept = strangeness[found]
    assert bool(kept) == bool(strangeness)
    assert not kept or min(kept) == min(strangeness)


@pytest.mark.parametrize(
    ("strangeness", "kept"),
    [
        ([3.0, -5.0, 3.0], slice(1, 2)),
        ([-5.0, 3.0, -1.0], slice(0, 3)),
        ([3.0, -1.0, 3.0], slice(0, 3)),
        ([], slice(0, 0)),
    ],
)
def test_what_belongs_nowhere_is_left_off_at_the_ends_where_another_piece_reads_like_a_request(strangeness, kept):
    assert core(np.array(strangeness, np.float32)) == kept


@pytest.mark.parametrize("request_", ["I need a new charger for my laptop.", "I want to book a hotel in Tampa."])
def test_a_request_between_two_long_asides_keeps_its_domain(head, request_):
    before, after = LONG_ASIDES
    assert domain(head, f"{before} {request_} {after}") == domain(head, request_)


def test_what_stands_around_a_request_still_counts_for_how_strange_it_is(head):
    before, after = LONG_ASIDES
    read = ReadRequest(head, f"{before} I want to book a hotel in Tampa. {after}")
    assert head.strangeness(read.without_surroundings()[None])[0] < head.strangeness(read.whole[None])[0]
