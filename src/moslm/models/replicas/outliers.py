"""Which server fails so much more often than its peers that it is better left out. A pure function."""

from __future__ import annotations

from collections.abc import Mapping

_FEWEST = 10
_MARGIN = 0.15
_TIMES = 3.0


def outlier(failures: Mapping[int, tuple[int, int]], serving: int) -> int | None:
    """Name the worst server, if it is out of line.

    Args:
        failures: Of each server in service: how many of its last calls failed, and how many there were.
        serving: How many servers are in service; the last one is never out of line.

    Returns:
        Its key, where it has had 10 calls and its share of failures is both 3 times that of all its peers together and
        15 percentage points above it; else None.
    """
    known = {key: failed / calls for key, (failed, calls) in failures.items() if calls >= _FEWEST}
    if serving < 2 or not known:
        return None
    worst = max(known, key=lambda key: known[key])
    failed = sum(each[0] for key, each in failures.items() if key != worst)
    calls = sum(each[1] for key, each in failures.items() if key != worst)
    if calls < _FEWEST:
        return None
    among_peers = failed / calls
    return worst if known[worst] >= max(_TIMES * among_peers, among_peers + _MARGIN) else None
