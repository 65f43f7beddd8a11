"""What is sealed opens for its tenant and its place, and for nobody and nowhere else."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moslm.errors import ConfigError, SealError
from moslm.privacy.at_rest.proof import prove
from moslm.privacy.at_rest.seal import OVERHEAD, Seal
from moslm.privacy.keys import DerivedKeys

KEYS = DerivedKeys(os.urandom(32))
SEAL = Seal(KEYS)
places = st.lists(st.text(), max_size=4).map(tuple)


@given(st.binary(), st.text(), places)
def test_what_is_sealed_opens_where_it_belongs(plain, tenant, place):
    sealed = SEAL.seal(plain, tenant, *place)
    assert SEAL.open(sealed, tenant, *place) == plain
    assert len(sealed) == len(plain) + OVERHEAD


@given(st.binary(), st.tuples(st.text(), places), st.tuples(st.text(), places))
def test_it_opens_nowhere_else(plain, here, there):
    sealed = SEAL.seal(plain, here[0], *here[1])
    if here != there:
        with pytest.raises(SealError):
            SEAL.open(sealed, there[0], *there[1])


@given(st.binary(max_size=64), st.data())
def test_no_byte_of_it_can_be_changed_cut_or_added(plain, data):
    sealed = SEAL.seal(plain, "acme", "here")
    at = data.draw(st.integers(0, len(sealed) - 1))
    flip = data.draw(st.integers(1, 255))
    for altered in (sealed[:at] + bytes([sealed[at] ^ flip]) + sealed[at + 1 :], sealed[:at], sealed + b"\0"):
        with pytest.raises(SealError):
            SEAL.open(altered, "acme", "here")


@given(st.binary(max_size=200))
def test_bytes_of_a_stranger_are_refused(raw):
    with pytest.raises(SealError):
        SEAL.open(raw, "acme", "here")


def test_the_same_bytes_never_look_the_same_twice():
    assert len({SEAL.seal(b"balance", "acme", "here") for _ in range(50)}) == 50


def test_a_key_of_the_past_opens_and_the_current_one_seals():
    old, new = DerivedKeys(os.urandom(32)), DerivedKeys(os.urandom(32))
    before = Seal(old).seal(b"kept", "acme", "here")
    both = Seal(new, [old])
    assert both.open(before, "acme", "here") == b"kept"
    assert not both.is_current(before)
    after = both.rotate(before, "acme", "here")
    assert Seal(new).open(after, "acme", "here") == b"kept"
    assert both.rotate(after, "acme", "here") == after


def test_a_key_that_is_not_configured_is_told_from_an_altered_row(seal):
    foreign = Seal(DerivedKeys(os.urandom(32))).seal(b"kept", "acme")
    with pytest.raises(SealError, match="under a key that is not configured; add it to earlier_keys"):
        seal.open(foreign, "acme")


def test_the_current_key_is_no_earlier_key(keys):
    with pytest.raises(ConfigError, match="names one key twice; leave out the current key"):
        Seal(keys, [keys])


@given(st.tuples(st.text(), places), st.tuples(st.text(), places))
def test_names_are_equal_only_for_the_same_thing_of_the_same_tenant(one, other):
    assert (SEAL.name(one[0], *one[1]) == SEAL.name(other[0], *other[1])) == (one == other)


def test_a_key_source_that_gives_too_little_is_refused():
    class Short:
        def data_key(self, tenant: str) -> bytes:
            return b"short"

    with pytest.raises(ConfigError, match="gave a key of 5 bytes; 64 are needed"):
        Seal(Short())


def test_the_proof_at_start_holds(seal):
    prove(seal)


@pytest.mark.parametrize("broken", ["open", "seal"])
def test_the_proof_fails_where_nothing_is_encrypted_or_refused(keys, broken):
    class Broken(Seal):
        def open(self, sealed, tenant, *place):
            return sealed if broken == "seal" else super().open(sealed, "tenant", "thread", "1")

        def seal(self, plain, tenant, *place):
            return plain if broken == "seal" else super().seal(plain, tenant, *place)

    with pytest.raises(ConfigError, match=r"at_rest\.seal: the proof at start failed"):
        prove(Broken(keys))
