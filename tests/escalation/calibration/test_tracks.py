from __future__ import annotations

import random

import pytest

from moslm.escalation.calibration.tracks import Track, floor, is_look, running, track


def test_a_draft_is_looked_at_when_it_has_4_6_8_12_16_tokens_and_so_on():
    looks = [tokens for tokens in range(1, 100) if is_look(tokens - 1, tokens)]
    assert looks == [4, 6, 8, 12, 16, 24, 32, 48, 64, 96]


def test_a_piece_of_several_tokens_is_looked_at_once_it_has_passed_a_mark():
    assert is_look(5, 7)
    assert not is_look(8, 11)


def test_one_low_look_is_no_verdict():
    assert running([0.9]) is None
    assert running([0.9, 0.1]) == 0.9
    assert running([0.9, 0.1, 0.2]) == 0.2


def test_a_track_keeps_the_lowest_running_confidence():
    assert track(0.8, [0.9, 0.1, 0.2, 0.7]) == Track(0.8, 0.2)
    assert track(0.8, [0.1]).lowest == 1.0


def test_the_floor_is_the_quantile_among_drafts_that_reached_the_threshold():
    tracks = [Track(0.9, lowest / 100) for lowest in range(20, 39)] + [Track(0.3, 0.01)] * 50
    found = floor(tracks, 0.8, 0.1)
    assert found is not None
    assert (found.least, found.reached, found.drafts, found.rate) == (0.21, 0.8, 19, 0.1)


def test_where_too_few_reached_it_those_that_came_nearest_are_added_and_the_rate_is_stated_of_them():
    tracks = [Track(0.9, 0.5), *[Track(0.7 - i / 100, 0.4 - i / 100) for i in range(30)]]
    found = floor(tracks, 0.8, 0.1)
    assert found is not None
    assert found.drafts == 9
    assert found.reached == pytest.approx(0.63)
    assert found.least == pytest.approx(0.33)


@pytest.mark.parametrize(("tracks", "rate"), [([], 0.1), ([Track(0.9, 0.5)] * 5, 0.1), ([Track(0.9, 0.5)] * 50, 0.0)])
def test_without_enough_drafts_or_without_a_rate_there_is_no_floor(tracks, rate):
    assert floor(tracks, 0.8, rate) is None


def test_the_rate_of_false_stops_holds_on_drafts_that_were_not_among_the_labelled():
    draw = random.Random(0)
    stopped = reached = 0
    for _ in range(400):
        drafts = [Track(draw.random(), 0.0) for _ in range(120)]
        drafts = [Track(each.end, each.end * draw.betavariate(4, 2)) for each in drafts]
        found = floor(drafts[:60], 0.6, 0.1)
        assert found is not None
        new = [each for each in drafts[60:] if each.end >= 0.6]
        reached += len(new)
        stopped += sum(each.lowest < found.least for each in new)
    assert stopped / reached <= 0.1
