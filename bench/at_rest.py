"""What sealing costs: a checkpoint of 10 kB put and got through `SealedSaver` over a saver in memory, and in clear.

python bench/at_rest.py [--rounds 2000] [--bytes 10000]
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable

from langgraph.checkpoint.base import BaseCheckpointSaver, empty_checkpoint
from langgraph.checkpoint.memory import InMemorySaver

from moslm.privacy.at_rest.saver import SealedSaver
from moslm.privacy.at_rest.seal import Seal
from moslm.privacy.keys import DerivedKeys


def main() -> None:
    options = _options()
    seal = Seal(DerivedKeys(os.urandom(32)))
    text = os.urandom(options.bytes // 2).hex()
    plain = text.encode()
    measured: dict[str, Callable[[], object]] = {
        "seal + open": lambda: seal.open(seal.seal(plain, "acme", "here"), "acme", "here"),
        "put + get, in clear": _round(InMemorySaver(), text),
        "put + get, sealed": _round(SealedSaver(InMemorySaver(), seal), text),
    }
    for name, work in measured.items():
        took = sorted(_ms(work) for _ in range(options.rounds))
        print(f"{name:<20} p50 {statistics.median(took):.3f} ms   p95 {took[int(len(took) * 0.95)]:.3f} ms")


def _round(saver: BaseCheckpointSaver[str], text: str) -> Callable[[], object]:
    def work() -> object:
        versions = {"turns": saver.get_next_version(None, None)}
        checkpoint = {**empty_checkpoint(), "channel_values": {"turns": [text]}, "channel_versions": versions}
        config = {"configurable": {"thread_id": "1", "checkpoint_ns": ""}}
        at = saver.put(config, checkpoint, {"source": "loop", "step": 1, "parents": {}}, versions)  # type: ignore[arg-type]
        return saver.get_tuple(at)

    return work


def _ms(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2000)
    parser.add_argument("--bytes", type=int, default=10_000)
    return parser.parse_args()


if __name__ == "__main__":
    main()
