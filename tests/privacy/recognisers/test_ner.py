"""Names and addresses by the tagger that ships, on sentences written for this test with names kept from its tuning."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moslm.config import PrivacySettings
from moslm.errors import ConfigError, DetectorFailed
from moslm.privacy.pseudonyms import Pseudonymiser, pseudonymiser
from moslm.privacy.recognisers import Finding, recogniser
from moslm.privacy.recognisers.around import Around
from moslm.privacy.recognisers.ner import LABELS, SHIPPED, NamesTagger, _windows
from moslm.privacy.recognisers.surface import GAPS, SHAPES, surface
from moslm.privacy.vault import MemoryVault

UNSEEN = Path(__file__).parent / "unseen"
RECALL, ADDRESSES, FALSE = 0.95, 6, 2
"""Share of names hidden whole, addresses of eight hidden whole, what may be hidden for nothing in forty requests."""


@pytest.fixture(scope="module")
def tagger():
    return NamesTagger()


@pytest.fixture(scope="module")
def found():
    find = recogniser(PrivacySettings()).find
    return lambda text: [(each.kind, text[each.start : each.end]) for each in find(text)]


def rows(name):
    return [json.loads(line) for line in (UNSEEN / name).read_text(encoding="utf-8").splitlines()]


def left(tagger, row):
    """Return the values of a row that are not hidden whole."""
    hidden = {at for each in tagger.find(row["text"]) for at in range(each.start, each.end)}
    spans = [(row["text"].index(value), value) for value in row["values"]]
    return [
        value
        for start, value in spans
        if any(letter.isalnum() and start + at not in hidden for at, letter in enumerate(value))
    ]


def test_names_that_were_kept_from_the_tuning_are_found_in_whole(tagger):
    named = rows("names.jsonl")
    n = sum(len(row["values"]) for row in named)
    missed = [value for row in named for value in left(tagger, row)]
    assert n >= 60
    assert 1 - len(missed) / n >= RECALL, missed


def test_addresses_of_several_countries_are_found_in_whole(tagger):
    placed = rows("addresses.jsonl")
    missed = [value for row in placed for value in left(tagger, row)]
    assert all(any(each.kind == "STREET_ADDRESS" for each in tagger.find(row["text"])) for row in placed)
    assert len(placed) - len(missed) >= ADDRESSES, missed


def test_requests_without_a_name_are_hardly_touched(tagger):
    hidden = [row["text"][each.start : each.end] for row in rows("none.jsonl") for each in tagger.find(row["text"])]
    assert len(hidden) <= FALSE, hidden


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ask Jadwiga Wiśniewska-Okoro about it", ["Jadwiga Wiśniewska-Okoro"]),
        ("my boss, J.R. O'Neil, and Mary-Ann van der Berg left.", ["J.R. O'Neil", "Mary-Ann van der Berg"]),
        ("user=Priya_Nair status=ok", ["Priya_Nair"]),
    ],
)
def test_a_name_is_one_finding_from_its_first_letter_to_its_last(tagger, text, expected):
    assert [text[each.start : each.end] for each in tagger.find(text)] == expected


@pytest.mark.parametrize(
    "text", ["An observer S who lives on the x-axis", r"2 mL of $\mathrm{H}_2$ at 273 K", "plan B"]
)
def test_a_letter_alone_is_nobodys_name(tagger, text):
    assert tagger.find(text) == []


def test_a_formula_is_not_cut_into_half_words_that_look_like_names(found):
    assert found(r"Integrate $1.5 \times 10^{-8} \cos \theta$ over the disk, to \text{three} places") == []
    assert found(r'{"note": "called\nOtilia Benavente\tagain"}') == [("PERSON", "Otilia Benavente")]


def test_an_address_over_two_lines_is_one_finding(found):
    text = "Attn: Björk Guðmundsdóttir\n12 Elm St\nSpringfield, IL 62701\n\nHi"
    assert found(text) == [
        ("PERSON", "Björk Guðmundsdóttir"),
        ("STREET_ADDRESS", "12 Elm St\nSpringfield, IL 62701"),
    ]


def test_a_name_far_into_a_long_text_is_found_like_one_at_its_beginning(tagger):
    filler = "the nightly backup of the warehouse failed again and nobody knows why . "
    for count in (9, 10, 11, 40):
        text = f"{filler * count}Ikshita Butala called. {filler * count}"
        assert "Ikshita Butala" in [text[each.start : each.end] for each in tagger.find(text)]


@pytest.mark.parametrize("pieces", [0, 1, 125, 126, 127, 220, 221, 1000])
def test_windows_read_every_piece_once(pieces):
    counted = [at for _, _, first, last in _windows(pieces) for at in range(first, last)]
    assert counted == list(range(pieces))
    assert all(start <= first < last <= end <= start + 126 for start, end, first, last in _windows(pieces))


anything = st.text(st.characters(), max_size=80)  # lone surrogates and control characters included
pieced = st.lists(st.sampled_from(["Otilia ", "\ud800", "é", "\u0301", "王", "12 Elm St", "\n", " ", "'", "\u200b"]))


@settings(max_examples=120, deadline=None)
@given(text=anything | pieced.map("".join))
def test_whatever_the_text_findings_lie_within_it_in_order_and_the_same_every_time(text):
    first = ONE.find(text)
    assert ANOTHER.find(text) == first
    ends = [0, *(each.end for each in first)]
    for before, each in zip(ends, first, strict=False):
        assert before <= each.start < each.end <= len(text)
        assert each.kind in ("PERSON", "STREET_ADDRESS")
        assert 0 < each.score <= 1


@settings(max_examples=150, deadline=None)
@given(text=anything)
def test_every_piece_has_a_shape_and_a_gap_that_the_network_knows(text):
    offsets = [(at, at + 1) for at in range(len(text))]
    shapes, gaps = surface(text, offsets)
    assert all(0 <= each < SHAPES for each in shapes)
    assert all(0 <= each < GAPS for each in gaps)


@settings(max_examples=60, deadline=None)
@given(parts=st.lists(st.sampled_from(["Otilia Benavente", "wrote", "to", "555-0100", "Ikshita", "\n", "x@y.example"])))
def test_every_word_that_was_hidden_is_restored(parts):
    text = " ".join(parts)
    talk = PRIVACY.conversation("acme", text)
    # of one value that stands there in two spacings the first comes back
    assert talk.restore(talk.hide(text)).split() == text.split()


PRIVACY = pseudonymiser(PrivacySettings())
ONE, ANOTHER = NamesTagger(), NamesTagger()


def test_threads_share_one_tagger(tagger):
    texts = [f"request {n}: Otilia Benavente called about order {n}" for n in range(24)]
    fresh = NamesTagger()
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(fresh.find, texts)) == [tagger.find(text) for text in texts]


def test_what_has_a_form_keeps_its_own_placeholder_beside_an_address(found):
    text = "Otilia Benavente\n12 Elm St, Springfield, IL 62701\n+1 415 555 0100\nob@contoso.example"
    kinds = [kind for kind, _ in found(text)]
    assert kinds == ["PERSON", "STREET_ADDRESS", "PHONE_NUMBER", "EMAIL_ADDRESS"]


class Says:
    """Finds what it was told to."""

    def __init__(self, *findings):
        self.findings = findings

    def find(self, text):
        return list(self.findings)


@given(
    spans=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=6),
    guess=st.tuples(st.integers(0, 20), st.integers(21, 40)),
)
def test_no_letter_that_was_guessed_is_left_out_when_it_is_cut(spans, guess):
    text = "abcdefghij klmno, pqrstuvwxyz 0123456789 "[:40]
    formed = [Finding(min(span), max(span), "IP_ADDRESS", 1.0) for span in spans if span[0] != span[1]]
    parts = Around(Says(Finding(*guess, "PERSON", 0.9)), [Says(*formed)]).find(text)
    hidden = {at for each in (*parts, *formed) for at in range(each.start, each.end)}
    assert all(at in hidden for at in range(*guess) if text[at].isalnum())
    covered = {at for each in formed for at in range(each.start, each.end)}
    assert not any(at in covered for each in parts for at in range(each.start, each.end))


def test_damaged_weights_are_refused_by_name_when_the_engine_is_built(tmp_path):
    folder = shutil.copytree(SHIPPED, tmp_path / "tagger")
    (folder / "tagger.onnx").write_bytes((folder / "tagger.onnx").read_bytes()[:-100])
    with pytest.raises(ConfigError, match=r"tagger.onnx: privacy.engine: is truncated or not the file.*reinstall"):
        NamesTagger(folder)


def test_absent_weights_are_refused_by_name_when_the_engine_is_built(tmp_path):
    with pytest.raises(ConfigError, match=r"privacy.engine: cannot be read \(No such file"):
        NamesTagger(tmp_path)


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("lower", "0" * 64, "of other lower layers or labels"),
        ("labels", [*LABELS[:3]], "of other lower layers or labels"),
        ("threshold", 1.5, "no threshold between 0 and 1"),
    ],
)
def test_a_tagger_that_was_not_tuned_over_these_layers_is_refused(tmp_path, key, value, problem):
    folder = shutil.copytree(SHIPPED, tmp_path / "tagger")
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps({**card, key: value}))
    with pytest.raises(ConfigError, match=problem):
        NamesTagger(folder)


def test_when_the_network_fails_nothing_is_sent_and_the_text_is_not_told(monkeypatch):
    class Broken:
        def run(self, *_):
            raise RuntimeError("Otilia Benavente")

    tagger = NamesTagger()
    monkeypatch.setattr(tagger, "_upper", Broken())
    talk = Pseudonymiser(tagger, MemoryVault()).conversation("acme", "1")
    with pytest.raises(DetectorFailed, match=r"NamesTagger failed \(RuntimeError\)") as caught:
        talk.hide("Otilia Benavente called")
    assert "Otilia" not in str(caught.value)


def test_the_card_says_what_it_was_tuned_on_and_how_well_it_did():
    card = json.loads((SHIPPED / "card.json").read_text())
    assert card["base"]["license"] == "Apache-2.0"
    assert "Faker (MIT)" in card["fitted_on"]["identities"]
    assert set(card["kept"]) == {"seen names", "unseen names"}
