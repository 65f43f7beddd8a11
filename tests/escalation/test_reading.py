from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moslm import Turn
from moslm.escalation.reading import Reader
from moslm.models.classifiers import Part, Ranking, Yardstick, runner_up

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


def read(*parts, yardstick=None, **limits):
    ranking = Ranking(parts[0].probabilities, parts, 0.0, False)
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


def test_the_second_domain_counts_from_where_single_requests_hardly_ever_are():
    yardstick = Yardstick(runner_up=tuple(n / 100 for n in range(100)))
    assert read(part("a", 0.99), part("b", 0.93, 1), yardstick=yardstick, several_alpha=0.05).spread == "one"
    assert read(part("a", 0.99), part("b", 0.97, 1), yardstick=yardstick, several_alpha=0.05).spread == "few"


def test_without_a_yardstick_the_decision_does_not_pretend_to_have_one():
    found = read(part("a", 0.9), part("b", 0.9, 1))
    assert found.several_p is None
    assert found.novelty_p is None


def test_a_request_with_one_label_has_no_second_domain():
    assert runner_up(()) == 0
    assert runner_up((Part(0, 1, {"a": 1.0}),)) == 0


@given(st.lists(st.floats(0, 1), min_size=19, max_size=200), st.floats(0.01, 0.5))
def test_at_most_the_stated_share_of_single_requests_is_taken_for_several(scores, alpha):
    yardstick = Yardstick(runner_up=tuple(sorted(scores)))
    needed = Reader(Fixed(Ranking({}, (), 0.0, False)), yardstick, alpha)._needed
    beyond = sum(score >= needed for score in scores)
    spared = int(alpha * (len(scores) + 1))
    # fewer rows than the share needs: nothing is known, and the fixed probability stands in
    assert needed == 0.6 if spared < 1 else beyond <= spared - 1
