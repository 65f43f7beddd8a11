from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from moslm.privacy.recognisers import Finding, merged

findings = st.lists(
    st.builds(
        lambda start, length, kind, score: Finding(start, start + length, kind, score),
        st.integers(0, 30),
        st.integers(0, 10),
        st.sampled_from(["A", "B", "C"]),
        st.floats(0, 1),
    )
)


def characters(found):
    return {at for each in found for at in range(each.start, each.end)}


@given(findings)
def test_merging_loses_no_character_and_leaves_no_overlap(found):
    result = merged(found)
    assert characters(result) == characters(found)
    assert all(one.end <= other.start for one, other in pairwise(result))


def test_the_longest_gives_its_name_to_an_overlap_and_the_surer_one_between_equals():
    assert merged([Finding(0, 4, "SHORT", 1.0), Finding(2, 9, "LONG", 0.1)]) == [Finding(0, 9, "LONG", 0.1)]
    assert merged([Finding(0, 4, "A", 0.5), Finding(0, 4, "B", 0.9)]) == [Finding(0, 4, "B", 0.9)]


def test_neighbours_that_do_not_overlap_stay_apart():
    assert len(merged([Finding(0, 4, "A", 1.0), Finding(4, 8, "B", 1.0)])) == 2
