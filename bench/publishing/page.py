"""From the kept JSON to docs/results.md and the README's part; measures nothing and types no figure by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from publishing.elsewhere import end_to_end, ownership
from publishing.tables import figure, markdown

BEGIN, END = "<!-- bench/results.py writes from here -->", "<!-- bench/results.py wrote up to here -->"

_COLUMNS = {
    "saved at 95 %": "saved_95",
    "saved at 99 %": "saved_99",
    "escalated for 95 %": "escalated_95",
    "for 99 %": "escalated_99",
    "for parity": "escalated_parity",
    "APGR": "apgr",
    "CPT(50 %)": "cpt_50",
    "CPT(80 %)": "cpt_80",
    "AIQ": "aiq",
}
_MISSING = {
    "ownership": "`moslm cost --json > docs/results/ownership.json`",
    "end_to_end": "`moslm eval --json > docs/results/end_to_end.json`",
}


def put(file: Path, text: str) -> None:
    """Replace what stands between the marks of a file.

    Raises:
        SystemExit: The file does not have both marks once each, in this order.
    """
    page = file.read_text(encoding="utf-8")
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in after or END in after:
        raise SystemExit(f"{file} needs one line {BEGIN} and below it one line {END}")
    file.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")


def results(found: Mapping[str, Any], owned: Any | None, run: Any | None) -> str:
    """Return the whole page between its marks."""
    parts = [
        "## 1. Cost and quality on recorded tables",
        "![Cost-quality frontiers](results/frontiers.svg)",
        *(_table(name, each, found["by_local_price"].get(name)) for name, each in found["frontiers"].items()),
        "## 2. The reference design's own case, and what it leaves out",
        _said(owned, "ownership"),
        "### What must be escalated for the large model's quality",
        _parity(found["frontiers"]),
        "## 3. End to end on the embedded model and the sample company",
        _said(run, "end_to_end"),
    ]
    return "\n\n".join(parts)


def summary(found: Mapping[str, Any]) -> str:
    """Return the README's table, and where escalating does not pay."""
    head = [
        "table, large model",
        "system",
        "kept local alone",
        "saved at 95 %",
        "escalated for 95 %",
        "for parity",
        "APGR",
    ]
    rows, never = [], []
    for name, each in found["frontiers"].items():
        if name in _ASIDE:
            continue
        for system in each["systems"]:
            if system["system"] not in ("oracle", "probability alone"):
                figures = [system["figures"][key] for key in ("saved_95", "escalated_95", "escalated_parity", "apgr")]
                cells = [figure(figures[0]), *(figure({**each, "low": None}) for each in figures[1:])]
                alone = f"{system['curve'][0]['quality']:.1%}"
                rows.append([f"{name.split(',')[0]}, {each['large']}", system["system"], alone, *cells])
        if said := _dominates(each):
            never.append(f"On {name.split(',')[0]}: {said}")
    return "\n\n".join([markdown(head, rows), *_owned(found), *never])


def _owned(found: Mapping[str, Any]) -> Iterator[str]:
    """Say what is saved where a small model costs less than hosts ask for one."""
    for name, rows in found["by_local_price"].items():
        if name in _ASIDE:
            continue
        cheap = [row for row in rows if row["local_usd_per_million"] == _BUSY]
        said = ", ".join(f"{row['system']} {figure(row['saved_95'])}" for row in cheap)
        yield (
            f"A small model costs what hosts ask for one. At ${_BUSY:g} a million tokens, as on a busy machine of one's"
            f" own, saved at 95 % on {name}: {said}."
        )


_BUSY = 0.05
_ASIDE = ("gsm8k_gpt3_6b_vs_175b", "routerarena_sub10", "mmlu_pro_models, gemini-1.5-pro-002")
"""Tables that only docs/results.md shows."""


def _large(each: Mapping[str, Any]) -> float:
    return float(next(model["quality"]["value"] for model in each["models"] if model["model"] == each["large"]))


