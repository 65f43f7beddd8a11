"""What memory costs and what it is worth: the time of a hit and of a miss beside a floor, and how often a hit is wrong.

``python bench/recall.py``: pairs that look alike and ask something else (made, `measures.near_duplicates`), the same
requests in other filler, and the test questions of banking77 and clinc150 put to a memory of their training questions:
one whose intents differ counts as wrong. Then milliseconds of a hit, a similar hit and a miss in a file that holds
many answers and in a real Redis, sealed and in clear, beside one bare lookup by primary key. The figures of
docs/guides/recall.md.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "servers"))

import numpy as np
from measures.near_duplicates import Pair, near_duplicates, paraphrases
from redis_server import RedisServer, free_port

from moslm.config import RecallSettings
from moslm.models.encoders import Encoder, load_encoder
from moslm.privacy.at_rest.seal import Seal
from moslm.privacy.keys import DerivedKeys
from moslm.recall.entries import Entry, packed
from moslm.recall.keys import keys_of
from moslm.recall.memory import Memory, Policy
from moslm.recall.redis import RedisRecall
from moslm.recall.sqlite import RecallFile
from moslm.recall.stores import OwnStore
from moslm.recall.wording import essence, wording
from moslm.state import Request
from moslm.tails import upper_bound
from moslm.wal import open_file

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
STEPS = (0.0, 0.7, 0.8, 0.85, 0.9, 0.95)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hits", type=int, default=2000, help="timed lookups of each kind (2000)")
    parser.add_argument("--held", type=int, default=20_000, help="answers the file holds meanwhile (20000)")
    parser.add_argument("--times", action="store_true", help="measure times alone")
    parser.add_argument("--show", action="store_true", help="print the pairs that count as wrong")
    options = parser.parse_args()
    encoder = load_encoder("wordllama-l2-supercat-256")
    if options.times:
        print(json.dumps({"ms": _times(encoder, options.hits, options.held)}, indent=2))
        return
    figures: dict[str, Any] = {
        "look alike": _made(near_duplicates(), encoder),
        "other filler": _made([each for each in paraphrases() if each.kind == "filler"], encoder),
        "other words": _made([each for each in paraphrases() if each.kind != "filler"], encoder),
    }
    for name in ("banking77", "clinc150"):
        if (DATA / name).is_dir():
            figures[name] = _asked(_rows(name), encoder, options.show)
    figures["ms"] = _times(encoder, options.hits, options.held)
    print(json.dumps(figures, indent=2))


def _made(pairs: Sequence[Pair], encoder: Encoder) -> dict[str, Any]:
    """Count the pairs that one answer would hold for, with the guard and by the cosine alone."""
    one, other = (encoder.encode([essence(text) for text in texts]) for texts in zip(*_texts(pairs), strict=True))
    cosine = (one * other).sum(axis=1)
    same = np.array([wording(pair.one) == wording(pair.other) for pair in pairs])
    return {
        "pairs": len(pairs),
        "hits": {str(step): int((same & (cosine >= step)).sum()) for step in STEPS},
        "by the cosine alone": {str(step): int((cosine >= step).sum()) for step in STEPS},
        "at 0.85": _interval(int((same & (cosine >= 0.85)).sum()), len(pairs)),
    }


def _texts(pairs: Sequence[Pair]) -> list[tuple[str, str]]:
    return [(pair.one, pair.other) for pair in pairs]


def _rows(name: str) -> list[dict[str, str]]:
    lines = (DATA / name / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [row for row in map(json.loads, lines) if row["intent"] != "oos"]


def _asked(rows: list[dict[str, str]], encoder: Encoder, show: bool) -> dict[str, Any]:
    """Put every test question to a memory of the training questions."""
    kept, asked = ([row for row in rows if row["split"] == split] for split in ("train", "test"))
    vectors, others = (encoder.encode([essence(row["text"]) for row in part]) for part in (kept, asked))
    known = defaultdict[tuple[str, ...], list[int]](list)
    for i, row in enumerate(kept):
        if len(said := wording(row["text"])) > 2:
            known[said].append(i)
    exact = {row["text"] for row in kept}
    hits = list[tuple[float, bool, str, str]]()
    for row, vector in zip(asked, others, strict=True):
        if found := known.get(wording(row["text"])):
            cosine, i = max((float(vectors[i] @ vector), i) for i in found)
            hits.append((cosine, kept[i]["intent"] != row["intent"], row["text"], kept[i]["text"]))
    if show:
        for cosine, wrong, one, other in hits:
            print(f"{cosine:.2f}  {one}  |  {other}" if wrong else "", end="\n" if wrong else "")
    return {
        "asked": len(asked),
        "the same text": sum(row["text"] in exact for row in asked),
        "hits": {str(step): sum(cosine >= step for cosine, *_ in hits) for step in STEPS},
        "other intent": {str(step): sum(wrong for cosine, wrong, *_ in hits if cosine >= step) for step in STEPS},
        "hit rate at 0.85": _interval(sum(cosine >= 0.85 for cosine, *_ in hits), len(asked)),
        "other intent at 0.85": _interval(
            sum(wrong for cosine, wrong, *_ in hits if cosine >= 0.85), sum(cosine >= 0.85 for cosine, *_ in hits)
        ),
    }


def _interval(k: int, n: int) -> dict[str, float]:
    """Return a rate with its two-sided 95 % interval (Clopper and Pearson)."""
    return {"rate": k / n, "from": 1 - upper_bound(n - k, n, 0.025) if k else 0.0, "to": upper_bound(k, n, 0.025)}


def _times(encoder: Encoder, hits: int, held: int) -> dict[str, dict[str, dict[str, float]]]:
    """Return the times over each store, in clear and sealed; Redis by TCP on this machine."""
    seal = Seal(DerivedKeys(os.urandom(32)))
    with tempfile.TemporaryDirectory() as folder:
        server = RedisServer(Path(folder), free_port())
        server.start()
        stores: dict[str, OwnStore] = {
            "sqlite": RecallFile(Path(folder) / "recall.sqlite", most=held * 2),
            "sqlite sealed": RecallFile(Path(folder) / "sealed.sqlite", most=held * 2, sealing=seal),
            "redis": RedisRecall(server.url, prefix="clear", most=held * 2),
            "redis sealed": RedisRecall(server.url, prefix="sealed", most=held * 2, sealing=seal),
        }
        try:
            found = {name: _over(store, encoder, hits, held) for name, store in stores.items()}
            return found | {"floor": _floor(Path(folder) / "floor.sqlite", hits, held)}
        finally:
            server.kill()


def _over(store: OwnStore, encoder: Encoder, hits: int, held: int) -> dict[str, dict[str, float]]:
    chance = random.Random(0)
    memory = Memory(Policy("1", RecallSettings()), encoder, store)
    texts = _texts(held)
    for text, entry in zip(texts, _entries(texts, encoder), strict=True):
        store.keep(replace(entry, key=keys_of(_request(text), "1").exact))
    times = defaultdict[str, list[tuple[float, float]]](list)
    for i in range(hits):  # in turn, so that a busy machine hits all
        text = chance.choice(texts)
        filler = f"Hi, could you please tell me how I can {text[9:]} Thanks!"
        times["exact hit"].append(_timed(lambda text=text: memory.find(_request(text), None), True))
        times["semantic hit"].append(_timed(lambda text=filler: memory.find(_request(text), None), True))
        times["miss"].append(_timed(lambda i=i: memory.find(_request(f"Is rule {i} new?"), None), False))
    return {name: _figures(each) for name, each in times.items()}


def _floor(file: Path, hits: int, held: int) -> dict[str, dict[str, float]]:
    """Return the time of one bare lookup by primary key."""
    chance, texts = random.Random(0), _texts(held)
    floor = open_file(file, "CREATE TABLE IF NOT EXISTS t (k TEXT PRIMARY KEY, v TEXT);")
    floor.executemany("INSERT INTO t VALUES (?, ?)", [(text, "x" * 400) for text in texts])
    query = "SELECT v FROM t WHERE k = ?"
    chosen = [chance.choice(texts) for _ in range(hits)]
    return {
        "lookup": _figures(
            [_timed(lambda text=text: floor.execute(query, (text,)).fetchone(), True) for text in chosen]
        )
    }


def _texts(held: int) -> list[str]:
    return [f"How do I claim mileage of trip number {i} to the shop?" for i in range(held)]


def _entries(texts: Sequence[str], encoder: Encoder) -> list[Entry]:
    now = time.time()
    return [
        Entry(
            "", keys_of(_request(text), "1").wording, "acme", "user", "finance", "d", "x" * 400, "small", True, 0.01,
            now, now + 86_400, packed(vector),
        )
        for text, vector in zip(texts, encoder.encode([essence(text) for text in texts]), strict=True)
    ]  # fmt: skip


def _request(text: str) -> Request:
    return Request(
        id="r", opened_at="", started=0.0, tenant="acme", user=None, role="user", thread_id=None, text=text,
        turns=[("user", text)], threshold=None, multi_domain="escalate", may_escalate=True,
    )  # fmt: skip


def _timed(work: Callable[[], object], hit: bool) -> tuple[float, float]:
    """Return the milliseconds by the clock, and those this thread was computing: a busy machine adds to the first."""
    clock, computing = time.perf_counter(), time.thread_time()
    found = work()
    taken = (time.perf_counter() - clock) * 1000, (time.thread_time() - computing) * 1000
    assert (found is not None) == hit, "not what was to be timed"
    return taken


def _figures(times: list[tuple[float, float]]) -> dict[str, float]:
    clock, computing = (statistics.quantiles(each, n=100) for each in zip(*times, strict=True))
    shown = {"p50": 49, "p95": 94, "p99": 98}
    figures = {name: round(clock[at], 3) for name, at in shown.items()}
    return figures | {f"computing {name}": round(computing[at], 3) for name, at in shown.items()}


if __name__ == "__main__":
    main()
