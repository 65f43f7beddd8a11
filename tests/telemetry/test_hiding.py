import os
import subprocess
import sys

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


@pytest.mark.parametrize(("said", "left"), [(None, "RuntimeError"), ("false", "RuntimeError: of jane")])
def test_a_process_that_traces_hides_what_errors_say_likewise(said, left):
    script = (
        "from moslm.telemetry.hiding import hide_texts_from_traces\n"
        "hide_texts_from_traces()\n"
        "from langsmith.run_trees import get_cached_client\n"
        "print(get_cached_client()._hide_run_error('RuntimeError: of jane'), end='')"
    )
    hidden = {} if said is None else dict.fromkeys(("LANGSMITH_HIDE_INPUTS", "LANGSMITH_HIDE_OUTPUTS"), said)
    other = {name: value for name, value in os.environ.items() if not name.startswith("LANGSMITH_HIDE")}
    environment = {**other, **hidden, "LANGSMITH_TRACING": "true", "LANGSMITH_API_KEY": "x"}
    environment["LANGSMITH_ENDPOINT"] = "http://127.0.0.1:9"
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout == left
