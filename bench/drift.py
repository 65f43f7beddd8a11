"""Is drift called where there is none, and how soon where there is? Streams of what models really answered.

``python bench/drift.py [--json FILE]``. Llama-3.1-8B on MMLU-Pro; signals are how long its output is, how long the
question, and whether Phi-3-mini chose the same option. 300 answers are calibrated on and up to 1,000 others served, one
after the other, with the product's own watch. First from the same categories in any order, which must not alarm more
often than alpha says; then from one category of which no answer was calibrated on, alone or as half of the requests.
Beside each category stands the calibration error there: drift matters where it is large.

Reads ../shared/data, which is no part of the project.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from moslm.escalation.calibration.artefact import Calibration
from moslm.escalation.calibration.fitting import fit_calibration
from moslm.escalation.calibration.judging import equal_mass_error
from moslm.escalation.calibration.labelled import LabelledAnswer
from moslm.escalation.calibration.outcomes.table import read_outcomes
from moslm.escalation.watching import Watch
from moslm.tails import binomial_tail

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SMALL, OTHER = "Meta-Llama-3_1-8B-Instruct", "Phi-3-mini-4k-instruct"
SIGNALS = ("output_chars", "question_chars", "same_option")
ALPHAS = (0.01, 0.1)
LABELLED, SERVED = 300, 1000

Rows = NDArray[np.int64]


def answers() -> list[LabelledAnswer]:
    found = read_outcomes(DATA / "mmlu_pro_models")
    small, other = found.column(SMALL), found.column(OTHER)
    rows = []
    for i, question in enumerate(found.questions):
        signals = {
            "output_chars": float(np.log1p(found.lengths[i, small])),
            "question_chars": float(np.log1p(len(question.text))),
            "same_option": float(found.chosen[i, small] == found.chosen[i, other]),
        }
        rows.append(LabelledAnswer("mmlu", question.group, signals, bool(found.right[i, small])))
    return rows


def calibrated(rows: Sequence[LabelledAnswer]) -> Calibration:
    """Fit on one half of the rows and judge the other, as ``moslm calibrate --questions`` does."""
    groups = sorted({row.group for row in rows})
    first = set(groups[::2])
    halves = ([r for r in rows if r.group in first], [r for r in rows if r.group not in first])
    options = {"signals": SIGNALS, "model": SMALL, "revision": "", "created": date(2026, 11, 24)}
    return fit_calibration(halves[0], held_out=halves[1], **options)


def drawn(pool: Rows, groups: Sequence[str], count: int, random: np.random.Generator) -> tuple[Rows, Rows]:
    """Return rows to label, whole groups of them, and the others in any order."""
    dealt = random.permutation(sorted({groups[i] for i in pool.tolist()}))
    place = {group: at for at, group in enumerate(dealt.tolist())}
    ordered = sorted(pool.tolist(), key=lambda i: place[groups[i]])
    last = groups[ordered[count - 1]]
    chosen = [i for i in ordered if place[groups[i]] <= place[last]]
    return np.array(chosen), random.permutation(ordered[len(chosen) :])


def served(calibration: Calibration, stream: Iterable[LabelledAnswer], alpha: float) -> int | None:
    """Return after how many drafts the watch alarms; None if it never does."""
    watch = Watch(calibration, "mmlu", alpha, settle_s=0)
    for count, row in enumerate(stream, 1):
        watch.notice(row.signals)
        if watch.alarm is not None:
            return count
    return None


def false_alarms(rows: Sequence[LabelledAnswer], streams: int) -> dict[str, float]:
    random, groups = np.random.default_rng(0), [row.group for row in rows]
    alarms = dict.fromkeys(ALPHAS, 0)
    for _ in tqdm(range(streams), desc="without drift", leave=False, disable=None):
        own, others = drawn(np.arange(len(rows)), groups, LABELLED, random)
        made = calibrated([rows[i] for i in own.tolist()])
        stream = [rows[i] for i in others[:SERVED].tolist()]
        for alpha in ALPHAS:
            alarms[alpha] += served(made, stream, alpha) is not None
    return {str(alpha): count / streams for alpha, count in alarms.items()}


def delays(rows: Sequence[LabelledAnswer], categories: NDArray[Any], streams: int) -> dict[str, dict[str, Any]]:
    random, groups = np.random.default_rng(1), [row.group for row in rows]
    found = {}
    for category in tqdm(sorted(set(categories.tolist())), desc="left out", leave=False, disable=None):
        inside, outside = np.flatnonzero(categories == category), np.flatnonzero(categories != category)
        counts: dict[str, list[int | None]] = {"alone": [], "half": []}
        errors = []
        for _ in range(streams):
            own, others = drawn(outside, groups, LABELLED, random)
            made = calibrated([rows[i] for i in own.tolist()])
            new = random.permutation(inside)
            mixed = [int(i) for pair in zip(new, others, strict=False) for i in pair]
            for name, stream in (("alone", new.tolist()), ("half", mixed)):
                counts[name].append(served(made, [rows[i] for i in stream[:SERVED]], ALPHAS[0]))
            said = np.array([made.probability("mmlu", rows[i].signals) or 0.0 for i in inside])
            errors.append(equal_mass_error(said, np.array([rows[i].right for i in inside])))
        found[category] = {"questions": len(inside), "ece": float(np.mean(errors))} | {
            name: summary(each) for name, each in counts.items()
        }
    return found


def summary(counts: Sequence[int | None]) -> dict[str, Any]:
    alarms = [count for count in counts if count is not None]
    return {"found": len(alarms) / len(counts), "median_drafts": float(np.median(alarms)) if alarms else None}


def shown(results: dict[str, Any]) -> str:
    lines = [f"without drift, {results['streams']} streams of {SERVED} drafts:"]
    lines += [f"  alpha {alpha}: {share:.1%} alarmed" for alpha, share in results["false_alarms"].items()]
    lines += ["", f"{'left out, alpha ' + str(ALPHAS[0]):<20}{'ECE':>7}{'alone':>8}{'after':>7}{'half':>8}{'after':>7}"]
    for name, each in sorted(results["left_out"].items(), key=lambda item: -item[1]["ece"]):
        cells = ""
        for way in ("alone", "half"):
            after = each[way]["median_drafts"]
            cells += f"{each[way]['found']:>8.0%}{'-' if after is None else format(after, '.0f'):>7}"
        lines.append(f"{name:<20}{each['ece']:>7.3f}{cells}")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there")
    parser.add_argument("--streams", type=int, default=500, help="streams without drift (500)")
    parser.add_argument("--left-out-streams", type=int, default=20, help="streams a left-out category (20)")
    options = parser.parse_args()
    if not DATA.is_dir():
        print("the public data sets are not beside this checkout")
        return 1
    logging.getLogger("moslm.escalation").setLevel(logging.ERROR)  # alarms are counted here, not announced
    rows = answers()
    categories = np.array([question.category for question in read_outcomes(DATA / "mmlu_pro_models").questions])
    results: dict[str, Any] = {
        "streams": options.streams,
        "false_alarms": false_alarms(rows, options.streams),
        "left_out": delays(rows, categories, options.left_out_streams),
    }
    print(shown(results))
    alarms = results["false_alarms"]
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    return 0 if all(explained(share, float(alpha), options.streams) for alpha, share in alarms.items()) else 1


def explained(share: float, alpha: float, streams: int) -> bool:
    """Tell whether chance explains so many false alarms: a rate of alpha shows at least as many once in a thousand."""
    count = round(share * streams)
    return count == 0 or 1 - binomial_tail(count - 1, streams, alpha) > 0.001


if __name__ == "__main__":
    raise SystemExit(main())
