"""What the tests of recognisers share: what is found in a text, as kinds and words."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from moslm.config import PrivacySettings
from moslm.privacy.recognisers import recogniser

Found = Callable[[str], list[tuple[str, str]]]


@pytest.fixture(scope="session")
def found() -> Found:
    """Return what the patterns find in a text: kind and words of each finding."""
    find = recogniser(PrivacySettings(engine="patterns")).find
    return lambda text: [(each.kind, text[each.start : each.end]) for each in find(text)]
