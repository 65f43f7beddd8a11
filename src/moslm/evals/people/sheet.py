"""Sheets that raters fill in: CSV that a spreadsheet opens without running a formula, and its way back.

A sheet tells what was asked and what was answered, and nothing else. Every row that comes back is taken or named.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

from moslm.errors import ConfigError
from moslm.evals.people.shown import Shown
from moslm.evals.people.taking import BEYOND, Entry

COLUMNS = ("row", "question", "answer", "verdict", "satisfaction", "correction", "comment", "rater")
_NEEDED = ("row", "verdict", "satisfaction", "comment", "rater")

_STARTS = tuple("=+-@\t\r\n＝＋－＠")
"""What makes a spreadsheet take a cell for a formula (OWASP, "CSV injection"); the wide ones in East Asian versions."""
LONGEST_CELL = 32_767
"""Characters that a cell of the usual spreadsheets holds; what is longer they cut."""
_LONGEST_FIELD = 2**24


def defused(text: str) -> str:
    """Return a text as a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(_STARTS) else text


def write_sheet(file: Path, rows: Sequence[Shown], rater: str, *, bom: bool = False) -> None:
    """Write a sheet, readable by nobody else on this machine.

    Args:
        file: Must not be there: somebody's work may be in it.
        rows: In the order in which they are shown.
        rater: What stands in the rater's column until they write their name.
        bom: Whether it begins with the mark by which older spreadsheets know UTF-8.

    Raises:
        ConfigError: The file is there already or cannot be written.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([row.id, defused(row.question), defused(row.answer), "", "", "", "", defused(rater)])
    content = text.getvalue().encode("utf-8-sig" if bom else "utf-8", "replace")
    try:
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(content)
    except FileExistsError:
        mend = "ratings may be in it: name another"
        raise ConfigError("is there already", key="--csv", value=str(file), mend=mend) from None
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}", key="--csv", value=str(file)) from None


def read_sheet(file: Path) -> Iterator[Entry]:
    """Yield the rows of a sheet that came back, each with its place: ``file:line`` of its first line.

    Raises:
        ConfigError: It cannot be read as a sheet.
    """
    lines = _text(file)
    head = lines.partition("\n")[0]
    separator = max(",;\t", key=head.count)
    before = csv.field_size_limit(_LONGEST_FIELD)
    try:
        reader = csv.reader(io.StringIO(lines, newline=""), delimiter=separator)
        names = [each.strip().casefold() for each in next(reader, [])]
        _check_columns(file, names)
        ended = reader.line_num
        for cells in reader:
            where, ended = f"{file}:{ended + 1}", reader.line_num
            if any(each.strip() for each in cells):
                beyond = " ".join(cells[len(names) :]).strip()
                yield (
                    where,
                    {name: cell.strip() for name, cell in zip_longest(names, cells[: len(names)], fillvalue="")}
                    | {BEYOND: beyond},
                )
    except csv.Error as error:
        raise ConfigError(f"is no CSV: {error}", file=str(file), mend="save it as CSV from the spreadsheet") from None
    finally:
        csv.field_size_limit(before)


def _check_columns(file: Path, names: Sequence[str]) -> None:
    for name in _NEEDED:
        if names.count(name) != 1:
            problem = "is missing" if name not in names else "is there twice"
            mend = f"the first line must name the columns {', '.join(COLUMNS)}"
            raise ConfigError(problem, file=f"{file}:1", key=name, mend=mend)


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", key="--csv", value=str(file)) from None
    except UnicodeDecodeError:
        mend = 'save it as "CSV UTF-8" from the spreadsheet'
        raise ConfigError("is not UTF-8 text", file=str(file), mend=mend) from None
