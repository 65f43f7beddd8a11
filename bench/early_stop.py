"""How much early escalation saves, and what it costs: drafts stopped, tokens saved, false stops.

Every labelled question is put to its domain's model once, each token kept; the drafts are then written again, token by
token, before the very lookouts that the graph uses. Figures are of the half of the questions that the calibration in
force was not fitted on. Where false stops are allowed, that half is halved again 200 times, by whole groups: one part
says below which running confidence drafts are given up, the other is judged by it; the means are told. ``--live`` asks
some questions again with and without stopping, in turns, and measures the time.

``python bench/early_stop.py --questions calibration/handbook/*.jsonl [--live 20] [--json FILE]``
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from langchain_core.messages import AIMessageChunk
from langchain_core.runnables import Runnable, RunnableConfig

from moslm.errors import ConfigError
from moslm.escalation.calibration.artefact import Calibration, read_calibration
from moslm.escalation.calibration.tracks import Track, floor, is_look, running
from moslm.escalation.gauges import calibrated
from moslm.escalation.stopping import Prospects, running_values
from moslm.evals.answers import Answer, draft_of
from moslm.evals.calibrating import halves
from moslm.evals.questions import Question, read_questions
from moslm.graph.confidence import shipped
from moslm.graph.parts import Parts, build_parts
from moslm.models.chat.watched import Unfinished
from moslm.state import Draft

THRESHOLDS = (0.8, 0.7, 0.6, 0.5)
FALSE_STOPS = (0.1, 0.2)
RESPLITS = 200
RULES = ("declined", "out_of_reach", "running_low")


@dataclass(frozen=True)
class Written:
    """A draft, and the pieces it was written in."""

    answer: Answer
    pieces: list[dict[str, Any]]

    @property
    def tokens(self) -> int:
        """Tokens the model produced, its end-of-turn token included."""
        return sum(each["output_tokens"] for each in self.answer.draft.get("usage", []))


class _Recording(Runnable[Any, Any]):
    """Streams a model and keeps each piece."""

    def __init__(self, model: Runnable[Any, Any], pieces: list[dict[str, Any]]) -> None:
        self._model, self._pieces = model, pieces

    def stream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        for piece in self._model.stream(input, config, **kwargs):
            self._pieces.append({"text": piece.text, "logprobs": piece.response_metadata.get("logprobs")})
            yield piece

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        return self._model.invoke(input, config, **kwargs)


def written(parts: Parts, questions: Sequence[Question], kept: Path) -> list[Written]:
    """Put every question to its model; what stands in the file is not asked again."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    lines = kept.read_text(encoding="utf-8").splitlines() if kept.exists() else []
    before = {row["question"]: row for row in map(json.loads, lines)}
    with kept.open("a", encoding="utf-8") as file:
        for done, question in enumerate(questions):
            if question.question in before:
                continue
            pieces: list[dict[str, Any]] = []
            agent = parts.agents[question.domain]
            agents = {**parts.agents, question.domain: replace(agent, model=_Recording(agent.model, pieces))}
            draft, looks = draft_of(replace(parts, agents=agents), question)
            row = {"question": question.question, "draft": draft, "looks": looks, "pieces": pieces}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            file.flush()
            before[question.question] = row
            print(f"\r{done + 1} of {len(questions)} asked", end="", flush=True)
    rows = [before[question.question] for question in questions]
    return [
        Written(Answer(question, row["draft"], row["looks"]), row["pieces"])
        for question, row in zip(questions, rows, strict=True)
    ]


@dataclass(frozen=True)
class Replay:
    """One finished draft, and what the lookouts would have made of it."""

    group: str
    end: float | None
    """Its calibrated confidence; None for a draft that declines, which goes up whatever it is."""
    tokens: int
    certain: tuple[int, str] | None
    """Token at which it is stopped for certain, and by which rule."""
    looks: tuple[tuple[int, float], ...]
    """Tokens and running confidence of each look."""

    def stopped(self, least: float | None) -> tuple[int, str] | None:
        """Return where it is stopped, given the running confidence below which drafts are given up."""
        low = next(((n, "running_low") for n, now in self.looks if least is not None and now < least), None)
        return min((each for each in (self.certain, low) if each is not None), default=None)


