"""What a real vLLM says when it does not start, in one line; all of them start beside each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from served import READY_S, Served, until

from moslm.config import ServerSettings
from moslm.serving.launching import launches
from moslm.serving.supervising import Supervisor


@pytest.fixture
def reasons(served: Served, tmp_path: Path) -> Any:
    """Start servers that cannot run, and return why each of them does not."""

    def tried(**cases: dict[str, Any]) -> dict[str, str]:
        common = {"model": served.settings.model, "context": 2048}
        wanted = [
            launch
            for name, case in cases.items()
            for launch in launches(name, ServerSettings.model_validate({**common, **case}))
        ]
        with Supervisor(wanted, tmp_path / "logs") as supervisor:
            supervisor.begin()
            until(lambda: supervisor.step() or supervisor.settled, READY_S, "every server has failed")
            assert {replica.state for replica in supervisor.replicas} == {"failed"}
            assert all("\n" not in replica.reason for replica in supervisor.replicas)
            return {replica.launch.server: replica.reason for replica in supervisor.replicas}

    return tried


def test_what_stands_in_the_way_of_a_server_is_told(served, reasons, tmp_path):
    taken = served.settings.port
    told = reasons(
        other={"port": taken, "api_key_env": served.settings.api_key_env},
        hub={"port": taken + 10, "model": "org/none", "env": {"HF_HUB_OFFLINE": "1"}},
        context={"port": taken + 11, "context": 100_000},
        option={"port": taken + 12, "args": ["--no-such-option"]},
        cache={"port": taken + 13, "args": ["--kv-cache-memory-bytes", str(2**43)]},
        adapter={"port": taken + 14, "adapters": {"finance": str(tmp_path)}},
    )
    assert told["other"] == f"port {taken} is taken by a server of other models (small, finance, it_support)"
    assert told["hub"].startswith("no such model: ")
    assert told["context"].startswith("User-specified max_model_len (100000) is greater than the derived max_model_len")
    assert told["option"] == "unrecognized arguments: --no-such-option"
    assert told["cache"].startswith("out of memory; ")
    assert told["adapter"].startswith("a LoRA adapter cannot be loaded; ")
