import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moslm.errors import ConfigError
from moslm.lower_layers import SHIPPED
from moslm.models.encoders import load_encoder, wordllama
from moslm.models.encoders.ngrams import BUCKETS, hashed_ngrams, inverse_document_frequency
from moslm.models.encoders.transformer import TransformerEncoder

NAME = "wordllama-l2-supercat-256"
anything = st.text(st.characters(), max_size=60)  # lone surrogates and control characters included


@pytest.fixture(scope="module")
def encoder():
    return load_encoder(NAME)


@settings(max_examples=80, deadline=None)
@given(texts=st.lists(anything, max_size=4))
def test_every_text_becomes_a_vector_of_length_one_or_zero(encoder, texts):
    rows = encoder.encode(texts)
    assert rows.shape == (len(texts), encoder.dimensions)
    assert rows.dtype == np.float32
    lengths = np.linalg.norm(rows, axis=1)
    assert np.all(np.isclose(lengths, 1, atol=1e-5) | (lengths == 0))


def test_a_text_has_the_same_vector_alone_and_in_company(encoder):
    together = encoder.encode(["reset my password", "a much longer text about the budget of the third quarter", ""])
    alone = encoder.encode(["reset my password"])
    assert np.array_equal(together[0], alone[0])


def test_like_meanings_lie_nearer_than_unlike_ones(encoder):
    invoice, bill, printer = encoder.encode(["pay an invoice", "settle a bill", "the printer is jammed"])
    assert invoice @ bill > invoice @ printer


def test_threads_that_meet_at_the_first_use_get_the_same_vectors():
    fresh = load_encoder(NAME)
    with ThreadPoolExecutor(8) as pool:
        rows = list(pool.map(lambda _: fresh.encode(["hello there"]), range(16)))
    assert all(np.array_equal(rows[0], row) for row in rows)


def test_encoding_needs_no_user_cache_and_leaves_logging_alone(tmp_path: Path):
    code = (
        "import logging, sys\n"
        "from moslm.models.encoders import load_encoder\n"
        f"load_encoder({NAME!r}).encode(['x'])\n"
        "assert 'wordllama' not in sys.modules and not logging.getLogger().handlers\n"
    )
    own = tmp_path / "user"
    own.mkdir()
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "HOME": str(own)}, check=False)
    assert done.returncode == 0
    assert list(own.iterdir()) == []


def test_an_unknown_encoder_is_named_with_those_there_are():
    with pytest.raises(ConfigError, match=r"encoder = 'bert': no such encoder; one of: wordllama"):
        load_encoder("bert")


def test_a_package_without_its_weights_says_how_to_mend_it(monkeypatch):
    monkeypatch.setattr(wordllama, "_WEIGHTS", Path("weights/nothing.safetensors"))
    with pytest.raises(ConfigError, match=r"lacks weights/nothing\.safetensors; run: pip install"):
        wordllama.WordLlamaEncoder().encode(["x"])


@settings(max_examples=80, deadline=None)
@given(texts=st.lists(anything, max_size=4))
def test_every_text_becomes_ngrams_inside_the_buckets(texts):
    rows = hashed_ngrams(texts)
    assert len(rows) == len(texts)
    assert np.all((rows.buckets >= 0) & (rows.buckets < BUCKETS))
    assert np.all(np.isfinite(rows.weights))


def test_ngrams_do_not_see_case_or_spacing():
    rows = hashed_ngrams(["reset my password", "RESET  my\nPassword"])
    first, second = rows.take(np.array([0])), rows.take(np.array([1]))
    assert np.array_equal(first.buckets, second.buckets)
    assert np.allclose(first.weights, second.weights)


def test_a_typo_keeps_part_of_the_ngrams_and_another_word_none_to_speak_of():
    rows = hashed_ngrams(["password", "passwrod", "umbrella"])
    sets = [set(rows.take(np.array([n])).buckets.tolist()) for n in range(3)]
    assert len(sets[0] & sets[1]) >= 5
    assert len(sets[0] & sets[2]) <= 1


def test_rare_ngrams_weigh_more_than_common_ones():
    rows = hashed_ngrams(["the budget", "the printer", "the order"])
    importance = inverse_document_frequency(rows)
    common = set(rows.take(np.array([0])).buckets) & set(rows.take(np.array([1])).buckets)
    rare = set(rows.take(np.array([0])).buckets) - set(rows.take(np.array([1])).buckets)
    assert max(importance[list(common)]) < min(importance[list(rare)])


@pytest.fixture(scope="module")
def transformer():
    return load_encoder("moslm-minilm-l6-3")


def test_the_transformer_gives_unit_vectors_also_for_texts_that_say_nothing(transformer):
    vectors = transformer.encode(["", " ", "reset my password", "\ud800", "x" * 100_000, "🙂"])
    assert vectors.shape == (6, 768)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)


def test_the_transformer_puts_requests_of_a_domain_near_each_other(transformer):
    vpn, wifi, refund = transformer.encode(
        ["the VPN drops every hour", "cannot connect to the office wifi", "I want my money back for these shoes"]
    )
    assert vpn @ wifi > vpn @ refund + 0.2


def test_the_transformer_reads_a_text_the_same_alone_and_in_company(transformer):
    text = "how much of the travel budget is left"
    alone, company = transformer.encode([text])[0], transformer.encode([text, "a", "b c d " * 30])[0]
    assert np.array_equal(alone, company)


def test_of_a_long_text_the_beginning_and_the_end_are_read(transformer):
    log = "ERROR worker died " * 400
    middle = transformer.encode([f"why does this happen? {log} how do I restart it?"])[0]
    other = transformer.encode([f"why does this happen? {log} xyzzy {log} how do I restart it?"])[0]
    assert middle @ other > 0.999


@pytest.mark.parametrize("name", ["lower.onnx", "upper.onnx", "tokenizer.json"])
def test_truncated_weights_of_the_transformer_are_refused_by_name(tmp_path, name):
    folder = tmp_path / "encoder"
    shutil.copytree(SHIPPED, folder)
    (folder / name).write_bytes((folder / name).read_bytes()[:-100])
    with pytest.raises(ConfigError, match=rf"{name}: encoder: is truncated or not the file.*reinstall moslm"):
        TransformerEncoder(folder).encode(["a"])


def test_absent_weights_of_the_transformer_are_refused_by_name(tmp_path):
    with pytest.raises(ConfigError, match=r"cannot be read \(No such file"):
        TransformerEncoder(tmp_path).encode(["a"])


def test_the_transformers_card_names_what_it_was_tuned_on():
    card = json.loads((SHIPPED / "card.json").read_text())
    assert card["base"]["license"] == "Apache-2.0"
    assert all(source["license"] and source["rows"] for source in card["fitted_on"]["sources"])
    assert card["left_out"] == []


def test_threads_share_one_transformer(transformer):
    texts = [f"request number {n} about the printer" for n in range(24)]
    with ThreadPoolExecutor(8) as pool:
        side_by_side = list(pool.map(lambda text: transformer.encode([text])[0], texts))
    assert np.array_equal(side_by_side, [transformer.encode([text])[0] for text in texts])


def test_other_weights_than_the_shipped_ones_have_another_name(tmp_path):
    assert TransformerEncoder(tmp_path).name != TransformerEncoder().name
    assert load_encoder(TransformerEncoder().name).name == TransformerEncoder().name