def _table(name: str, each: Mapping[str, Any], by_price: list[dict[str, Any]] | None) -> str:
    best = next(model for model in each["models"] if model["model"] == each["best_single"])
    dear = next(model for model in each["models"] if model["model"] == each["large"])
    parts = [
        f"### {name}",
        f"{each['cases']:,} cases in {each['groups']:,} groups; escalated to {each['large']}"
        f" ({dear['quality']['value']:.1%}{_money(dear)}). Best single model: {best['model']}"
        f" ({best['quality']['value']:.1%}{_money(best)}). Cost in {each['unit']}.",
        markdown(
            ["system", "kept local alone", *_COLUMNS],
            [
                [
                    s["system"],
                    f"{s['curve'][0]['quality']:.1%}",
                    *(figure(s["figures"][key]) for key in _COLUMNS.values()),
                ]
                for s in each["systems"]
            ],
        ),
        "\n".join(f"- **{s['system']}**: {s['about']}.{_held_out(s)}" for s in each["systems"]),
        "Single models: "
        + "; ".join(
            f"{m['model']} {m['quality']['value']:.1%}{_money(m)}"
            for m in sorted(each["models"], key=lambda m: -m["quality"]["value"])
        )
        + ".",
    ]
    if cheaper := _dominates(each):
        parts.append(cheaper)
    if all(dear["cost"] < s["curve"][0]["cost"] for s in each["systems"] if dear["cost"] is not None) and dear["cost"]:
        parts.append("**The large model is the cheaper one here: send it everything.** There is nothing to save.")
    if by_price:
        parts.append(_sensitivity(by_price))
    if each["notes"]:
        parts.append("\n".join(f"- {note}" for note in each["notes"]))
    return "\n\n".join(parts)


def _money(model: Mapping[str, Any]) -> str:
    return "" if model["cost"] is None else f", ${model['cost']:.3g}"


def _held_out(system: Mapping[str, Any]) -> str:
    kept, saved = (system["figures"][key]["value"] for key in ("held_out_95", "held_out_saved_95"))
    if kept is None or saved is None:
        return ""
    return (
        f" With the threshold for 95 % chosen on one half of the groups, the other half had {kept:.1%} of the large"
        f" model's quality and saved {saved:.1%}."
    )


def _dominates(each: Mapping[str, Any]) -> str:
    """Say which single model is cheaper than the cheapest way of MoSLM to its quality, where one is."""
    systems = [s for s in each["systems"] if s["system"].startswith("moslm")]
    said = []
    for model in each["models"]:
        if model["cost"] is None:
            continue
        quality = model["quality"]["value"]
        costs = [p["cost"] for s in systems for p in s["curve"] if p["quality"] >= quality]
        if not model["is_small"] and model["model"] != each["large"] and (not costs or min(costs) > model["cost"]):
            said.append(f"{model['model']} ({quality:.1%} for ${model['cost']:.3g})")
    if not said:
        return ""
    return (
        f"**Alone, and at list prices, {' and '.join(said)} cost less than any way shown here to the same quality.**"
        " Who may send every request to such a host saves more by that than by any cascade."
    )


def _sensitivity(rows: list[dict[str, Any]]) -> str:
    table = [
        [f"${row['local_usd_per_million']:g}", row["system"], figure(row["saved_95"]), figure(row["saved_99"])]
        for row in rows
    ]
    return "By the price of a million tokens of a small model:\n\n" + markdown(
        ["small model", "system", "saved at 95 %", "saved at 99 %"], table
    )


def _parity(frontiers: Mapping[str, Any]) -> str:
    rows = []
    for name, each in frontiers.items():
        systems = {s["system"]: s["figures"] for s in each["systems"]}
        ours = systems.get("moslm, several small models", systems["moslm"])
        keys = ("escalated_95", "escalated_99", "escalated_parity")
        rows.append([name, *(figure(ours[key]) for key in keys), figure(systems["oracle"]["escalated_parity"])])
    table = markdown(["table", "for 95 %", "for 99 %", "for parity", "for parity, knowing who is right"], rows)
    over = [row[0] for row, each in zip(rows, frontiers.values(), strict=True) if _over_a_fifth(each)]
    said = (
        f"The reference design escalates 20 %. For the large model's quality that is not enough on {len(over)} of"
        f" {len(rows)} tables. These are hard knowledge and reasoning questions; a company's requests may be easier."
        " Measure it on your own (docs/guides/calibrating.md) before you plan with 20 %."
    )
    return f"{said}\n\n{table}"


def _over_a_fifth(each: Mapping[str, Any]) -> bool:
    systems = {s["system"]: s["figures"] for s in each["systems"]}
    found = systems.get("moslm, several small models", systems["moslm"])["escalated_parity"]["value"]
    return found is None or found > 0.2


def _said(document: Any | None, name: str) -> str:
    if document is None:
        return f"Not in this run: write it by {_MISSING[name]} and run `make results` again."
    return ownership(document) if name == "ownership" else end_to_end(document)
