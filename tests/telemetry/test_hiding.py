import os

import pytest

from moslm.telemetry.hiding import hide_texts_from_traces


@pytest.mark.parametrize(("said", "found"), [(None, "true"), ("false", "false")])
def test_texts_are_hidden_from_traces_unless_the_environment_says_otherwise(monkeypatch, said, found):
    for name in ("LANGSMITH_HIDE_INPUTS", "LANGSMITH_HIDE_OUTPUTS"):
        monkeypatch.setenv(name, "")  # so that what is set here goes with the test
        monkeypatch.delenv(name)
        if said is not None:
            monkeypatch.setenv(name, said)
    hide_texts_from_traces()
    assert [os.environ[name] for name in ("LANGSMITH_HIDE_INPUTS", "LANGSMITH_HIDE_OUTPUTS")] == [found, found]
