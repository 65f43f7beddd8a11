"""Tools of IT support: what runs, what was solved before, the articles, and a new ticket."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Any, Literal

from langchain_core.tools import BaseTool
from langgraph.prebuilt import ToolRuntime
from pydantic import BaseModel, Field

from moslm.tools.company import Company
from moslm.tools.effects import typed_tool
from moslm.tools.knowledge import Handbook, content_words
from moslm.tools.write_once import call_key, write_once

_LONGEST_ARTICLE = 4000
_MOST_TICKETS = 5


class Service(BaseModel):
    """Arguments of `service_status`."""

    service: str = Field(default="", max_length=80, description="Such as VPN; empty for all that have trouble")


class TicketText(BaseModel):
    """Arguments of `search_tickets`."""

    text: str = Field(min_length=1, max_length=500, description="Words of the problem, or a number such as INC-10482")


class Article(BaseModel):
    """Arguments of `look_up_article`."""

    topic: str = Field(min_length=1, max_length=500, description="What the article is about")


class NewTicket(BaseModel):
    """Arguments of `open_ticket`."""

    summary: str = Field(min_length=5, max_length=500, description="The problem in one sentence")
    urgency: Literal["low", "normal", "high", "urgent"] = Field(
        default="normal", description="urgent only when a shop or the web shop stands still"
    )


def service_status(company: Company) -> BaseTool:
    """Make the tool that tells whether a service runs."""
    from sqlalchemy import select

    from moslm.tools.schema import services

    def service_status(service: str = "") -> str:
        """Tell whether an IT service is running, slow or down."""
        with company.engine.connect() as connection:
            rows = connection.execute(select(services).order_by(services.c.name)).mappings().all()
        if not service.strip():
            troubled = [row for row in rows if row["status"] != "running"]
            return " ".join(map(_service_in_words, troubled)) or "Every service is running."
        found = _matching(service, [dict(row) for row in rows])
        if not found:
            return f"There is no service of that name. There are {', '.join(row['name'] for row in rows)}."
        return " ".join(map(_service_in_words, found))

    return typed_tool(service_status, Service, "read")


def search_tickets(company: Company) -> BaseTool:
    """Make the tool that finds earlier tickets."""
    from sqlalchemy import case, func, or_, select

    from moslm.tools.schema import tickets

    def search_tickets(text: str) -> str:
        """Find IT tickets by words or number, with their status and how they were solved."""
        words = content_words(text)[:12]
        numbers = [int(word) for word in re.findall(r"\b\d{1,9}\b", text)]
        if not words and not numbers:
            return "Give a word of the problem or the number of a ticket."
        haystack = func.lower(tickets.c.summary + " " + tickets.c.resolution)
        hits = [haystack.contains(word, autoescape=True) for word in words]
        by_number = tickets.c.id.in_(numbers)
        rank = case((by_number, 100), else_=0) + sum(case((hit, 1), else_=0) for hit in hits)
        query = select(tickets).where(or_(by_number, *hits)).order_by(rank.desc(), tickets.c.id.desc())
        with company.engine.connect() as connection:
            found = connection.execute(query.limit(_MOST_TICKETS)).mappings().all()
        return "\n".join(map(_ticket_in_words, found)) or "No ticket fits."

    return typed_tool(search_tickets, TicketText, "read")


def look_up_article(handbook: Handbook) -> BaseTool:
    """Make the tool that reads a whole page of the handbook."""

    def look_up_article(topic: str) -> str:
        """Read the whole handbook article on a topic."""
        found = handbook.search(topic, 1)
        return handbook.page(found[0].source)[:_LONGEST_ARTICLE] if found else "There is no article on that."

    return typed_tool(look_up_article, Article, "read")


def open_ticket(company: Company) -> BaseTool:
    """Make the tool that opens a ticket; a write."""
    from moslm.tools.schema import tickets

    def open_ticket(summary: str, runtime: ToolRuntime[Any, Any], urgency: str = "normal") -> str:
        """Open a new IT ticket."""
        row = {"opened_on": company.today(), "summary": summary, "urgency": urgency, "status": "new", "resolution": ""}
        written = write_once(company.engine, tickets, call_key(runtime, "open_ticket", summary, urgency), lambda _: row)
        return written if isinstance(written, str) else f"Ticket INC-{written['id']} ({written['urgency']}) is open."

    return typed_tool(open_ticket, NewTicket, "write")


def _matching(service: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    wanted = service.strip().lower()
    named = [row for row in rows if row["name"].lower() == wanted]
    if named:
        return named
    words = set(content_words(wanted))
    hits = [len(words.intersection(content_words(f"{row['name']} {row['what']}"))) for row in rows]
    about = [row for row, hit in zip(rows, hits, strict=True) if hit and hit == max(hits)]
    close = get_close_matches(wanted, [row["name"].lower() for row in rows], n=1, cutoff=0.75)
    return about or [row for row in rows if row["name"].lower() in close]


def _service_in_words(row: Any) -> str:
    return f"{row['name']} ({row['what']}): {row['status']}. {row['note']}".strip()


def _ticket_in_words(row: Any) -> str:
    solved = f" {row['resolution']}" if row["resolution"] else ""
    return f"INC-{row['id']} of {row['opened_on']}: {row['summary']} - {row['urgency']}, {row['status']}.{solved}"
