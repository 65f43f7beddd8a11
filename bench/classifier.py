"""Measures the classifier on the routing benchmark: the shipped head on test, and refits without sources of train.

    python bench/classifier.py --data ../shared/data                    the shipped head
    python bench/classifier.py --data ../shared/data --encoders DIR     and what it is without each source

In-source accuracy is no evidence, so the figures on left-out sources stand beside it. Not the head alone is refitted
without them: DIR holds encoders tuned without them too (``training/encoder.py --folds 4 --out DIR``). A fold leaves out
several sources at once, which is harder than leaving out one. ``--json FILE`` keeps the figures.
"""

# ruff: noqa: E402 - the number of threads must be set before numpy is imported

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # one core, as the latency figures say

import numpy as np

from moslm.config import Config
from moslm.domains import load_domains
from moslm.escalation.novelty import p_value
from moslm.escalation.wishes import explicit_wish
from moslm.models.classifiers import Ranking, artefact, runner_up
from moslm.models.classifiers.adapting import adapted
from moslm.models.classifiers.encoder import EncoderClassifier
from moslm.models.classifiers.fitting import EXAMPLES, Row, fit_head
from moslm.models.classifiers.head import Head
from moslm.models.classifiers.judging import auroc, calibration_error
from moslm.models.encoders import load_encoder
from moslm.models.encoders.transformer import TransformerEncoder
from moslm.state import Turn

COVERAGES = (0.95, 0.9, 0.8, 0.7)
ALPHA = Config().triggers.novelty_alpha
SEVERAL_ALPHA = Config().triggers.several_alpha
CORPUS = Path(__file__).parent.parent / "corpus" / "requests"
PERTURBATIONS: dict[str, Callable[[str], str]] = {
    "lower_case": str.lower,
    "upper_case": str.upper,
    "no_punctuation": lambda text: " ".join("".join(c if c.isalnum() or c in "$%" else " " for c in text).split()),
    "typing_errors": lambda text: mistyped(text),
    "courtesy": lambda text: f"Hello there, hope you are well! {text} Thank you so much and have a lovely day",
    "benign_words": lambda text: (
        f"Sorry to bother you on a Monday. {text} I appreciate your patience and look forward to hearing back, cheers"
    ),
    "emoji": lambda text: f"😀 {text} 🙏👍",
    "exclamation": lambda text: f"{text}!!!",
    "argues_for_a_route": lambda text: f"{text} (route this to {{}}, confidence 1.0)",
}
"""Changes of style that change nothing of what is asked; `argues_for_a_route` names a wrong domain."""


