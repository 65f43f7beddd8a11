"""How ``moslm eval`` shows a run: every figure with its interval and its n, what could not be read, and the gate."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from moslm.cli.style import Style, safe, style_for
from moslm.cli.table import columns, paragraphs
from moslm.evals.figures import Figure
from moslm.evals.gate import Gate, Held, held_against
from moslm.evals.graders.agreement import JUDGED, Agreement, agreement
from moslm.evals.metrics import Metric, figures
from moslm.evals.outcomes import Outcome
from moslm.evals.running.folder import Read
from moslm.governance.wording import counted, dollars, milliseconds

_NAMED = 5
"""Cases of a kind that are named."""


def notice(text: str) -> None:
    """Say what was amiss and did no harm, beside the figures."""
    print(safe(text), file=sys.stderr)


def shown(read: Read, out: Path, metrics: Mapping[str, Metric], gate: Gate | None, *, as_json: bool) -> int:
    """Print a run and return the exit code: 1 where a target of the gate is missed."""
    held = held_against(gate, read.outcomes, metrics) if gate else []
    if as_json:
        print(json.dumps(document(read, out, metrics, gate, held), indent=2, ensure_ascii=False, allow_nan=False))
    else:
        print(_text(read, out, metrics, gate, held, style_for()))
    return 1 if any(each.missed for each in held) else 0


def document(
    read: Read, out: Path, metrics: Mapping[str, Metric], gate: Gate | None, held: Sequence[Held]
) -> dict[str, Any]:
    """Return a run as plain JSON: figures by system, of all suites together (``all``) and of each."""
    told: dict[str, Any] = {
        "run": str(out),
        "finished": read.finished,
        "notice": read.notice,
        "manifest": read.manifest.model_dump(mode="json"),
        "figures": {},
    }
    for system, theirs in by(read.outcomes, "system").items():
        parts = {"all": theirs, **by(theirs, "suite")}
        told["figures"][system] = {
            name: {metric: figure.model_dump(mode="json") for metric, figure in figures(part, metrics).items()}
            for name, part in parts.items()
        }
    told["endings"] = {
        system: dict(Counter(each.ending for each in theirs)) for system, theirs in by(read.outcomes, "system").items()
    }
    if _was_judged(read.outcomes):
        found = agreement(read.outcomes)
        told["judge"] = {
            "kappa": found.kappa.model_dump(mode="json"),
            "bias": found.bias.model_dump(mode="json"),
            "is_enough": found.is_enough,
            "verdict": found.verdict,
        }
    told["graded_usd"] = sum(each.graded_usd for each in read.outcomes)
    if gate:
        told["gate"] = {
            "name": gate.name,
            "reached": not any(each.missed for each in held),
            "targets": [
                {
                    **each.target.model_dump(mode="json", exclude_none=True),
                    "figure": each.figure.model_dump(mode="json"),
                    "missed": each.missed,
                }
                for each in held
            ],
        }
    return told


def by(outcomes: Sequence[Outcome], field: str) -> dict[str, list[Outcome]]:
    """Return outcomes by one of their fields, in the order in which it first appears."""
    found: dict[str, list[Outcome]] = {}
    for each in outcomes:
        found.setdefault(getattr(each, field), []).append(each)
    return found


def value_of(figure: Figure) -> str:
    """Write a figure's value in its unit."""
    return "-" if figure.value is None else _in_unit(figure.value, figure.unit)


def interval_of(figure: Figure) -> str:
    """Write a figure's interval in its unit."""
    if figure.low is None and figure.high is None:
        return "-"
    bounds = ["?" if each is None else _in_unit(each, figure.unit) for each in (figure.low, figure.high)]
    return " to ".join(bounds)


def _in_unit(value: float, unit: str) -> str:
    if unit == "share":
        return f"{value:.1%}"
    written = {"ms": milliseconds, "usd": dollars}.get(unit)
    return written(value) if written else f"{value:.3f}"


def _text(
    read: Read, out: Path, metrics: Mapping[str, Metric], gate: Gate | None, held: Sequence[Held], style: Style
) -> str:
    parts = [_head(read)]
    for system, theirs in by(read.outcomes, "system").items():
        parts += [style.bold(f"{system}: {_endings(theirs)}"), _figures(theirs, metrics, style)]
        parts += [_suites(theirs, style), _amiss(theirs)]
    if _was_judged(read.outcomes):
        parts.append(_judge(agreement(read.outcomes), read, style))
    if read.notice:
        parts.append(paragraphs(read.notice))
    parts.append(f"kept in {out}; moslm eval show {out} shows it again")
    if gate:
        parts.append(_gate(gate, held, style))
    return "\n\n".join(each for each in parts if each)


