"""Remembers answers: the same request of the same tenant, asked again, is answered from the store.

Exact matches only, inside a partition of tenant, role and configuration; nothing is remembered that a tool, a person or
the clock had a part in. Without a LangGraph store there is no memory and the step does nothing.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Generator
from dataclasses import dataclass
from functools import partial
from typing import Any

from langgraph.store.base import BaseStore

from moslm.models.calls import Aside
from moslm.nodes.node import Node, Run, Update
from moslm.state import MoSLMState, Reply, Request


@dataclass(frozen=True, slots=True)
class Memory:
    """Where answers are kept, and for how long.

    Attributes:
        partition: Hash of everything that must be equal for an answer to hold: settings, models, handbook.
        ttl_seconds: How long an answer holds; None turns memory off.
        fallback: Store to use where the graph runs without one.
    """

    partition: str
    ttl_seconds: float | None
    fallback: BaseStore | None = None

    def stands(self, run: Run) -> bool:
        """Tell whether there is a store to look into."""
        return self._store(run) is not None

    def find(self, request: Request, run: Run) -> dict[str, Any] | None:
        """Return what was remembered for this conversation: ``text`` and ``domain``."""
        store = self._store(run)
        if store is None or request.get("tools"):
            return None
        item = store.get(self._namespace(request), self._key(request))
        if item is None or item.value.get("expires", 0) < time.time():
            return None
        return dict(item.value)

    def keep(self, request: Request, run: Run, text: str, domain: str | None) -> None:
        """Remember an answer."""
        store = self._store(run)
        if store is None or self.ttl_seconds is None or request.get("tools"):
            return
        value = {"text": text, "domain": domain, "expires": time.time() + self.ttl_seconds}
        store.put(self._namespace(request), self._key(request), value, index=False)

    def _store(self, run: Run) -> BaseStore | None:
        return None if self.ttl_seconds is None else run.store or self.fallback

    def _namespace(self, request: Request) -> tuple[str, ...]:
        # labels may hold no full stops and must be text: the tenant goes in as a hash
        tenant = hashlib.sha256(request["tenant"].encode()).hexdigest()[:32]
        return ("moslm", "answers", tenant, request["role"])

    def _key(self, request: Request) -> str:
        asked = {"turns": request["turns"], "threshold": request["threshold"], "several": request["multi_domain"]}
        if request.get("instructions"):
            asked["instructions"] = request["instructions"]
        canonical = json.dumps(asked, sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(f"{self.partition}\n{canonical}".encode()).hexdigest()


def recall(memory: Memory) -> Node:
    """Return the step that looks for a remembered answer."""

    def step(state: MoSLMState, run: Run) -> Generator[Aside, Any, Update]:
        found = (yield Aside(partial(memory.find, state["request"], run))) if memory.stands(run) else None
        if found is None:
            return {}
        return {
            "reply": Reply(text=found["text"], outcome="recalled", answered_by="memory", domain=found.get("domain"))
        }

    return Node("recall", step)