def replayed(each: Written, calibration: Calibration, parts: Parts, threshold: float) -> Replay:
    """Write a draft again, piece by piece, before the lookout that the graph uses."""
    domain, draft = each.answer.question.domain, each.answer.draft
    gauge = calibrated(calibration, domain, calibration.model, calibration.revision, parts.signals)
    prospects = Prospects(parts.signals, gauge, partial(calibration.best, domain), lambda _: None)
    look = prospects.lookout(threshold, parts.agents[domain].most_tokens, may_call=False, finish=False)
    certain, confidences, looks = None, list[float](), list[tuple[int, float]]()
    so_far, before = Unfinished(), 0
    for piece in each.pieces:
        metadata = {"logprobs": piece["logprobs"]} if piece["logprobs"] else {}
        so_far.add(AIMessageChunk(content=piece["text"], response_metadata=metadata))
        if not piece["text"]:
            continue
        beginning = _beginning(draft, so_far)
        if certain is None and (stopped := look(so_far.text, so_far.tokens, lambda: beginning)):  # noqa: B023
            certain = (stopped.token, stopped.rule)
        now = gauge(running_values(beginning, parts.signals)).value if is_look(before, so_far.tokens) else None
        before = so_far.tokens
        if now is not None:
            confidences.append(now)
            if (ran := running(confidences)) is not None:
                looks.append((so_far.tokens, ran))
    judged = each.answer.outcome in ("right", "wrong")
    end = gauge({name: signal(draft).value for name, signal in parts.signals.items()}).value if judged else None
    return Replay(f"{domain}/{each.answer.question.group}", end, each.tokens, certain, tuple(looks))


def _beginning(draft: Draft, so_far: Unfinished) -> Draft:
    beginning = Draft(**{**draft, "text": so_far.text.strip(), "logprobs": so_far.logprobs()})
    beginning["cut_off"] = False
    return beginning


def certain_only(drafts: Sequence[Replay], threshold: float) -> dict[str, float]:
    """Return the figures of the rules that cannot be wrong."""
    return _figures([(each, each.certain) for each in drafts], threshold)


