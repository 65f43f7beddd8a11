from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moslm import Turn
from moslm.escalation.reading import Reader
from moslm.models.classifiers import Part, Ranking, Yardstick

NAMES = ("a", "b", "c", "d", "e")


@dataclass(frozen=True)
class Fixed:
    """A classifier that always ranks the same."""

    ranking: Ranking
    name: str = "fixed"
    labels: tuple[str, ...] = NAMES

    def rank(self, turns):
        return self.ranking


def part(domain, probability, at=0):
    rest = (1 - probability) / (len(NAMES) - 1)
    return Part(at, at + 1, {name: probability if name == domain else rest for name in NAMES})


def read(*parts, yardstick=None, several=None, **limits):
    ranking = Ranking(parts[0].probabilities, parts, 0.0, False, several)
    return Reader(Fixed(ranking), yardstick or Yardstick(), **limits).read([Turn("user", "x" * len(parts))])


@pytest.mark.parametrize(
    ("domains", "spread"), [("a", "one"), ("aa", "one"), ("ab", "few"), ("abc", "few"), ("abcd", "too_many")]
)
def test_the_size_of_the_label_set_says_one_few_or_too_many(domains, spread):
    found = read(*(part(name, 0.9, at) for at, name in enumerate(domains)))
    assert found.spread == spread
    assert found.domains == list(dict.fromkeys(domains))


def test_a_part_that_is_unsure_of_its_domain_does_not_count():
    assert read(part("a", 0.9), part("b", 0.5, 1)).domains == ["a"]


def test_a_request_is_about_several_from_where_single_ones_hardly_ever_are():
    yardstick = Yardstick(several=tuple(n / 100 for n in range(100)))
    parts = part("a", 0.99), part("b", 0.93, 1)
    assert read(*parts, yardstick=yardstick, several=0.90, several_alpha=0.05).spread == "one"
    assert read(*parts, yardstick=yardstick, several=0.97, several_alpha=0.05).spread == "few"


def test_what_the_yardstick_calls_several_names_two_domains_however_unsure_the_parts_are():
    yardstick = Yardstick(several=tuple(n / 100 for n in range(100)))
    assert read(part("a", 0.5), part("b", 0.4, 1), yardstick=yardstick, several=2.0).domains == ["a", "b"]
    assert len(read(part("a", 0.9), yardstick=yardstick, several=2.0).domains) == 2


def test_without_a_yardstick_the_decision_does_not_pretend_to_have_one():
    found = read(part("a", 0.9), part("b", 0.9, 1))
    assert found.several_p is None
    assert found.novelty_p is None


@given(st.lists(st.floats(-9, 9), min_size=19, max_size=200), st.floats(0.05, 0.5))
def test_at_most_the_stated_share_of_single_requests_is_taken_for_several(scores, alpha):
    yardstick = Yardstick(several=tuple(sorted(scores)))
    parts = part("a", 0.99), part("b", 0.93, 1)
    taken = [read(*parts, yardstick=yardstick, several=score, several_alpha=alpha).spread for score in scores]
    assert sum(spread != "one" for spread in taken) <= alpha * (len(scores) + 1)
