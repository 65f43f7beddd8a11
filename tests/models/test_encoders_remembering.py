import numpy as np
import pytest

from moslm.errors import ConfigError
from moslm.models.encoders import ENCODERS, load_encoder
from moslm.models.encoders.remembering import RememberingEncoder, remembering

QUICK = "wordllama-l2-supercat-256"
TEXTS = ["Pay the invoice", "", "Reset my password", "Pay the invoice"]


class Counting:
    """Encodes a text as its length, and keeps what it was asked for."""

    name, dimensions = "counting", 1

    def __init__(self):
        self.asked = []

    def encode(self, texts):
        self.asked += texts
        return np.array([[len(text)] for text in texts], np.float32)


def test_each_text_is_encoded_once_and_every_step_is_told():
    encoder, steps = Counting(), []
    remembers = RememberingEncoder(encoder, lambda: steps.append(1))
    assert remembers.encode(TEXTS).ravel().tolist() == [15, 0, 17, 15]
    assert remembers.encode([TEXTS[2], "new"]).ravel().tolist() == [17, 3]
    assert sorted(encoder.asked) == sorted({*TEXTS, "new"})
    assert len(steps) == 4


def test_nothing_to_encode_is_no_rows():
    assert RememberingEncoder(Counting()).encode([]).shape == (0, 1)


@pytest.mark.parametrize("name", ENCODERS)
def test_what_is_remembered_is_what_the_encoder_says_to_the_bit(name):
    alone = load_encoder(name).encode(TEXTS)
    with remembering(name) as encoder:
        assert load_encoder(name) is encoder
        assert np.array_equal(encoder.encode(TEXTS), alone)
        assert np.array_equal(encoder.encode(TEXTS), alone)
    assert load_encoder(name) is not encoder


def test_an_encoder_nobody_knows_is_no_different():
    with pytest.raises(ConfigError, match="no such encoder"), remembering("nobody"):
        pass
