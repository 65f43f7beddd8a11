"""A seal whose key the test knows, and the rows an attacker with the file in hand would write."""

from __future__ import annotations

import os
from collections.abc import Callable

import ormsgpack
import pytest

from moslm.privacy.at_rest.seal import Seal
from moslm.privacy.keys import DerivedKeys


@pytest.fixture(scope="session")
def keys() -> DerivedKeys:
    return DerivedKeys(os.urandom(32))


@pytest.fixture
def seal(keys) -> Seal:
    return Seal(keys)


@pytest.fixture
def crafted(tmp_path) -> Callable[[], tuple[bytes, Callable[[], bool]]]:
    """Return a row that makes a file when it is executed, and whether it was."""

    def make():
        mark = tmp_path / "executed"
        call = ormsgpack.packb(("os", "system", f"touch {mark}"))
        return ormsgpack.packb({"channel_values": ormsgpack.Ext(0, call)}), mark.exists

    return make
