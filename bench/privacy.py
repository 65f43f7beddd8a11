"""How much personal data is found, kind by kind, in how much processor time; by each engine.

``python bench/privacy.py [--documents N --seed S | --requests FILE] [--json FILE]``. Reads presidio-research's 3,609
labelled sentences (synthetic identities of many countries): recall is the share of labelled spans that are hidden,
wholly and in part, with Wilson's interval; precision the share of findings of a kind that touch a span with a fitting
label. A span counts where anything covers it, under whatever name, because a placeholder of the wrong kind hides too.

With ``--requests FILE`` ordinary requests are read instead, and what is taken for a name or an address in them is
counted by source, per 1,000 words; ``--json`` keeps each finding, for a person to judge.

With ``--documents`` as many made-up documents (`leaks.documents`) are hidden instead, and what can still be read of
each kind is counted.

Reads ../shared/data, which is no part of the project.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter, defaultdict
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
from leaks.documents import STRUCTURED, documents
from leaks.judging import leaks
from tqdm import tqdm

from moslm.config import PrivacySettings
from moslm.privacy.pseudonyms import pseudonymiser
from moslm.privacy.recognisers import Finding, recogniser

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "pii_presidio" / "pii.jsonl"
LABELS = {
    "CREDIT_CARD": {"CREDIT_CARD"},
    "IBAN_CODE": {"IBAN_CODE"},
    "US_SSN": {"US_SSN"},
    "EMAIL_ADDRESS": {"EMAIL_ADDRESS"},
    "PHONE_NUMBER": {"PHONE_NUMBER"},
    "IP_ADDRESS": {"IP_ADDRESS"},
    "DRIVER_LICENSE": {"US_DRIVER_LICENSE"},
    "STREET_ADDRESS": {"STREET_ADDRESS", "ADDRESS", "ZIP_CODE", "LOCATION", "GPE"},
    "PERSON": {"PERSON", "PREFIX"},
}
"""Labels of the data that a finding of a kind fits; labels that nobody is asked for (DATE_TIME, TITLE ...) fit none."""
ASKED = ("CREDIT_CARD", "IBAN_CODE", "US_SSN", "EMAIL_ADDRESS", "PHONE_NUMBER", "IP_ADDRESS", "US_DRIVER_LICENSE")
ASKED += ("STREET_ADDRESS", "ADDRESS", "PERSON")


def wilson(hits: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Return the 95 % interval of a share."""
    if n == 0:
        return 0.0, 1.0
    share, square = hits / n, z * z / n
    middle, half = share + square / 2, z * sqrt(share * (1 - share) / n + square / (4 * n))
    return max(0.0, (middle - half) / (1 + square)), (middle + half) / (1 + square)


def covered(span: dict[str, Any], findings: list[Finding]) -> float:
    """Return the share of a span's characters that are hidden, spaces and punctuation aside."""
    text = span["value"]
    counted = [span["start"] + i for i, letter in enumerate(text) if letter.isalnum()] or [span["start"]]
    return sum(any(each.start <= at < each.end for each in findings) for at in counted) / len(counted)


