"""Does the promise hold? 1,000 resplits of every table of what weak and strong models really got right.

``python bench/guarantee.py [--json FILE]``. Probabilities are computed once, out of fold; then, a thousand times, the
groups are halved, a threshold is chosen on one half and the share of wrong answers it keeps is counted on the other.
At most delta of the resplits may exceed the stated risk. Beside it stands what choosing the threshold by eye gives: the
lowest one that keeps the risk on the first half. RouteLLM's own figures on its two tables follow.

Reads ../shared/data, which is no part of the project; needs the extra ``calibrate``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from moslm.escalation.calibration.guarantee import certify
from moslm.escalation.calibration.judging import equal_mass_error
from moslm.escalation.calibration.outcomes.reporting import Task, report
from moslm.escalation.calibration.outcomes.table import read_outcomes
from moslm.escalation.calibration.routing import routed
from moslm.evals.frontiers.from_text import from_text
from moslm.models.classifiers.judging import auroc

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
RISKS = (0.05, 0.1, 0.2, 0.3)
DELTA = 0.1

Array = NDArray[np.float64]
Right = NDArray[np.bool_]


@dataclass(frozen=True)
class Table:
    """One table with out-of-fold probabilities of the weak and the strong model being right."""

    name: str
    about: str
    weak: Right
    strong: Right
    accuracies: dict[str, float]
    domains: list[str]
    groups: list[str]
    probability: Array
    strong_probability: Array


def rows_of(name: str) -> list[dict[str, Any]]:
    text = (DATA / "cascade" / f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.split("\n") if line.strip()]


def text_table(name: str, about: str, rows: list[dict[str, Any]], domain: str, pick: Callable[..., Any]) -> Table:
    picked = [pick(row) for row in rows]
    weak, strong = (np.array([each[i] for each in picked], dtype=bool) for i in (0, 1))
    texts = [row["question"] for row in rows]
    domains = [str(row.get(domain, "")) for row in rows]
    # equal questions stay together; these tables name no groups
    groups = [hashlib.sha256(text.encode()).hexdigest()[:16] for text in texts]
    names = dict(zip(("weak", "strong"), (float(weak.mean()), float(strong.mean())), strict=True))
    said = [from_text(texts, domains, groups, right) for right in (weak, strong)]
    return Table(name, about, weak, strong, names, domains, groups, said[0], said[1])


def routellm(name: str) -> Table:
    rows = [row for row in rows_of(name) if not row.get("contaminated")]
    about = f"{rows[0]['weak_model']} / {rows[0]['strong_model']}"
    return text_table(name, about, rows, "subject", lambda row: (row["weak_correct"], row["strong_correct"]))


def gpt3() -> Table:
    name = "gsm8k_gpt3_6b_vs_175b"
    return text_table(
        name,
        "6B / 175B, with verification",
        rows_of(name),
        "none",
        lambda row: (row["6b_verification"], row["175b_verification"]),
    )


def nine_models() -> Table:
    name, weak, strong = "llmrouter_9models", "gemma-2-9b-it", "llama-3.3-nemotron-super-49b-v1"
    rows = [row for row in rows_of(name) if weak in row["scores"] and strong in row["scores"]]
    table = text_table(
        name,
        f"{weak} / {strong}, right from a score of 0.5",
        rows,
        "none",
        lambda row: (row["scores"][weak] >= 0.5, row["scores"][strong] >= 0.5),
    )
    means = {model: float(np.mean([row["scores"].get(model, 0) >= 0.5 for row in rows])) for model in rows[0]["scores"]}
    return Table(**{**vars(table), "accuracies": means})


def arena() -> Table:
    rows = rows_of("routerarena_sub10")
    weak, strong = sorted(rows[0]["models"], key=lambda model: np.mean([r["models"][model]["score"] for r in rows]))
    return text_table(
        "routerarena_sub10",
        f"{weak} / {strong}, right from a score of 0.5",
        rows,
        "category",
        lambda row: (row["models"][weak]["score"] >= 0.5, row["models"][strong]["score"] >= 0.5),
    )


def mmlu_pro() -> Table:
    outcomes = read_outcomes(DATA / "mmlu_pro_models")
    small = ("Meta-Llama-3_1-8B-Instruct", "Phi-3-mini-4k-instruct")
    large = "Meta-Llama-3_1-70B-Instruct"
    found = report(outcomes, None, Task(small, large, 0.05, DELTA), lambda: None)
    return Table(
        "mmlu_pro_models",
        f"{small[0]} with {small[1]} / {large}",
        found.right,
        outcomes.right[:, outcomes.column(large)],
        dict(zip(outcomes.models, outcomes.right.mean(axis=0).tolist(), strict=True)),
        [question.category for question in outcomes.questions],
        [question.group for question in outcomes.questions],
        found.probabilities,
        found.need + found.probabilities,
    )


TABLES: tuple[Callable[[], Table], ...] = (
    lambda: routellm("routellm_mmlu"),
    lambda: routellm("routellm_gsm8k"),
    gpt3,
    nine_models,
    arena,
    mmlu_pro,
)


def halves(codes: NDArray[np.int64], random: np.random.Generator) -> NDArray[np.bool_]:
    count = int(codes.max()) + 1
    return np.asarray((random.permutation(count) < count // 2)[codes])


def by_eye(probability: Array, right: Right, risk: float) -> float | None:
    order = np.argsort(-probability, kind="stable")
    shares = np.cumsum(~right[order]) / np.arange(1, len(order) + 1)
    fine = np.flatnonzero(shares <= risk)
    return float(probability[order[fine[-1]]]) if len(fine) else None


@dataclass
class Tally:
    """What the resplits of one table at one risk gave."""

    resplits: int = 0
    certified: int = 0
    exceeded: int = 0
    by_eye_exceeded: int = 0
    coverage: float = 0.0
    risk_found: float = 0.0

    def add(self, table: Table, first: Right, codes: NDArray[np.int64], risk: float) -> None:
        """Count one resplit."""
        self.resplits += 1
        second = ~first
        chosen = certify(
            table.probability[first], table.weak[first], risk, DELTA, groups=codes[first], offer=False
        ).threshold
        if chosen is not None:
            kept = second & (table.probability >= chosen)
            found = float((~table.weak[kept]).mean()) if kept.any() else 0.0
            self.certified += 1
            self.exceeded += found > risk
            self.coverage += float(kept.sum() / second.sum())
            self.risk_found += found
        seen = by_eye(table.probability[first], table.weak[first], risk)
        if seen is not None:
            kept = second & (table.probability >= seen)
            self.by_eye_exceeded += bool(kept.any() and (~table.weak[kept]).mean() > risk)

    def shown(self) -> dict[str, Any]:
        """Return shares and means; coverage and risk over the resplits in which the promise was feasible."""
        return {
            "resplits": self.resplits,
            "feasible": self.certified / self.resplits,
            "exceeded": self.exceeded / self.resplits,
            "coverage_where_feasible": self.coverage / self.certified if self.certified else None,
            "risk_found": self.risk_found / self.certified if self.certified else None,
            "by_eye_exceeded": self.by_eye_exceeded / self.resplits,
        }


def resplit(table: Table, count: int) -> dict[str, Any]:
    random = np.random.default_rng(20261123)
    tallies, codes = {risk: Tally() for risk in RISKS}, np.unique(np.array(table.groups), return_inverse=True)[1]
    for _ in tqdm(range(count), desc=table.name, leave=False, disable=None):
        first = halves(codes, random)
        for risk, tally in tallies.items():
            tally.add(table, first, codes, risk)
    return {str(risk): tally.shown() for risk, tally in tallies.items()}


def resplit_domains(table: Table, risk: float, count: int) -> dict[str, Any]:
    """Promise the risk to every domain at once; a resplit counts as exceeded when any one domain exceeds it."""
    random, labels = np.random.default_rng(20261123), np.array(table.domains)
    codes = np.unique(np.array(table.groups), return_inverse=True)[1]
    names, exceeded, kept_share, served = sorted(set(table.domains)), 0, 0.0, 0
    for _ in tqdm(range(count), desc=f"{table.name}, each domain", leave=False, disable=None):
        first = halves(codes, random)
        parts = {name: first & (labels == name) for name in names}
        level = DELTA / len(names)  # what `guarantee` does, without looking for what would be feasible
        found = {
            n: certify(table.probability[p], table.weak[p], risk, level, groups=codes[p], offer=False)
            for n, p in parts.items()
        }
        any_over, kept_all = False, 0
        for name in names:
            threshold = found[name].threshold
            if threshold is None:
                continue
            kept = ~first & (labels == name) & (table.probability >= threshold)
            served, kept_all = served + 1, kept_all + int(kept.sum())
            any_over |= bool(kept.any() and (~table.weak[kept]).mean() > risk)
        exceeded, kept_share = exceeded + any_over, kept_share + kept_all / int((~first).sum())
    return {
        "domains": len(names),
        "risk": risk,
        "exceeded_in_any": exceeded / count,
        "domains_feasible": served / count,
        "coverage": kept_share / count,
    }


def measured(table: Table, count: int) -> dict[str, Any]:
    random = np.random.default_rng(1).random(len(table.weak))
    best = max(table.accuracies, key=lambda name: table.accuracies[name])
    return {
        "models": table.about,
        "questions": len(table.weak),
        "auroc": auroc(table.probability[table.weak], table.probability[~table.weak]),
        "ece": equal_mass_error(table.probability, table.weak),
        "best_single": {"model": best, "accuracy": table.accuracies[best]},
        "routing": asdict(routed(table.strong_probability - table.probability, table.weak, table.strong)),
        "random": asdict(routed(random, table.weak, table.strong)),
        "promise": resplit(table, count),
    }


def shown(results: dict[str, Any]) -> str:
    lines = [f"{'table':<24}{'risk':>6}{'feasible':>10}{'exceeded':>10}{'coverage':>10}{'by eye':>8}"]
    for name, found in results.items():
        for risk, each in found["promise"].items():
            coverage = each["coverage_where_feasible"]
            kept = "-" if coverage is None else f"{coverage:.1%}"
            lines.append(
                f"{name:<24}{float(risk):>6.0%}{each['feasible']:>10.1%}{each['exceeded']:>10.1%}{kept:>10}"
                f"{each['by_eye_exceeded']:>8.1%}"
            )
    lines += [
        "",
        f"{'table':<24}{'weak':>7}{'strong':>8}{'best':>7}{'AUROC':>7}{'ECE':>7}{'APGR':>7}{'CPT50':>7}{'CPT80':>7}",
    ]
    for name, found in results.items():
        for router in ("routing", "random"):
            each = found[router]
            head = f"{name if router == 'routing' else '  random':<24}{each['weak']:>7.3f}{each['strong']:>8.3f}"
            own = f"{found['auroc']:>7.3f}{found['ece']:>7.3f}" if router == "routing" else " " * 14
            lines.append(
                f"{head}{found['best_single']['accuracy']:>7.3f}{own}"
                f"{each['apgr']:>7.3f}{each['cpt50']:>7.1%}{each['cpt80']:>7.1%}"
            )
    domains = results.get("mmlu_pro_models", {}).get("each_domain")
    if domains:
        lines += ["", f"mmlu_pro_models, every domain at once: {json.dumps(domains)}"]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there")
    parser.add_argument("--resplits", type=int, default=1000)
    options = parser.parse_args()
    if not DATA.is_dir():
        print("the public data sets are not beside this checkout")
        return 1
    results = {}
    for make in TABLES:
        table = make()
        results[table.name] = measured(table, options.resplits)
        if table.name == "mmlu_pro_models":
            results[table.name]["each_domain"] = resplit_domains(table, 0.2, options.resplits)
        print(shown({table.name: results[table.name]}), "\n", flush=True)
    print(shown(results))
    if options.json:
        options.json.write_text(json.dumps({"delta": DELTA, "tables": results}, indent=2) + "\n", encoding="utf-8")
    exceeded = [each["exceeded"] for found in results.values() for each in found["promise"].values()]
    return 0 if max(exceeded) <= DELTA else 1


if __name__ == "__main__":
    raise SystemExit(main())
