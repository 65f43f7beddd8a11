"""The handbook of a domain: full-text search over its pages (SQLite FTS5, in memory), and the tool that uses it.

Knows Markdown headings and nothing else of where pages come from.
"""

from __future__ import annotations

import re
import sqlite3
import threading
import unicodedata
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from langchain_core.tools import BaseTool
from pydantic import BaseModel, Field

from moslm.domains import Page
from moslm.tools.effects import typed_tool

_HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*\s*")
_FENCE = re.compile(r"\s*(```|~~~)")
_WORD = re.compile(r"\w+")
_LONGEST_PASSAGE = 1200
_MOST_CHARS = 20_000
_MOST_TERMS = 48
_LONGEST_TERM = 40
_PREFIX_FROM = 5
"""Shorter terms are searched as whole words only: "car" must not find "card"."""

# fmt: off
_STOP_WORDS = frozenset(
    """a about after again all also am an and any anyone are as ask at be because been before but by can cannot
    could did do does doing don dont down each for from get give go good got had has have hello help her here
    hey hi him his how i if im in into is isn it its just know last let like ll m make many may me mine more
    most much must my need no not now of off ok on one only or other our out over own please pls possible quick
    question re s same say she should so some still t tell than thank thanks that the their them then there
    these they thing this those to too until up us use very want was way we well were what whats when where
    which while who whom why will with would yes yet you your""".split()  # noqa: SIM905 - 150 quoted words read worse
)
# fmt: on


@dataclass(frozen=True, slots=True)
class Passage:
    """One section of a handbook."""

    title: str
    """Titles of the page and the section, such as "Returns and refunds: Exchange for another size"."""
    text: str
    source: str
    """Name of the page, such as ``returns-and-refunds.md``."""


class Handbook:
    """Search over the pages of one domain; built once, safe to use from several threads.

    Args:
        pages: The pages in Markdown; each section below a heading becomes a passage.
    """

    def __init__(self, pages: Iterable[Page]) -> None:
        self._pages = {page.source: page.text for page in pages}
        # One connection for all threads: an in-memory database belongs to its connection. The lock keeps cursors apart.
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(":memory:", check_same_thread=False)
        weakref.finalize(self, self._connection.close)
        self._connection.execute(
            "CREATE VIRTUAL TABLE passages USING fts5(page, title, text, source UNINDEXED,"
            ' tokenize = "porter unicode61 remove_diacritics 2")'
        )
        rows = [row for source, text in self._pages.items() for row in _passages(source, text)]
        self._connection.executemany("INSERT INTO passages VALUES (?, ?, ?, ?)", rows)

    def search(self, text: str, limit: int = 3) -> list[Passage]:
        """Return the passages that fit a text best, the best first.

        Args:
            text: Any text at all: a question, a whole e-mail; it is never read as query syntax.
            limit: At most so many.
        """
        query = _query(text)
        if not query or limit < 1:
            return []
        with self._lock:
            rows = self._connection.execute(
                "SELECT page, title, text, source FROM passages WHERE passages MATCH ?"
                " ORDER BY bm25(passages, 1.0, 4.0, 1.0), rowid LIMIT ?",
                (query, limit),
            ).fetchall()
        return [Passage(_full_title(page, title), body, source) for page, title, body, source in rows]

    def page(self, source: str) -> str:
        """Return a whole page in Markdown.

        Raises:
            KeyError: There is no such page.
        """
        return self._pages[source]


class Question(BaseModel):
    """Arguments of `search_handbook`."""

    question: str = Field(min_length=1, description="What to look for, in a few words")


def search_handbook(handbook: Handbook, limit: int = 3) -> BaseTool:
    """Make the tool that searches a domain's handbook."""

    def search_handbook(question: str) -> str:
        """Search the company handbook and return the passages that fit best."""
        found = handbook.search(question, limit)
        if not found:
            return "The handbook says nothing about that."
        return "\n\n".join(f"{passage.title}\n{passage.text}" for passage in found)

    return typed_tool(search_handbook, Question, "read")


def content_words(text: str) -> list[str]:
    """Return the words of a text that say what it is about: lower case, no stop words, each once, the first 48."""
    words = _WORD.findall(unicodedata.normalize("NFKC", text[:_MOST_CHARS]).lower())
    distinct = dict.fromkeys(words)
    return [word for word in distinct if word not in _STOP_WORDS and 1 < len(word) <= _LONGEST_TERM][:_MOST_TERMS]


def _query(text: str) -> str:
    """Write an FTS5 query: any of the terms, quoted, so that no character of the text is an operator."""
    parts = []
    for term in content_words(text):
        parts.append(f'"{term}"')
        if len(term) >= _PREFIX_FROM:
            parts.append(f'"{term}"*')
    return " OR ".join(parts)


def _passages(source: str, text: str) -> Iterator[tuple[str, str, str, str]]:
    """Split a page at its headings into rows (page, title, text, source)."""
    page, title, fenced = source.removesuffix(".md").replace("-", " "), "", False
    sections: list[tuple[str, str, list[str]]] = [(page, title, [])]
    for line in text.splitlines():
        fenced = fenced != bool(_FENCE.match(line))
        heading = None if fenced else _HEADING.fullmatch(line)
        if heading is None:
            sections[-1][2].append(line)
        else:
            page, title = (heading[2], "") if len(heading[1]) == 1 else (page, heading[2])
            sections.append((page, title, []))
    for page, title, lines in sections:
        for chunk in _chunks("\n".join(lines).strip()):
            yield page, title, chunk, source


def _chunks(text: str) -> Iterator[str]:
    """Split a long section at its paragraphs, and a long paragraph wherever it must be."""
    chunk = ""
    for paragraph in re.split(r"\n\s*\n", text):
        if chunk and len(chunk) + len(paragraph) > _LONGEST_PASSAGE:
            yield chunk
            chunk = ""
        chunk = f"{chunk}\n\n{paragraph}" if chunk else paragraph
        while len(chunk) > _LONGEST_PASSAGE:
            yield chunk[:_LONGEST_PASSAGE]
            chunk = chunk[_LONGEST_PASSAGE:]
    if chunk.strip():
        yield chunk


def _full_title(page: str, title: str) -> str:
    return f"{page}: {title}" if title else page