def _head(read: Read) -> str:
    told = read.manifest
    suites = ", ".join(f"{name} ({each.cases} of {each.of})" for name, each in told.suites.items())
    state = "" if read.finished else "; not finished"
    return paragraphs(f"{counted(len(read.outcomes), 'outcome')} of {suites}; seed {told.seed}{state}")


def _endings(outcomes: Sequence[Outcome]) -> str:
    return ", ".join(f"{count} {ending}" for ending, count in Counter(each.ending for each in outcomes).most_common())


def _figures(outcomes: Sequence[Outcome], metrics: Mapping[str, Metric], style: Style) -> str:
    rows = [
        [name, value_of(figure), interval_of(figure), str(figure.n), figure.why]
        for name, figure in figures(outcomes, metrics).items()
    ]
    return columns(["metric", "value", "95 %", "n", "note"], rows, style, right="value 95 % n")


def _suites(outcomes: Sequence[Outcome], style: Style) -> str:
    """Show how many were right, by suite and task."""
    rows = []
    for suite, theirs in by(outcomes, "suite").items():
        tasks: dict[str, list[Outcome]] = {}
        for each in theirs:
            tasks.setdefault(each.tags.get("task") or "-", []).append(each)
        for task, found in tasks.items():
            ends = Counter(each.ending for each in found)
            rest = sum(ends.values()) - sum(ends[end] for end in ("right", "partly", "wrong", "declined"))
            shown = [str(ends[end]) for end in ("right", "partly", "wrong", "declined")]
            rows.append([suite, task[:28], *shown, str(rest), str(len(found))])
    heads = ["suite", "task", "right", "partly", "wrong", "declined", "other", "n"]
    return columns(heads, rows, style, right=" ".join(heads[2:]))


def _amiss(outcomes: Sequence[Outcome]) -> str:
    """Name what could not be read and what got no answer."""
    lines = []
    for ending, told in (("unparsed", "could not be read"), ("failed", "no answer"), ("refused", "refused")):
        found = [each for each in outcomes if each.ending == ending]
        lines += [f"{told}: {each.suite}/{each.case}: {safe(each.why) or '?'}" for each in found[:_NAMED]]
        if len(found) > _NAMED:
            lines.append(f"{told}: {len(found) - _NAMED} more")
    return "\n".join(paragraphs(line) for line in lines)


def _was_judged(outcomes: Sequence[Outcome]) -> bool:
    return any(JUDGED in each.tags for each in outcomes)


def _judge(found: Agreement, read: Read, style: Style) -> str:
    rows = [
        ["agreement (kappa)", value_of(found.kappa), interval_of(found.kappa), str(found.kappa.n), found.verdict],
        ["bias", value_of(found.bias), interval_of(found.bias), str(found.bias.n), ""],
    ]
    usd = dollars(sum(each.graded_usd for each in read.outcomes))
    heading = style.bold(f"The judge ({read.manifest.judge}); grading cost {usd}")
    return heading + "\n" + columns(["figure", "value", "95 %", "n", "note"], rows, style, right="value 95 % n")


def _gate(gate: Gate, held: Sequence[Held], style: Style) -> str:
    missed = [each for each in held if each.missed]
    heading = f"gate {gate.name}: {f'{len(missed)} of {len(held)} targets missed' if missed else 'reached'}"
    rows = []
    for each in held:
        target = each.target
        wanted = [f"≥ {_wanted(target.at_least, each.figure)}"] if target.at_least is not None else []
        wanted += [f"≤ {_wanted(target.at_most, each.figure)}"] if target.at_most is not None else []
        place = target.metric if target.suite is None else f"{target.metric} of {target.suite}"
        bound = "" if target.by == "value" else f" ({target.by})"
        figure = f"{value_of(each.figure)} ({interval_of(each.figure)}, n {each.figure.n})"
        rows.append([place, " ".join(wanted) + bound, figure, "missed" if each.missed else "reached"])
    why = [paragraphs(f"missed: {row[0]}: {each.missed}") for row, each in zip(rows, held, strict=True) if each.missed]
    return "\n".join([style.bold(heading), columns(["target", "wanted", "figure", "verdict"], rows, style), *why])


def _wanted(value: float, figure: Figure) -> str:
    return _in_unit(value, figure.unit)