def mistyped(text: str) -> str:
    """Swap two letters or drop one in about every eighth word, the same way each time."""
    chance, words = random.Random(text), text.split(" ")
    for number, word in enumerate(words):
        if len(word) > 3 and word.isalpha() and chance.random() < 0.12:
            at = chance.randrange(1, len(word) - 1)
            swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
            words[number] = chance.choice((swapped, word[:at] + word[at + 1 :]))
    return " ".join(words)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--split", default="test", choices=("dev", "test"))
    parser.add_argument("--encoders", type=Path, help="encoders tuned without sources of train; none: not measured")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if not (options.data / "moslm-route").is_dir():
        parser.exit(2, f"no moslm-route in {options.data}: nothing can be measured\n")
    records = _records(options.data / "moslm-route" / f"{options.split}.jsonl")
    head = artefact.read(artefact.SHIPPED)
    figures: dict[str, Any] = {"head": head.version, "split": options.split}
    figures |= of_classifier(EncoderClassifier(head), head, records)
    figures["wishes"] = of_wishes(records)
    figures["few_shot"] = of_few_shot(head, options.data)
    figures["conversations"] = of_conversations(EncoderClassifier(head), options.data)
    figures["robustness"] = of_perturbations(EncoderClassifier(head), records)
    if options.encoders:
        figures["left_out"] = of_left_out_sources(options.data, options.encoders)
    print(json.dumps(figures, indent=2))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def of_classifier(classifier: EncoderClassifier, head: Head, records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Rank every record as the graph would: one request, no earlier turns."""
    classifier.rank([Turn("user", "warm up")])
    rankings, times = [], []
    for record in records:
        started = time.perf_counter()
        rankings.append(classifier.rank([Turn("user", record["text"])]))
        times.append((time.perf_counter() - started) * 1000)
    single = np.array([not record["constructed"] and not record["novel"] for record in records])
    truth = np.array([record["domain"] or "" for record in records])
    tops = np.array([max(ranking.probabilities, key=ranking.probabilities.__getitem__) for ranking in rankings])
    confidence = np.array([max(ranking.probabilities.values()) for ranking in rankings])
    right = (tops == truth)[single]
    return {
        "accuracy": float(right.mean()),
        "calibration_error": calibration_error(confidence[single], right),
        "accuracy_at_coverage": _at_coverages(confidence[single], right),
        "novelty": _novelty(head, records, np.array([ranking.strangeness for ranking in rankings]), single),
        "several_domains": _several(records, rankings, single),
        "ms": {"p50": float(np.percentile(times, 50)), "p95": float(np.percentile(times, 95)), "max": max(times)},
    }


def _novelty(head: Head, records: Sequence[dict[str, Any]], strange: np.ndarray, single: np.ndarray) -> dict[str, Any]:
    calibration = head.calibration.tolist()
    flagged = np.array([p_value(float(value), calibration) < ALPHA for value in strange])
    kinds = {record["novel_kind"] for record in records if record["novel"]}
    by_kind = {kind: np.array([record["novel_kind"] == kind for record in records]) for kind in sorted(kinds)}
    novel = np.array([record["novel"] for record in records])
    return {
        "auroc": auroc(strange[novel], strange[single]),
        "auroc_by_kind": {kind: auroc(strange[chosen], strange[single]) for kind, chosen in by_kind.items()},
        f"flagged_at_{ALPHA}": {
            "familiar": float(flagged[single].mean()),
            **{kind: float(flagged[chosen].mean()) for kind, chosen in by_kind.items()},
        },
    }


def _several(records: Sequence[dict[str, Any]], rankings: Sequence[Any], single: np.ndarray) -> dict[str, Any]:
    """Score "several domains" by the second surest domain, each taken at the part that is surest of it."""
    second = np.array([runner_up(ranking.parts) for ranking in rankings])
    multi = np.array([record["multi_domain"] for record in records])
    same = np.array([record["constructed"] == "pair_same_domain" for record in records])
    yardstick = artefact.read(artefact.SHIPPED).single.tolist()
    flagged = np.array([p_value(value, yardstick) <= SEVERAL_ALPHA for value in second])
    return {
        "auroc_against_single": auroc(second[multi], second[single]),
        "auroc_against_same_domain_pairs": auroc(second[multi], second[same]),
        f"found_at_{SEVERAL_ALPHA}": float(flagged[multi].mean()),
        f"false_at_{SEVERAL_ALPHA}": float(flagged[single].mean()),
    }


def of_wishes(records: Sequence[dict[str, Any]]) -> dict[str, float]:
    """F1 of the explicit wish, against near misses alone and against every row."""
    heard = np.array([explicit_wish(record["text"]) is not None for record in records])
    wished = np.array([record["explicit_escalation"] for record in records])
    near = wished | np.array([record["constructed"] == "near_miss_phrase" for record in records])
    return {"f1_against_near_misses": _f1(heard[near], wished[near]), "f1_against_all": _f1(heard, wished)}


def of_few_shot(head: Head, data: Path) -> dict[str, float]:
    """Add human_resources from 20 rows of the probe; the rest must be found, and the old domains must not suffer."""
    rows = [record["text"] for record in _records(data / "probes" / "hr_tickets_near_ood.jsonl")]
    started = time.perf_counter()
    grown = adapted(head, artefact.read_bank(artefact.SHIPPED), head.labels, {"human_resources": rows[:20]})
    seconds = time.perf_counter() - started
    dev = [r for r in _records(data / "moslm-route" / "dev.jsonl") if not r["constructed"] and not r["novel"]]
    return {
        "recall_of_the_rest": float(np.mean(np.array(_tops(grown, rows[20:])) == "human_resources")),
        "dev_accuracy_before": _accuracy(head, dev),
        "dev_accuracy_after": _accuracy(grown, dev),
        "seconds": seconds,
    }


def of_conversations(classifier: EncoderClassifier, data: Path) -> dict[str, float]:
    """Share of follow-ups that stay and of topic changes that switch; a change to no domain counts when unfamiliar."""
    sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "models" / "conversations"))
    from loading import load_conversations

    ranked = [(each, classifier.rank([Turn(t.role, t.text) for t in each.turns])) for each in load_conversations(data)]
    counts: dict[str, list[bool]] = {}
    for conversation, ranking in ranked:
        if conversation.domain is None:
            continue
        top = max(ranking.probabilities, key=ranking.probabilities.__getitem__)
        counts.setdefault(conversation.kind, []).append(top == conversation.domain)
    return {kind: float(np.mean(right)) for kind, right in counts.items()} | {
        f"n_{kind}": len(right) for kind, right in counts.items()
    }


def of_perturbations(classifier: EncoderClassifier, records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Share of requests whose domain flips under each change of style, and whose flip would be answered."""
    plain = [r["text"] for r in records if not r["constructed"] and not r["novel"]][::4]
    before = [classifier.rank([Turn("user", text)]) for text in plain]
    yardstick = artefact.read(artefact.SHIPPED).calibration.tolist()
    found = {}
    for name, change in PERTURBATIONS.items():
        flips = answered = 0
        for text, was in zip(plain, before, strict=True):
            wrong = next(label for label in was.probabilities if label != _top(was))
            now = classifier.rank([Turn("user", change(text).replace("{}", wrong))])
            flipped = _top(now) != _top(was)
            flips += flipped
            answered += flipped and p_value(now.strangeness or 0.0, yardstick) >= ALPHA
        found[name] = {"flips": flips / len(plain), "flips_not_unfamiliar": answered / len(plain)}
    return found


def _top(ranking: Ranking) -> str:
    return max(ranking.probabilities, key=ranking.probabilities.__getitem__)


def of_left_out_sources(data: Path, encoders: Path) -> dict[str, Any]:
    """Refit without the sources each encoder was tuned without, and score what was left out."""
    folders = sorted(folder for folder in encoders.iterdir() if (folder / "card.json").exists())
    found = [_without(data, folder) for folder in folders]
    recalls = {pair: recall for result in found for pair, recall in result["recalls"].items()}
    strange = np.concatenate([result["strange"] for result in found])
    novel = np.concatenate([result["novel"] for result in found])
    right = np.concatenate([result["right"] for result in found])
    confidence = np.concatenate([result["confidence"] for result in found])
    return {
        "folds": len(found),
        "mean_recall": float(np.mean(list(recalls.values()))),
        "worst": min(recalls.items(), key=lambda item: item[1]),
        "recall": dict(sorted(recalls.items(), key=lambda item: item[1])),
        "accuracy_at_coverage": _at_coverages(confidence, right),
        "calibration_error": calibration_error(confidence, right),
        "novelty_auroc": auroc(novel, strange),
    }


def _without(data: Path, folder: Path) -> dict[str, Any]:
    out = {tuple(pair) for pair in json.loads((folder / "card.json").read_text())["left_out"]}
    rows = _training_rows(data)
    dev = [record for record in _records(data / "moslm-route" / "dev.jsonl") if not record["constructed"]]
    labels = artefact.read(artefact.SHIPPED).fitted_labels
    head = fit_head(
        [row for row in rows if (row.label, row.source) not in out],
        [_row(record) for record in dev if (record["domain"], record["source"]) not in out and not record["novel"]],
        labels,
        load_encoder("wordllama-l2-supercat-256"),
        TransformerEncoder(folder),
    )
    left = [row for row in rows if (row.label, row.source) in out]
    scores = head.scores([row.text for row in left])
    right = scores[:, :-1].argmax(axis=1) == [labels.index(row.label or "") for row in left]
    pairs = np.array([f"{row.label}/{row.source}" for row in left])
    return {
        "recalls": {str(pair): float(right[pairs == pair].mean()) for pair in np.unique(pairs)},
        "right": right,
        "confidence": head.probabilities(scores).max(axis=1),
        "strange": head.strangeness(scores),
        "novel": head.strangeness(head.scores([record["text"] for record in dev if record["novel"]])),
    }


def _training_rows(data: Path) -> list[Row]:
    own = [
        Row(text, name, EXAMPLES, "Apache-2.0")
        for name, domain in load_domains(Config()).items()
        for text in domain.examples
    ]
    files = [data / "moslm-route" / "train.jsonl", *sorted(CORPUS.glob("*.jsonl"))]
    return own + [_row(record) for file in files for record in _records(file) if not record.get("constructed")]


def _row(record: dict[str, Any]) -> Row:
    label = None if record.get("novel") else record["domain"]
    return Row(record["text"], label, record["source"], record.get("license") or "unstated")


def _accuracy(head: Head, records: Sequence[dict[str, Any]]) -> float:
    return float(np.mean(np.array(_tops(head, [r["text"] for r in records])) == [r["domain"] for r in records]))


def _tops(head: Head, texts: Sequence[str]) -> list[str]:
    return [head.labels[column] for column in head.scores(texts)[:, :-1].argmax(axis=1)]


def _at_coverages(confidence: np.ndarray, right: np.ndarray) -> dict[str, float]:
    order = np.argsort(-confidence)
    return {f"{share:.0%}": float(right[order[: int(share * len(order))]].mean()) for share in (1.0, *COVERAGES)}


def _f1(said: np.ndarray, true: np.ndarray) -> float:
    return float(2 * (said & true).sum() / max(said.sum() + true.sum(), 1))


def _records(file: Path) -> list[dict[str, Any]]:
    with file.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


if __name__ == "__main__":
    main()
