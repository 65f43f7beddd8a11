import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moslm.models.classifiers.conversation import follow
from moslm.models.classifiers.parts import MOST_PIECES, pieces
from moslm.models.classifiers.regression import Linear, fit_softmax, log_sum, softmax
from moslm.models.classifiers.vagueness import informative
from moslm.models.encoders.ngrams import hashed_ngrams

SURE_OF_0, SURE_OF_1 = np.array([0.96, 0.02, 0.02]), np.array([0.02, 0.96, 0.02])


def cut(text):
    return [text[start:end] for start, end in pieces(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Reset my password", ["Reset my password"]),
        ("Reset my password and refund order 10482", ["Reset my password", "and refund order 10482"]),
        ("Reset my password. Where is my parcel?", ["Reset my password.", "Where is my parcel?"]),
        ("reset password\nrefund parcel", ["reset password", "refund parcel"]),
        ("Version 10.2 fails on drive C", ["Version 10.2 fails on drive C"]),
        ("Thanks. My VPN drops.", ["Thanks. My VPN drops."]),
        ("密码忘了。订单在哪里？", ["密码忘了。", "订单在哪里？"]),
        ("", []),
        ("  \n ", []),
    ],
)
def test_requests_are_cut_where_another_wish_begins(text, expected):
    assert cut(text) == expected


@given(st.text(st.characters(), max_size=300))
def test_pieces_are_in_order_and_lose_nothing_but_space(text):
    places = pieces(text)
    assert len(places) <= MOST_PIECES
    covered = set()
    for start, end in places:
        assert not covered & set(range(start, end))
        assert covered == set() or start > max(covered)
        covered |= set(range(start, end))
    assert all(text[place].isspace() for place in range(len(text)) if place not in covered)


@pytest.mark.parametrize(
    "text", ["yes please", "ok", "and for Q2?", "commit it", "what about last year?", "thanks!", "👍", ""]
)
def test_follow_ups_say_nothing_by_themselves(text):
    assert informative(text) == 0


@pytest.mark.parametrize(
    "text", ["my VPN drops every hour", "where is my parcel, order 10482", "wo ist meine Bestellung"]
)
def test_whole_requests_speak_for_themselves(text):
    assert informative(text) >= 0.6


def test_one_message_is_believed_as_it_stands():
    belief = follow([SURE_OF_1], [0.0])
    assert np.array_equal(belief.probabilities, SURE_OF_1)
    assert not belief.continued


def test_a_message_that_says_nothing_keeps_the_subject():
    belief = follow([SURE_OF_0, SURE_OF_1], [1.0, 0.0])
    assert belief.probabilities.argmax() == 0
    assert belief.continued


def test_a_message_that_speaks_for_itself_changes_the_subject():
    belief = follow([SURE_OF_0, SURE_OF_1], [1.0, 1.0])
    assert belief.probabilities.argmax() == 1
    assert not belief.continued


def test_the_subject_outlasts_several_empty_messages():
    belief = follow([SURE_OF_0] + [SURE_OF_1] * 4, [1.0] + [0.0] * 4)
    assert belief.probabilities.argmax() == 0


@given(
    evidence=st.lists(
        st.lists(st.floats(0, 1), min_size=3, max_size=3).filter(lambda row: sum(row) > 0), min_size=1, max_size=6
    ),
    weight=st.floats(0, 1),
)
def test_belief_is_always_a_distribution(evidence, weight):
    rows = [np.array(row) / sum(row) for row in evidence]
    belief = follow(rows, [weight] * len(rows))
    assert belief.probabilities.sum() == pytest.approx(1)
    assert np.all(belief.probabilities >= 0)


def test_regression_finds_the_border_between_classes():
    rows = np.random.default_rng(0).normal(size=(400, 3)).astype(np.float32)
    classes = (rows[:, 0] + rows[:, 1] > 0).astype(np.int64)
    fitted = fit_softmax(rows, classes, np.ones(400, np.float32), count=2, penalty=1e-4, iterations=60)
    assert (fitted.scores(rows).argmax(axis=1) == classes).mean() > 0.98


def test_regression_over_ngrams_learns_which_words_tell():
    texts = ["pay the invoice", "pay the bill", "reset the router", "reset the phone"] * 3
    classes = np.array([0, 0, 1, 1] * 3)
    fitted = fit_softmax(hashed_ngrams(texts), classes, np.ones(12, np.float32), count=2, penalty=1e-4, iterations=60)
    assert fitted.scores(hashed_ngrams(["pay the rent", "reset the alarm"])).argmax(axis=1).tolist() == [0, 1]


def test_a_weight_of_zero_takes_a_row_out():
    rows = np.array([[1.0], [-1.0], [1.0], [-1.0]], np.float32)
    classes = np.array([0, 1, 1, 0])
    fitted = fit_softmax(rows, classes, np.array([1, 1, 0, 0], np.float32), count=2, penalty=1e-4, iterations=60)
    assert fitted.scores(rows[:2]).argmax(axis=1).tolist() == [0, 1]


def test_the_gradient_leads_to_the_known_optimum():
    # intercept only: the fitted probabilities are the class shares
    rows = np.zeros((10, 1), np.float32)
    fitted = fit_softmax(
        rows, np.array([0] * 7 + [1] * 3), np.ones(10, np.float32), count=2, penalty=1e-3, iterations=100
    )
    assert softmax(fitted.scores(rows[:1]))[0] == pytest.approx([0.7, 0.3], abs=1e-3)


def test_an_empty_row_scores_the_bias():
    bias = np.array([1.0, 2.0], np.float32)
    linear = Linear(np.ones((1 << 16, 2), np.float32), bias)
    assert np.array_equal(linear.scores(hashed_ngrams(["", "word", ""]))[[0, 2]], np.stack([bias, bias]))


def test_large_scores_do_not_overflow():
    scores = np.array([[1000.0, 999.0], [-1000.0, -1001.0]], np.float32)
    assert np.isfinite(softmax(scores)).all()
    assert log_sum(scores) == pytest.approx([1000.3133, -999.6867])
