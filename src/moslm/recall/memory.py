"""`Memory`: looks for a remembered answer, and remembers one.

Exact first, then similar: the same words without their filler, and a cosine over the threshold. A store that fails
costs the memory and never the answer.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from weakref import WeakSet

from langgraph.store.base import BaseStore

from moslm.config import RecallSettings
from moslm.decision import Decision, Recalled
from moslm.errors import RecallError, SealError
from moslm.models.encoders import Encoder
from moslm.recall.checking import Checker, wrong
from moslm.recall.entries import Entry, Found, packed
from moslm.recall.keys import Keys, keys_of
from moslm.recall.langgraph_store import LangGraphStore
from moslm.recall.personal import looks_personal
from moslm.recall.stores import OwnStore, Store, Which
from moslm.recall.tallies import Tally
from moslm.recall.wording import essence
from moslm.recall.worth import of_one_small_model, repeatable
from moslm.state import Reply, Request

_log = logging.getLogger("moslm.recall")
_CANDIDATES = 20
"""Answers of one wording that are compared; they differ in filler alone."""
_WITHHELD = 1000

_MEMORIES: WeakSet[Memory] = WeakSet()
_KNOWN = threading.Lock()


def memories() -> tuple[Memory, ...]:
    """Return every memory of this process, for meters."""
    with _KNOWN:
        return tuple(_MEMORIES)


@dataclass(frozen=True, slots=True)
class Policy:
    """What may be remembered and given again.

    Attributes:
        version: Hash of settings, policies, models, tools and handbooks: it is part of every key.
        settings: The ``[recall]`` section.
        never: Domains whose answers are not remembered.
        personal: Tells whether a text holds personal data.
        sampled: Drawn for each hit, between 0 and 1: below ``settings.sample`` it is answered again.
    """

    version: str
    settings: RecallSettings
    never: frozenset[str] = frozenset()
    personal: Callable[[str], bool] = looks_personal
    sampled: Callable[[], float] = field(default=random.random)


class Memory:
    """Remembered answers.

    Args:
        policy: What may be remembered.
        encoder: Tells how alike two requests are.
        own: Keeps the counts, and the answers where the graph runs without a store or a Redis is named.
        checker: Answers hits again; None checks none.
        fallback: LangGraph store for a graph that runs without one.
        guarded: Puts a LangGraph store behind encryption; None keeps answers there as they are.
    """

    def __init__(
        self,
        policy: Policy,
        encoder: Encoder,
        own: OwnStore,
        checker: Checker | None = None,
        fallback: BaseStore | None = None,
        guarded: Callable[[BaseStore], BaseStore] | None = None,
    ) -> None:
        self.policy, self.own, self.checker = policy, own, checker
        self._encoder, self._fallback, self._guarded = encoder, fallback, guarded
        self._withheld: dict[str, Entry] = {}
        self._given: dict[str, Entry] = {}
        self._noting = threading.Lock()
        with _KNOWN:
            _MEMORIES.add(self)

    @property
    def enabled(self) -> bool:
        """Whether anything is remembered."""
        return self.policy.settings.enabled

    def find(self, request: Request, store: BaseStore | None) -> Reply | None:
        """Return the remembered answer to this request; None where there is none that holds.

        Args:
            request: The opened request.
            store: The LangGraph store of the run, if it has one.
        """
        if not self._applies(request) or request.get("fresh") or self.policy.personal(request["text"]):
            return None
        try:
            found = self._found(request, self._store(store))
            if found is None:
                return None
            domain = found.entry.domain or ""
            if found.how == "semantic" and self.own.tally(domain).closed(self.policy.settings.max_false_rate):
                self._note(self._withheld, request["id"], found.entry)
                return None
            self.own.hit(domain, found.how, found.entry.cost_usd)
        except (RecallError, ValueError, SealError) as error:
            _log.warning("remembered answers cannot be read, so none is given: %s", error)
            return None
        if self._is_to_be_checked(found):
            self._note(self._given, request["id"], found.entry)
        return _reply(found)

    def closed(self, request: Request, store: BaseStore | None, decision: Decision, text: str) -> None:
        """Take in how a request ended: remember its answer, or have the remembered one checked.

        Args:
            request: The request.
            store: The LangGraph store of the run, if it has one.
            decision: Its closed record.
            text: The answer.
        """
        given, withheld = self._given.pop(request["id"], None), self._withheld.pop(request["id"], None)
        if given is not None and self.checker is not None:
            self.checker.submit(request, given)
        if not self._applies(request) or not self._may_keep(request, decision, text):
            return
        try:
            # an answer that was not given from memory is checked by the one that was made instead, at no cost
            if withheld is not None and decision.answered_by == withheld.model and decision.domain:
                self.own.check(decision.domain, wrong(withheld.text, text))
            self._store(store).keep(self._entry(request, decision, text))
        except RecallError as error:
            _log.warning("an answer could not be remembered: %s", error)

    def purge(self, which: Which, store: BaseStore | None = None) -> int:
        """Forget answers, at once and for every process that shares the store; return how many.

        Raises:
            RecallError: The store cannot be written; what was not forgotten yet stands.
        """
        return self._store(store).purge(which)

    def tallies(self) -> list[Tally]:
        """Return every domain's counts.

        Raises:
            RecallError: The store cannot be read.
        """
        return list(self.own.tallies())

    def _applies(self, request: Request) -> bool:
        return self.enabled and request.get("remember", True) and not request.get("tools")

    def _found(self, request: Request, store: Store) -> Found | None:
        keys, now = keys_of(request, self.policy.version), time.time()
        whose = (request["tenant"], request["role"])
        entry = store.find(whose, keys.exact)
        if entry is not None and self._holds(entry, request, now):
            return Found(entry, "exact", 1.0)
        if keys.wording is None or not self.policy.settings.semantic:
            return None
        alike = [each for each in store.alike(whose, keys.wording, _CANDIDATES) if self._holds(each, request, now)]
        if not alike:
            return None
        vector = self._encoder.encode([essence(request["text"])])[0]
        similarity, _, best = max((each.similarity(vector), each.made, each) for each in alike)
        return Found(best, "semantic", similarity) if similarity >= self.policy.settings.min_similarity else None

    def _holds(self, entry: Entry, request: Request, now: float) -> bool:
        # the keys hold tenant and role already; a store that was written to by somebody else may not be believed
        own = entry.tenant == request["tenant"] and entry.role == request["role"]
        return own and entry.holds(now) and entry.domain not in self.policy.never

    def _may_keep(self, request: Request, decision: Decision, text: str) -> bool:
        if not repeatable(decision) or not text.strip() or self._is_excluded(decision):
            return False
        # of a conversation every turn counts: the answer may repeat what an earlier one said
        said = (turn for _, turn in request["turns"])
        return not any(self.policy.personal(each) for each in (*said, text, request.get("instructions", "")))

    def _is_excluded(self, decision: Decision) -> bool:
        about = {decision.domain, *(draft.domain for draft in decision.drafts)}
        found = decision.classification
        return bool((about | set(found.domains if found else ())) & self.policy.never)

    def _entry(self, request: Request, decision: Decision, text: str) -> Entry:
        keys: Keys = keys_of(request, self.policy.version)
        wording = keys.wording if self.policy.settings.semantic else None
        now = time.time()
        return Entry(
            key=keys.exact,
            wording=wording,
            tenant=request["tenant"],
            role=request["role"],
            domain=decision.domain,
            decision=decision.id,
            text=text,
            model=decision.answered_by or "",
            alone=of_one_small_model(decision),
            cost_usd=decision.cost.spent_usd,
            made=now,
            expires=now + self.policy.settings.ttl_minutes * 60,
            vector=packed(self._encoder.encode([essence(request["text"])])[0]) if wording else b"",
        )

    def _is_to_be_checked(self, found: Found) -> bool:
        # what a large model answered cannot be checked by a small one
        able = self.checker is not None and found.how == "semantic" and found.entry.alone
        return able and self.policy.sampled() < self.policy.settings.sample

    def _note(self, notes: dict[str, Entry], request: str, entry: Entry) -> None:
        with self._noting:
            notes[request] = entry
            while len(notes) > _WITHHELD:  # of runs that never came to their end
                del notes[next(iter(notes))]

    def _store(self, given: BaseStore | None) -> Store:
        store = given or self._fallback
        if store is None or self.policy.settings.in_redis:
            return self.own
        return LangGraphStore(store if self._guarded is None else self._guarded(store))


def _reply(found: Found) -> Reply:
    entry = found.entry
    recalled = Recalled(
        decision=entry.decision, how=found.how, similarity=min(1.0, max(0.0, round(found.similarity, 4)))
    )
    return Reply(
        text=entry.text,
        outcome="recalled",
        answered_by="memory",
        domain=entry.domain,
        recalled={**recalled.model_dump(), "cost_usd": entry.cost_usd},
    )
