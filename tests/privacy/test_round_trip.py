"""T12: what happens to placeholders inside a model, and nobody may lose or learn a value by it."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from moslm.config import PrivacySettings
from moslm.privacy.placeholders import PLACEHOLDER
from moslm.privacy.pseudonyms import pseudonymiser
from moslm.privacy.restoring import Restorer, restored

VALUES = (
    "maria.keller@corp.local",
    "4111 1111 1111 1111",
    "DE89 3704 0044 0532 0130 00",
    "123-45-6789",
    "+49 170 2345678",
    "api_key=3f9a7c21d0",
    "EMP-004829",
    "12 Maple Street",
    "<PERSON_1>",
    "<EMAIL_ADDRESS_1>",
    "<LITERAL_2>",
)
WORDS = (
    "and",
    "is",
    "<b>",
    "<",
    ">",
    "<PERSON_",
    "_1>",
    "please",
    "\n",
    "{",
    '"',
    "Ärger",
    "<<",
    "<PERSON_0>",
    "<x_1>",
)
texts = st.lists(st.sampled_from(VALUES + WORDS), max_size=12).map(" ".join)
PRIVACY = pseudonymiser(PrivacySettings())


def fresh(number=[0]):  # noqa: B006
    number[0] += 1
    return PRIVACY.conversation("acme", str(number[0]))


@settings(deadline=None)
@given(st.lists(texts, max_size=4))
def test_hiding_and_restoring_gives_every_text_back(conversation):
    talk = fresh()
    hidden = talk.hide_all(conversation)
    assert [talk.restore(each) for each in hidden] == conversation
    assert not any(value in each for each in hidden for value in VALUES[:8])


@settings(deadline=None)
@given(texts, st.randoms(use_true_random=False))
def test_placeholders_survive_being_reordered_and_quoted(text, chance):
    talk = fresh()
    given_out = [match.group() for match in PLACEHOLDER.finditer(talk.hide(text))]
    values = {each: talk.restore(each) for each in given_out}
    chance.shuffle(given_out)
    answer = " ".join(f'"{each}", (**{each}**)\n> {each}' for each in given_out)
    expected = " ".join(f'"{values[each]}", (**{values[each]}**)\n> {values[each]}' for each in given_out)
    assert talk.restore(answer) == expected


@settings(deadline=None)
@given(texts, st.from_regex(PLACEHOLDER, fullmatch=True), st.text(alphabet="<>_AZ19 a\n", max_size=20))
def test_a_placeholder_that_was_never_given_out_is_never_resolved(text, invented, around):
    talk = fresh()
    known = {match.group() for match in PLACEHOLDER.finditer(talk.hide(text))}
    if invented not in known:
        assert talk.restore(invented) == invented
        declined = f"I may not say who {invented} is."
        assert talk.restore(declined) == declined
    if not known:
        assert talk.restore(around) == around


@settings(deadline=None)
@given(texts, texts)
def test_a_placeholder_of_one_tenant_resolves_nothing_of_it_under_another(one, other):
    # of both apart: the same letters cut elsewhere are another conversation
    conversation = str(random.Random(repr((one, other))).random())
    mine, theirs = PRIVACY.conversation("acme", conversation), PRIVACY.conversation("rival", conversation)
    hidden = mine.hide(one)
    own = {match.group() for match in PLACEHOLDER.finditer(theirs.hide(other))}
    for match in PLACEHOLDER.finditer(hidden):
        if match.group() not in own:
            assert theirs.restore(match.group()) == match.group()
        assert theirs.restore(match.group()) in {match.group(), *(theirs.restore(each) for each in own)}


LOOKUP = {("PERSON", 1): "Maria <b>", ("PERSON", 2): "<PERSON_1>", ("X2_Y", 12): ""}.get


def known(kind, number):
    return LOOKUP((kind, number))


pieces = st.lists(
    st.sampled_from(
        ["<PERSON_1>", "<PERSON_2>", "<X2_Y_12>", "<PERSON_3>", "<", ">", "_", "1", "PERSON", "<PER", "a", " ", "é"]
    )
)


@given(pieces, st.data())
def test_a_stream_split_anywhere_is_restored_as_the_whole_is(parts, data):
    text = "".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    stream = Restorer(known)
    shown = [stream.feed(text[a:b]) for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert "".join([*shown, stream.close()]) == restored(text, known)


@given(pieces)
def test_a_stream_holds_back_nothing_but_the_beginning_of_a_placeholder(parts):
    text = "".join(parts)
    stream = Restorer(known)
    for letter in text:
        stream.feed(letter)
    held = stream.close()
    assert held == "" or (held.startswith("<") and len(held) <= 48 and ">" not in held and text.endswith(held))


def test_a_long_text_in_capitals_behind_a_bracket_is_not_held_for_ever():
    stream = Restorer(known)
    assert stream.feed("<" + "A" * 48) == "<" + "A" * 48
    assert stream.close() == ""
