"""`studio/app.py` as the LangGraph server loads it: by path, with nothing but environment variables."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from moslm.errors import ConfigError

APP = Path(__file__).resolve().parents[2] / "studio" / "app.py"


@pytest.fixture
def loaded(tmp_path, monkeypatch):
    """Load the file under this configuration."""

    def load(toml):
        (tmp_path / "moslm.toml").write_text(toml)
        monkeypatch.setenv("MOSLM_CONFIG", str(tmp_path / "moslm.toml"))
        return runpy.run_path(str(APP))["graph"]

    return load


def test_studio_is_shown_the_schemas_of_input_and_output(loaded):
    graph = loaded('[defaults.model]\nkind = "scripted"')
    assert set(graph.get_input_jsonschema()["properties"]) == {"messages"}
    assert set(graph.get_output_jsonschema()["properties"]) == {"messages", "decision"}
    assert "threshold" in graph.get_context_jsonschema()["properties"]


def test_a_configuration_that_cannot_stand_names_file_key_and_mend(loaded, tmp_path):
    with pytest.raises(ConfigError, match=r"defaults\.threshold = 8: must be at most 1; write a number") as caught:
        loaded("[defaults]\nthreshold = 8")
    assert str(caught.value).startswith(str(tmp_path / "moslm.toml"))
