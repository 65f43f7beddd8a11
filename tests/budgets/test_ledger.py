"""What every ledger promises, whichever store keeps it."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moslm.budgets.money import dollars, nanos
from moslm.budgets.purchases import Amount, AtCap, Bought, Hold, Underway
from moslm.budgets.stores import Spent

DAY = 86_400


def spent(usd: float, tokens: int = 0, known: bool = True) -> Spent:
    return Spent(Amount(nanos(usd), tokens), known)


def test_the_most_a_call_can_cost_is_set_aside_and_settled_with_what_it_cost(ledger, purchase):
    book = ledger({"usd": 1.0})
    hold = book.reserve(purchase(0.9))
    assert isinstance(hold, Hold)
    assert isinstance(book.reserve(purchase(0.2)), AtCap)
    assert book.sending(hold)
    book.settle(hold, spent(0.1))
    assert isinstance(book.reserve(purchase(0.9)), Hold)
    assert dollars(book.total().nanos) == 0.1


def test_what_is_released_never_was(ledger, purchase):
    book = ledger({"usd": 1.0}, {"calls": 1})
    book.release(book.reserve(purchase(1.0)))
    assert isinstance(book.reserve(purchase(1.0)), Hold)


def test_only_the_first_settling_or_release_counts(ledger, purchase):
    book = ledger({"usd": 1.0})
    hold = book.reserve(purchase(0.5))
    book.settle(hold, spent(0.3))
    book.settle(hold, spent(0.0))
    book.release(hold)
    assert dollars(book.total().nanos) == 0.3
    assert isinstance(book.reserve(purchase(0.71)), AtCap)


def test_a_refusal_says_which_cap_how_much_is_left_and_when_it_frees(ledger, purchase):
    book = ledger({"usd": 1.0}, {"calls": 5})
    book.settle(book.reserve(purchase(0.4)), spent(0.4))
    refused = book.reserve(purchase(0.7))
    assert isinstance(refused, AtCap)
    cap = refused.cap
    assert (cap.cap, cap.unit, dollars(cap.left)) == ("$1 a day", "usd", 0.6)
    assert cap.frees == 1_795_737_600.0  # the next midnight of UTC
    assert [each.cap for each in refused.standings] == ["$1 a day", "5 calls a day"]


def test_a_refused_purchase_takes_nothing_from_the_caps_that_would_allow_it(ledger, purchase):
    book = ledger({"calls": 2}, {"usd": 1.0})
    for _ in range(3):
        assert isinstance(book.reserve(purchase(2.0)), AtCap)
    assert isinstance(book.reserve(purchase(0.5)), Hold)
    assert isinstance(book.reserve(purchase(0.5)), Hold)


@pytest.mark.parametrize(
    ("per", "other"),
    [
        ("tenant", {"tenant": "other"}),
        ("user", {"user": "bob"}),
        ("user", {"tenant": "other"}),
        ("conversation", {"conversation": "t2"}),
        ("conversation", {"tenant": "other"}),
        ("request", {"request": "r2"}),
        ("domain", {"domain": "it_support"}),
        ("model", {"model": "larger"}),
    ],
)
def test_a_cap_for_each_counts_each_on_its_own(ledger, purchase, per, other):
    book = ledger({"per": per, "calls": 1})
    assert isinstance(book.reserve(purchase()), Hold)
    assert isinstance(book.reserve(purchase()), AtCap)
    assert isinstance(book.reserve(purchase(**other)), Hold)


def test_a_cap_of_the_system_counts_all_together(ledger, purchase):
    book = ledger({"calls": 2})
    book.reserve(purchase())
    book.reserve(purchase(tenant="other", user="bob", domain="it_support"))
    assert isinstance(book.reserve(purchase(tenant="third")), AtCap)


@pytest.mark.parametrize("per", ["tenant", "user", "domain", "model"])
def test_a_cap_for_one_leaves_the_others_alone(ledger, purchase, per):
    named = {"tenant": "acme", "user": "ada", "domain": "finance", "model": "large"}[per]
    book = ledger({"per": per, "only": named, "calls": 0})
    assert isinstance(book.reserve(purchase()), AtCap)
    assert isinstance(book.reserve(purchase(**{per: "another"})), Hold)


def test_tokens_are_capped_like_money(ledger, purchase):
    book = ledger({"tokens": 100, "every": "minute"})
    book.settle(book.reserve(purchase(tokens=90)), spent(0, tokens=20))
    assert isinstance(book.reserve(purchase(tokens=81)), AtCap)
    assert isinstance(book.reserve(purchase(tokens=80)), Hold)


def test_each_window_begins_with_nothing_taken(ledger, purchase, clock):
    book = ledger({"calls": 1, "every": "minute"}, {"calls": 2, "every": "day"}, {"calls": 3, "every": "month"})

    def buy():
        if isinstance(verdict := book.reserve(purchase()), Hold):
            book.settle(verdict, spent(0))
        return verdict

    assert isinstance(buy(), Hold)
    assert buy().cap.every == "minute"
    clock.at += 60
    assert isinstance(buy(), Hold)
    clock.at += 60
    assert buy().cap.every == "day"
    clock.at += DAY
    assert isinstance(buy(), Hold)
    clock.at += DAY
    refused = buy().cap
    assert (refused.every, refused.frees) == ("month", 1_796_083_200.0)  # 2026-12-01 00:00 UTC
    clock.at = refused.frees
    assert isinstance(buy(), Hold)


def test_a_purchase_counts_in_the_window_it_was_reserved_in(ledger, purchase, clock):
    book = ledger({"usd": 1.0})
    hold = book.reserve(purchase(1.0))
    clock.at += DAY
    book.settle(hold, spent(0.5))
    assert isinstance(book.reserve(purchase(1.0)), Hold)


class TestTheSameStepAgain:
    def test_is_given_its_answer_and_pays_nothing(self, ledger, purchase):
        book = ledger({"calls": 1})
        hold = book.reserve(purchase(0.5, key="step"))
        book.settle(hold, spent(0.2), b"the answer")
        assert book.reserve(purchase(0.5, key="step")) == Bought(b"the answer")
        assert book.total().calls == 1

    def test_waits_while_the_first_is_being_paid(self, ledger, purchase):
        book = ledger({"calls": 5})
        book.sending(book.reserve(purchase(0.5, key="step")))
        assert isinstance(book.reserve(purchase(0.5, key="step")), Underway)

    def test_pays_for_itself_where_the_first_was_never_made(self, ledger, purchase):
        book = ledger({"calls": 1})
        book.release(book.reserve(purchase(key="step")))
        assert book.reserve(purchase(key="step")).attempt == 2

    def test_pays_again_once_its_answer_is_no_longer_kept(self, ledger, purchase, clock):
        book = ledger()
        book.settle(book.reserve(purchase(key="step")), spent(0), b"the answer")
        clock.at += 3601
        assert isinstance(book.reserve(purchase(key="step")), Hold)


class TestAHolderThatIsGone:
    def test_has_its_money_given_back_where_nothing_was_sent(self, ledger, purchase, clock):
        book = ledger({"usd": 1.0})
        book.reserve(purchase(1.0, seconds=10))
        clock.at += 39
        assert isinstance(book.reserve(purchase(1.0)), AtCap)
        clock.at += 2
        assert isinstance(book.reserve(purchase(1.0)), Hold)

    def test_is_booked_in_full_and_as_unknown_where_something_may_have_been_sent(self, ledger, purchase, clock):
        book = ledger({"usd": 1.0})
        book.sending(book.reserve(purchase(1.0, seconds=10)))
        clock.at += 41
        assert isinstance(book.reserve(purchase(0.1)), AtCap)
        total = book.total()
        assert (dollars(total.nanos), total.unknown) == (1.0, 1)

    def test_may_not_send_any_more(self, ledger, purchase, clock):
        book = ledger({"usd": 1.0})
        hold = book.reserve(purchase(1.0, seconds=10))
        clock.at += 41
        book.reserve(purchase(0.5))
        assert not book.sending(hold)

    def test_may_still_say_what_it_paid(self, ledger, purchase, clock):
        book = ledger({"usd": 1.0})
        hold = book.reserve(purchase(1.0, seconds=10))
        book.sending(hold)
        clock.at += 41
        book.reserve(purchase(0.0))
        book.settle(hold, spent(0.25))
        assert (dollars(book.total().nanos), book.total().unknown) == (0.25, 0)
        assert isinstance(book.reserve(purchase(0.75)), Hold)


class TestAShare:
    def test_of_requests_may_go_up_and_no_more(self, ledger, purchase, payer):
        book = ledger({"share": 0.2, "every": "day", "free": 0})
        went_up = 0
        for i in range(100):
            if isinstance(hold := book.reserve(purchase(request=f"r{i}")), Hold):
                book.settle(hold, spent(0.01))
                went_up += 1
            book.count(payer(request=f"r{i}"), "large")
        assert went_up == 20

    def test_leaves_the_first_ones_free(self, ledger, purchase):
        book = ledger({"share": 0.1, "free": 2})
        verdicts = [book.reserve(purchase()) for _ in range(3)]
        assert [type(each) for each in verdicts] == [Hold, Hold, AtCap]

    def test_slides(self, ledger, purchase, payer, clock):
        book = ledger({"share": 0.5, "every": "minute", "free": 0})
        for _ in range(4):
            book.count(payer(), "large")
        assert isinstance(book.reserve(purchase()), Hold)
        assert isinstance(book.reserve(purchase()), Hold)
        assert isinstance(book.reserve(purchase()), AtCap)
        clock.at += 30
        assert isinstance(book.reserve(purchase()), AtCap)
        clock.at += 31
        for _ in range(2):
            book.count(payer(), "large")
        assert isinstance(book.reserve(purchase()), Hold)


def test_each_level_of_a_cap_is_told_once(ledger, purchase):
    told = []
    book = ledger({"calls": 10}, alerts=[0.5, 0.8, 1.0], tell=lambda level, cap: told.append((level, cap.taken)))
    for _ in range(13):
        book.reserve(purchase())
    assert told == [(0.5, 4), (0.8, 7), (1.0, 9)]


def test_nothing_is_lost_between_two_ledgers_over_one_store(ledger, purchase):
    first, second = ledger({"calls": 3}), ledger({"calls": 3})
    first.reserve(purchase())
    second.reserve(purchase())
    first.reserve(purchase())
    assert isinstance(second.reserve(purchase()), AtCap)


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["reserve", "send", "settle", "release", "later"]),
        st.integers(0, 5),
        st.floats(0, 0.6, allow_nan=False),
    ),
    max_size=40,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions=ACTIONS)
def test_whatever_happens_spent_and_set_aside_stay_within_the_cap(actions, ledger, purchase, payer, clock):
    book = ledger({"per": "tenant", "usd": 1.0})
    clock.at += 2 * DAY  # a fresh day for each example
    today, holds = int(clock.at // DAY), []
    for action, which, usd in actions:
        if action == "later":
            clock.at += 20
        elif action == "reserve":
            if isinstance(hold := book.reserve(purchase(usd)), Hold):
                holds.append(hold)
        elif holds:
            hold = holds[which % len(holds)]
            if action == "send":
                book.sending(hold)
            elif action == "settle":
                book.settle(hold, Spent(Amount(min(nanos(usd), hold.most.nanos), 0)))
            else:
                book.release(hold)
        (standing,) = book.standings(payer(), "large")
        assert 0 <= standing.taken <= standing.limit
    assert int(clock.at // DAY) == today