def with_false_stops(drafts: Sequence[Replay], threshold: float, rate: float) -> dict[str, float]:
    """Return the mean figures over resplits: a half of the groups gives the floor, the other is judged by it."""
    groups, draw = sorted({each.group for each in drafts}), random.Random(0)
    rows = []
    for _ in range(RESPLITS):
        draw.shuffle(groups)
        first = set(groups[: len(groups) // 2])
        tracks = [_track(each) for each in drafts if each.group in first and each.end is not None]
        least = floor([track for track in tracks if track], threshold, rate)
        limit = min(least.least, threshold) if least else None
        rows.append(_figures([(e, e.stopped(limit)) for e in drafts if e.group not in first], threshold))
    return {name: statistics.fmean(row[name] for row in rows) for name in rows[0]}


def _track(each: Replay) -> Track:
    return Track(each.end or 0.0, min((now for _, now in each.looks), default=1.0))


def _figures(found: Sequence[tuple[Replay, tuple[int, str] | None]], threshold: float) -> dict[str, float]:
    rejected = [(each, stop) for each, stop in found if each.end is None or each.end < threshold]
    reaching = [stop for each, stop in found if each.end is not None and each.end >= threshold]
    stopped = [(each, stop) for each, stop in rejected if stop is not None]
    return {
        "drafts": len(found),
        "rejected": len(rejected),
        "stopped": len(stopped),
        **{rule: sum(stop[1] == rule for _, stop in stopped) for rule in RULES},
        "stopped_before_half": sum(2 * stop[0] < each.tokens for each, stop in stopped),
        "tokens_of_rejected": sum(each.tokens for each, _ in rejected),
        "tokens_saved": sum(each.tokens - stop[0] for each, stop in stopped),
        "reach_the_threshold": len(reaching),
        "false_stops": sum(stop is not None for stop in reaching),
    }


def live(parts: Parts, drafts: Sequence[Written], count: int) -> dict[str, Any]:
    """Ask questions whose drafts are rejected again, with and without stopping, in turns; return the medians."""
    chosen = [each.answer.question for each in drafts if each.answer.outcome == "declined"][:count]
    taken: dict[str, list[tuple[float, int]]] = {"finished": [], "stopped": []}
    for question in chosen:
        for name in taken:
            agent = parts.agents[question.domain]
            asked = agent if name == "stopped" else replace(agent, lookout=None)
            agents = {**parts.agents, question.domain: asked}
            started = time.perf_counter()
            draft, _ = draft_of(replace(parts, agents=agents), question, stopping=True)
            seconds = time.perf_counter() - started
            taken[name].append((seconds, sum(each["output_tokens"] for each in draft.get("usage", []))))
    return {
        "questions": len(chosen),
        **{f"{name}_seconds": statistics.median(s for s, _ in rows) for name, rows in taken.items() if rows},
        **{f"{name}_tokens": sum(n for _, n in rows) for name, rows in taken.items()},
    }


def main() -> None:
    """Ask, replay, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path)
    parser.add_argument("--questions", type=Path, nargs="+", required=True)
    parser.add_argument("--kept", type=Path, default=Path("build/early_stop.jsonl"))
    parser.add_argument("--live", type=int, default=0, help="questions asked again, with and without stopping")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    parts = build_parts(options.config)
    questions = [question for file in options.questions for question in read_questions(file)]
    drafts = written(parts, questions, options.kept)
    calibration = in_force(parts, questions[0].domain)
    reporting = {id(each) for each in halves([each.answer for each in drafts])[1]}
    held_out = [each for each in drafts if id(each.answer) in reporting]
    rows = []
    for threshold in THRESHOLDS:
        again = [replayed(each, calibration, parts, threshold) for each in held_out]
        rows.append({"threshold": threshold, "allowed": 0.0, **certain_only(again, threshold)})
        rows += [{"threshold": threshold, "allowed": r, **with_false_stops(again, threshold, r)} for r in FALSE_STOPS]
    _print(rows)
    document: dict[str, Any] = {"model": calibration.model, "calibration": calibration.version, "rules": rows}
    if options.live:
        document["live"] = live(parts, held_out, options.live)
        print(document["live"])
    if options.json:
        options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def in_force(parts: Parts, domain: str) -> Calibration:
    """Return the calibration in force."""
    settings = parts.domains[domain].settings
    found = read_calibration(settings.calibration) if settings.calibration else shipped(parts.agents[domain].model_name)
    if found is None:
        raise ConfigError("its model was never calibrated", key="domain", value=domain, mend="run: moslm calibrate")
    return found


def _print(rows: Sequence[Mapping[str, float]]) -> None:
    heads = ["threshold", "allowed", "rejected", "stopped", "before half", "tokens saved", "reach it", "false stops"]
    print("\n" + "  ".join(f"{head:>12}" for head in heads))
    for row in rows:
        cells = [
            f"{row['threshold']:.2f}",
            f"{row['allowed']:.2f}",
            f"{row['rejected']:.1f}",
            f"{row['stopped']:.1f}",
            f"{row['stopped_before_half'] / max(1, row['rejected']):.0%}",
            f"{row['tokens_saved'] / max(1, row['tokens_of_rejected']):.0%}",
            f"{row['reach_the_threshold']:.1f}",
            f"{row['false_stops']:.1f} ({row['false_stops'] / max(1e-9, row['reach_the_threshold']):.0%})",
        ]
        print("  ".join(f"{cell:>12}" for cell in cells))


if __name__ == "__main__":
    main()
