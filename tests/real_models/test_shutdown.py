"""The end of it all, which is why this file comes last: told to end, ``moslm serve`` leaves nothing behind."""

from __future__ import annotations

from served import Served, is_running


def test_told_to_end_it_ends_every_process_of_its_servers_and_nothing_is_left_in_their_place(served: Served):
    own = [pid for replica in (0, 1) for pid in served.processes(replica).values()]
    assert len(own) >= 4
    assert served.end() == 0
    assert not any(map(is_running, own))
    assert "told to end by SIGTERM" in served.said
    assert served.said.count("stopped") == 2
    assert "Traceback" not in served.said
