"""``moslm classify``: JSON lines in, JSON lines out; what each is about and where it would go, without asking a model.

A line is ``{"id", "text"}`` or ``{"id", "messages": [{"role", "content"}, ...]}``. What cannot be read becomes an error
in its place: the order is kept, and nothing is left out but blank lines.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO, Any

from moslm.cli.settings import add_config, config_file
from moslm.cli.stdin import tell_who_types
from moslm.cli.style import WIDTH
from moslm.decision import Check, Classification
from moslm.errors import ConfigError, RequestError
from moslm.governance.wording import counted

HELP = "Say for each line of JSON what it is about and where it would go"

Judge = Callable[[Sequence[Any]], tuple[Classification, Check]]
"""Judges LangChain messages, the request last."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add where the lines come from and go to."""
    parser.add_argument("file", nargs="?", default="-", metavar="FILE", help="JSON lines; by default, or as -, stdin")
    parser.add_argument("--out", default="-", metavar="FILE", help="where the results go; by default stdout")
    add_config(parser)


def run(options: argparse.Namespace) -> int:
    """Classify every line; 1 when some could not be read."""
    judge = judging(options.config)
    bad = total = 0
    if options.file == "-":
        tell_who_types()
    with _opened(options.file, "rb") as source, _opened(options.out, "wb", reading=options.file) as target:
        for result in _watched(classified(source, judge), source, target):
            target.write(json.dumps(result, allow_nan=False).encode() + b"\n")
            target.flush()
            total += 1
            bad += "error" in result
    if bad:
        print(f"moslm: {bad} of {counted(total, 'line')} could not be classified", file=sys.stderr)
    return 1 if bad else 0


def judging(config: str | None) -> Judge:
    """Return the function that reads and judges one conversation exactly as the graph's first steps do."""
    from moslm.graph.parts import build_parts
    from moslm.nodes.screen import conversation
    from moslm.turn import Turn

    parts = build_parts(config_file(config))

    def judge(messages: Sequence[Any]) -> tuple[Classification, Check]:
        turns = conversation(messages, parts.config.limits)
        return parts.judge([Turn(role, text) for role, text in turns])  # type: ignore[arg-type]

    return judge


def classified(lines: Iterable[bytes], judge: Judge) -> Iterator[dict[str, Any]]:
    """Yield a result for every line that is not blank, in order."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _one(number, line, judge)


def _one(number: int, line: bytes, judge: Judge) -> dict[str, Any]:
    id: Any = None
    try:
        record = _record(line)
        id = record.get("id")
        messages = _messages(record)
    except ValueError as error:
        return _bad(id, number, error)
    started = time.perf_counter()
    try:
        found, check = judge(messages)
    except RequestError as error:
        return _bad(id, number, error)
    return {"id": id, **_result(found, check), "ms": round((time.perf_counter() - started) * 1000, 3)}


def _bad(id: Any, number: int, error: Exception) -> dict[str, Any]:
    return {"id": id, "error": f"line {number}: {' '.join(str(error).split())}"}


def _result(found: Classification, check: Check) -> dict[str, Any]:
    return {
        "domain": found.domain,
        "probabilities": {name: round(value, 6) for name, value in found.probabilities.items()},
        "domains": found.domains,
        "spans": [span.model_dump(mode="json") for span in found.spans],
        "novelty_p": found.novelty_p,
        "asked_for": found.asked_for,
        "action": check.action,
        "reasons": [{"trigger": reason.trigger, "detail": reason.detail} for reason in check.reasons],
    }


def _record(line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line.decode("utf-8"), parse_constant=_no_number)
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at character {error.colno}") from None
    if not isinstance(record, dict):
        raise ValueError('not an object; write {"id": ..., "text": ...}')
    return record


def _no_number(name: str) -> None:
    raise ValueError(f"not JSON: {name} is no JSON number")


def _messages(record: dict[str, Any]) -> Sequence[Any]:
    from langchain_core.messages import HumanMessage, convert_to_messages

    text, messages = record.get("text"), record.get("messages")
    if (text is None) == (messages is None):
        raise ValueError("needs either text or messages")
    if text is not None:
        if not isinstance(text, str):
            raise ValueError("text is no text")
        return [HumanMessage(text)]
    if not isinstance(messages, list) or not all(isinstance(each, dict) for each in messages):
        raise ValueError('messages is no list of {"role": ..., "content": ...}')
    try:
        return convert_to_messages(messages)
    except (KeyError, TypeError, ValueError, NotImplementedError):
        raise ValueError('messages holds what is no message; write {"role": "user", "content": "..."}') from None


def _opened(name: str, mode: str, *, reading: str = "") -> contextlib.AbstractContextManager[IO[bytes]]:
    """Open a file; ``-`` is the process's own stream, which stays open.

    Raises:
        ConfigError: It cannot be opened, or the results would overwrite the lines that are read.
    """
    if name == "-":
        return contextlib.nullcontext(sys.stdin.buffer if mode == "rb" else sys.stdout.buffer)
    if reading not in ("", "-") and os.path.exists(name) and os.path.samefile(name, reading):
        raise ConfigError("the results would overwrite the lines that are read", file=name, mend="name another --out")
    try:
        return open(name, mode)
    except OSError as error:
        raise ConfigError(f"cannot be opened: {error.strerror}", file=name) from None


def _watched(results: Iterator[dict[str, Any]], source: IO[bytes], target: IO[bytes]) -> Iterator[dict[str, Any]]:
    """Show progress on a terminal, unless the results themselves are shown there."""
    if target.isatty() or not sys.stderr.isatty():
        return results
    from tqdm import tqdm

    # some terminals say that they have no columns and no rows, and tqdm believes them
    columns = min(WIDTH, shutil.get_terminal_size().columns)
    bar = tqdm(results, total=_lines(source), unit=" lines", ncols=columns, nrows=24, file=sys.stderr)
    return iter(bar)


def _lines(source: IO[bytes]) -> int | None:
    """Count the lines of a file; None for a pipe."""
    if not source.seekable():
        return None
    count = sum(1 for line in source if line.strip())
    source.seek(0)
    return count