def measured(engine: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Run one engine over all rows."""
    find = recogniser(PrivacySettings.model_validate({"engine": engine})).find
    find(rows[0]["text"])
    took: list[float] = []
    recalled: dict[str, list[float]] = defaultdict(list)
    right: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for row in tqdm(rows, desc=engine):
        began = time.process_time()
        findings = find(row["text"])
        took.append(1000 * (time.process_time() - began))
        for span in row["spans"]:
            recalled[span["type"]].append(covered(span, findings))
        for each in findings:
            touched = {span["type"] for span in row["spans"] if each.start < span["end"] and span["start"] < each.end}
            (right if touched & LABELS.get(each.kind, set()) else wrong)[each.kind] += 1
    return {
        "p50_ms": round(float(np.percentile(took, 50)), 2),
        "p95_ms": round(float(np.percentile(took, 95)), 2),
        "recall": {kind: _recall(recalled[kind]) for kind in sorted(recalled)},
        "precision": {kind: _share(right[kind], right[kind] + wrong[kind]) for kind in sorted({*right, *wrong})},
        "unlabelled": {kind: wrong[kind] for kind in sorted(wrong)},
    }


def _share(hits: int, n: int) -> dict[str, Any]:
    low, high = wilson(hits, n)
    return {"n": n, "share": round(hits / max(n, 1), 3), "low": round(low, 3), "high": round(high, 3)}


def _recall(shares: list[float]) -> dict[str, Any]:
    whole = _share(sum(each == 1 for each in shares), len(shares))
    return {**whole, "in_part": round(float(np.mean([each > 0 for each in shares])), 3)} | {
        "hidden": round(float(np.mean(shares)), 3)
    }


def of_documents(engine: str, seed: int, count: int) -> dict[str, Any]:
    """Hide made-up documents by one engine, and count what is left."""
    privacy = pseudonymiser(PrivacySettings.model_validate({"engine": engine}))
    planted: Counter[str] = Counter()
    left: Counter[str] = Counter()
    changed, took = 0, list[float]()
    for i, document in enumerate(tqdm(documents(seed, count), desc=engine)):
        talk = privacy.conversation("acme", str(i))
        began = time.process_time()
        hidden = tuple(talk.hide_all(document.texts))
        took.append(1000 * (time.process_time() - began))
        changed += tuple(talk.restore(each) for each in hidden) != document.texts
        planted.update(kind for kind, _, _ in document.planted)
        left.update(kind for kind, _, _ in leaks(document, hidden))
    return {
        "p50_ms": round(float(np.percentile(took, 50)), 2),
        "p95_ms": round(float(np.percentile(took, 95)), 2),
        "not_restored": changed,
        "structured": {"n": sum(planted[kind] for kind in STRUCTURED), "left": sum(left[kind] for kind in STRUCTURED)},
        "recall": {kind: _share(n - left[kind], n) for kind, n in sorted(planted.items())},
    }


def of_requests(engine: str, file: Path) -> dict[str, Any]:
    """Read ordinary requests with one engine; return what it takes for names and addresses."""
    find = recogniser(PrivacySettings.model_validate({"engine": engine})).find
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    words: Counter[str] = Counter()
    found: list[dict[str, str]] = []
    took: list[float] = []
    for row in tqdm(rows, desc=engine):
        text, source = row["text"], row["source"]
        words[source] += len(text.split())
        began = time.process_time()
        findings = [each for each in find(text) if each.kind in ("PERSON", "STREET_ADDRESS")]
        took.append(1000 * (time.process_time() - began))
        for each in findings:
            around = text[max(0, each.start - 40) : each.end + 30]
            found.append({"source": source, "value": text[each.start : each.end], "around": around, "kind": each.kind})
    return {
        "rows": len(rows),
        "p50_ms": round(float(np.percentile(took, 50)), 2),
        "p95_ms": round(float(np.percentile(took, 95)), 2),
        "words": dict(words),
        "found": found,
    }


def show_requests(engine: str, result: dict[str, Any]) -> None:
    words, counts = result["words"], Counter(each["source"] for each in result["found"])
    share = 1000 * len(result["found"]) / sum(words.values())
    print(f"\n{engine}: {share:.2f} names or addresses in 1,000 words, {result['rows']} requests")
    print(f"p50 {result['p50_ms']} ms, p95 {result['p95_ms']} ms of one core a request")
    print("| source | words | found in 1,000 |\n|---|---|---|")
    for source, n in sorted(words.items(), key=lambda each: -each[1]):
        if n >= 500:
            print(f"| {source} | {n} | {1000 * counts[source] / n:.2f} |")


def show_documents(engine: str, result: dict[str, Any]) -> None:
    structured = result["structured"]
    print(f"\n{engine}: p50 {result['p50_ms']} ms, p95 {result['p95_ms']} ms of one core a document")
    print(f"{structured['left']} of {structured['n']} left, {result['not_restored']} documents not restored exactly")
    print("| kind | n | hidden (95 %) |\n|---|---|---|")
    for kind, each in result["recall"].items():
        print(f"| {kind} | {each['n']} | {each['share']:.3f} ({each['low']:.3f}-{each['high']:.3f}) |")


def main() -> None:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--engines", nargs="+", default=["patterns", "ner", "presidio"])
    arguments.add_argument("--json", type=Path)
    arguments.add_argument("--documents", type=int)
    arguments.add_argument("--requests", type=Path)
    arguments.add_argument("--seed", type=int, default=2026)
    given = arguments.parse_args()
    if given.documents:
        for engine in given.engines:
            show_documents(engine, of_documents(engine, given.seed, given.documents))
        return
    if given.requests:
        judged = {engine: of_requests(engine, given.requests) for engine in given.engines}
        for engine, result in judged.items():
            show_requests(engine, result)
        _keep(given.json, judged)
        return
    rows = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]
    report = {engine: measured(engine, rows) for engine in given.engines}
    for engine, result in report.items():
        print(f"\n{engine}: p50 {result['p50_ms']} ms, p95 {result['p95_ms']} ms of one core a text")
        print("| label | n | found whole (95 %) | in part | characters hidden |\n|---|---|---|---|---|")
        for kind, each in result["recall"].items():
            mark = kind if kind in ASKED else f"({kind})"
            interval = f"{each['share']:.3f} ({each['low']:.3f}-{each['high']:.3f})"
            print(f"| {mark} | {each['n']} | {interval} | {each['in_part']:.3f} | {each['hidden']:.3f} |")
        print("| finding | n | precision (95 %) |\n|---|---|---|")
        for kind, each in result["precision"].items():
            print(f"| {kind} | {each['n']} | {each['share']:.3f} ({each['low']:.3f}-{each['high']:.3f}) |")
    _keep(given.json, report)


def _keep(file: Path | None, report: dict[str, Any]) -> None:
    if file:
        file.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
