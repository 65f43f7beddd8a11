"""Figures from answers: accuracy, novelty, coverage, times. Pure; knows neither systems nor files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from contenders import Answer
from contenders.rows import Pair, Row
from moslm.models.classifiers.judging import auroc


def of_answers(rows: Sequence[Row], answers: Sequence[Answer]) -> dict[str, float]:
    """Return what the answers to rows are worth.

    ``accuracy`` counts a request without a domain as wrong. ``coverage`` and ``accuracy_kept`` are those of familiar
    requests that the system's own threshold lets stand, ``novel_answered`` the share of novel ones it lets stand.
    """
    familiar = np.array([row.domain is not None for row in rows])
    right = np.array([answer.domain == row.domain for row, answer in zip(rows, answers, strict=True)])
    kept = np.array([answer.kept for answer in answers])
    strange = np.array([answer.strangeness for answer in answers])
    return {
        "rows": int(familiar.sum()),
        "accuracy": _share(right[familiar]),
        "novelty_auroc": auroc(strange[~familiar], strange[familiar]) if 0 < familiar.sum() < len(rows) else np.nan,
        "coverage": _share(kept[familiar]),
        "accuracy_kept": _share(right[familiar & kept]),
        "novel_answered": _share(kept[~familiar]),
    }


def of_left_out(pairs: Sequence[tuple[Pair, Sequence[Row], Sequence[Answer]]], novel: Sequence[Row]) -> dict[str, Any]:
    """Return the same for sources that were left out, each asked together with the novel rows.

    Recall and novelty are means over sources, so that a large source counts no more than a small one. Coverage and
    accuracy under the threshold are pooled.

    Args:
        pairs: A left-out domain and source; its rows; the answers to them and then to the novel rows.
        novel: The novel rows.
    """
    by_pair = {f"{domain}/{source}": of_answers([*rows, *novel], answers) for (domain, source), rows, answers in pairs}
    recall = {name: found["accuracy"] for name, found in by_pair.items()}
    pooled_rows = [row for _, rows, _ in pairs for row in rows]
    pooled = of_answers(pooled_rows, [each for _, rows, answers in pairs for each in answers[: len(rows)]])
    worst = min(recall, key=recall.__getitem__)
    return {
        "rows": len(pooled_rows),
        "mean_recall": float(np.mean(list(recall.values()))),
        "worst": {"source": worst, "recall": recall[worst]},
        "recall": dict(sorted(recall.items(), key=lambda item: item[1])),
        "novelty_auroc": float(np.mean([found["novelty_auroc"] for found in by_pair.values()])),
        "coverage": pooled["coverage"],
        "accuracy_kept": pooled["accuracy_kept"],
    }


def of_times(milliseconds: Sequence[float]) -> dict[str, float]:
    """Return the median and the 95th percentile."""
    return {"p50": float(np.percentile(milliseconds, 50)), "p95": float(np.percentile(milliseconds, 95))}


def table(figures: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the figures of each system as a Markdown table."""
    heads = [head for head, _ in _COLUMNS]
    lines = [f"| system | {' | '.join(heads)} |", f"|---|{'---:|' * len(heads)}"]
    lines += [f"| {name} | {' | '.join(cell(found) for _, cell in _COLUMNS)} |" for name, found in figures.items()]
    return "\n".join(lines)


def across(figures: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the same with a column a system: the shape for a page, which is higher than wide."""
    lines = [f"| | {' | '.join(figures)} |", f"|---|{'---:|' * len(figures)}"]
    lines += [f"| {head} | {' | '.join(cell(found) for found in figures.values())} |" for head, cell in _COLUMNS]
    return "\n".join(lines)


def _share(chosen: np.ndarray) -> float:
    return float(chosen.mean()) if len(chosen) else float("nan")


def _kept(part: Mapping[str, Any]) -> str:
    return f"{part['accuracy_kept']:.1%} at {part['coverage']:.0%}"


_COLUMNS = (
    ("accuracy, test", lambda f: f"{f['test']['accuracy']:.1%}"),
    ("left-out sources, mean", lambda f: f"{f['left_out']['mean_recall']:.1%}"),
    ("worst left-out source", lambda f: f"{f['left_out']['worst']['recall']:.1%} ({f['left_out']['worst']['source']})"),
    ("novelty AUROC, test", lambda f: f"{f['test']['novelty_auroc']:.3f}"),
    ("novelty AUROC, left out", lambda f: f"{f['left_out']['novelty_auroc']:.3f}"),
    ("kept by its threshold, test", lambda f: _kept(f["test"])),
    ("kept, left out", lambda f: _kept(f["left_out"])),
    ("novel answered", lambda f: f"{f['test']['novel_answered']:.1%}"),
    ("p50 / p95 ms", lambda f: f"{f['ms']['p50']:.1f} / {f['ms']['p95']:.1f}"),
    ("batch, requests/s", lambda f: f"{f['batch_per_second']:.0f}"),
    ("start-up, s", lambda f: f"{f['start_seconds']:.1f}"),
    ("peak memory, MB", lambda f: f"{f['peak_mb']:.0f}"),
)
