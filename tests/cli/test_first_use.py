from __future__ import annotations

import pytest

from moslm.cli import first_use
from moslm.errors import MissingExtraError


@pytest.fixture
def pulled(monkeypatch):
    names = []
    monkeypatch.setattr(first_use, "pull", lambda name, progress: names.append(name))
    return names


def test_the_first_request_brings_the_weights_it_needs(pulled, monkeypatch, capsys):
    monkeypatch.setattr(first_use, "kept", lambda weights: None)
    first_use.bring_weights(None)
    assert pulled == ["smollm2-135m-instruct"]
    assert "98 MB" in capsys.readouterr().err


def test_weights_that_are_here_are_not_pulled_again(pulled, monkeypatch):
    monkeypatch.setattr(first_use, "kept", lambda weights: "here")
    first_use.bring_weights(None)
    assert pulled == []


def test_nothing_is_pulled_for_models_that_are_served_elsewhere(pulled, monkeypatch, tmp_path):
    monkeypatch.setattr(first_use, "kept", lambda weights: None)
    config = tmp_path / "moslm.toml"
    config.write_text('[defaults.model]\nkind = "scripted"\n')
    first_use.bring_weights(str(config))
    assert pulled == []


def test_without_the_engine_the_extra_is_named_before_anything_is_pulled(pulled, monkeypatch):
    monkeypatch.setattr(first_use, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'moslm\[local\]'"):
        first_use.bring_weights(None)
    assert pulled == []
