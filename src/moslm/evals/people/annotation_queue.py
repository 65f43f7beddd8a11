"""The same answers in an annotation queue of LangSmith, and the ratings back from there.

Each answer is a run of its own in a project of the queue's name; its id follows from the queue and the row, so nothing
has to be kept here. The runs carry question and answer, because people read them: whoever exports says so.
"""

from __future__ import annotations

import hashlib
import uuid
import warnings
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from langsmith import Client
from langsmith.schemas import Feedback, RunKey

from moslm.errors import ConfigError
from moslm.evals.people.ratings import VERDICTS
from moslm.evals.people.shown import Shown
from moslm.evals.people.taking import Entry

VERDICT, SATISFACTION = "moslm_verdict", "moslm_satisfaction"
"""Keys of the feedback that raters give."""

_INSTRUCTIONS = (
    "Say whether the answer is right, and how satisfied the person who asked would be. Write a right answer into the "
    "correction where it is wrong, and anything else into the comment."
)
_AT_ONCE = 50
"""Runs whose feedback is asked for in one request: their ids stand in its address."""


def export_queue(client: Client, rows: Sequence[Shown], queue: str) -> None:
    """Put answers into a new annotation queue, in their order.

    Args:
        client: It must send texts as they are, one request a run (`moslm.evals.langsmith_client`).
        rows: The answers.
        queue: Name of the queue, and of the project that holds its runs.

    Raises:
        ConfigError: A queue of that name is there.
        langsmith.utils.LangSmithError: LangSmith did not take it.
    """
    if any(client.list_annotation_queues(name=queue, limit=1)):
        raise ConfigError("is there already", key="--langsmith", value=queue, mend="name another queue")
    project = client.create_project(queue, upsert=True)
    begun = datetime.now(UTC)
    keys: list[RunKey] = []
    for row in rows:
        client.create_run(
            "answer",
            {"question": row.question},
            "chain",
            id=run_of(queue, row),
            outputs={"answer": row.answer},
            project_name=queue,
            start_time=begun,
            end_time=begun,
            extra={"metadata": {"moslm_row": row.id}},
        )
        keys.append({"run_id": run_of(queue, row), "session_id": project.id, "start_time": begun})
    client.create_feedback_config(
        VERDICT,
        feedback_config={
            "type": "categorical",
            "categories": [{"value": float(number), "label": verdict} for number, verdict in enumerate(VERDICTS)],
        },
    )
    client.create_feedback_config(SATISFACTION, feedback_config={"type": "continuous", "min": 1, "max": 5})
    made = client.create_annotation_queue(
        name=queue,
        description="Answers for people to rate.",
        rubric_instructions=_INSTRUCTIONS,
        rubric_items=[
            {"feedback_key": VERDICT, "description": "Is the answer right?", "is_required": True},
            {"feedback_key": SATISFACTION, "description": "From 1 (no use) to 5 (as good as it can be)."},
        ],
    )
    with warnings.catch_warnings():
        # what is to replace it has no public face for programs that are not asynchronous, and older servers lack it
        warnings.simplefilter("ignore", DeprecationWarning)
        client.add_runs_to_annotation_queue(made.id, runs=keys)


def read_queue(client: Client, rows: Sequence[Shown], queue: str) -> Iterator[Entry]:
    """Yield what raters said in a queue, one entry for each rater of each answer.

    Args:
        client: Of LangSmith.
        rows: Every answer of the run.
        queue: Name of the queue.
    """
    by_run = {run_of(queue, row): row for row in rows}
    said: dict[tuple[uuid.UUID, str], dict[str, str]] = {}
    runs = list(by_run)
    for start in range(0, len(runs), _AT_ONCE):
        asked = runs[start : start + _AT_ONCE]
        for each in client.list_feedback(run_ids=asked, feedback_key=[VERDICT, SATISFACTION]):
            if each.run_id in by_run:
                _take(said.setdefault((each.run_id, _rater(each)), {}), each)
    blank = dict.fromkeys(("verdict", "satisfaction", "correction", "comment"), "")
    for (run, rater), cells in said.items():
        yield f"LangSmith: run {run}", {**blank, "row": by_run[run].id, "rater": rater, **cells}


def run_of(queue: str, row: Shown) -> uuid.UUID:
    """Return the id of an answer's run in a queue; a UUID of version 7, as LangSmith asks for."""
    told = bytearray(hashlib.sha256(f"{queue} {row.id}".encode()).digest()[:16])
    told[6], told[8] = (told[6] & 0x0F) | 0x70, (told[8] & 0x3F) | 0x80
    return uuid.UUID(bytes=bytes(told))


def _take(cells: dict[str, str], feedback: Feedback) -> None:
    if feedback.key == VERDICT:
        cells["verdict"] = _verdict(feedback)
        told = feedback.correction
        cells["correction"] = told if isinstance(told, str) else str(next(iter(told.values()), "")) if told else ""
    else:
        cells["satisfaction"] = "" if feedback.score is None else f"{feedback.score:g}"
    if feedback.comment:
        cells["comment"] = f"{cells['comment']} {feedback.comment}" if cells.get("comment") else feedback.comment


def _verdict(feedback: Feedback) -> str:
    """Return the label that was chosen; where only its number came back, the label of the number."""
    if isinstance(feedback.value, str):
        return feedback.value
    number = feedback.score
    return VERDICTS[int(number)] if number is not None and number in range(len(VERDICTS)) else str(number or "")


def _rater(feedback: Feedback) -> str:
    source = feedback.feedback_source
    return str((source and (source.user_name or source.user_id)) or "")
