"""Answers in the LangGraph store that the graph runs with; how many processes share them is that store's matter.

Such a store is somebody else's and raises what its driver raises: all of it is a `RecallError` here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from langgraph.store.base import BaseStore

from moslm.errors import RecallError, SealError
from moslm.recall.entries import Entry
from moslm.recall.stores import Which

_ROOT = ("moslm", "answers")
_PAGE = 100


class LangGraphStore:
    """Keeps answers in a LangGraph store, a namespace for each tenant and role.

    Args:
        store: The store.
    """

    def __init__(self, store: BaseStore) -> None:
        self._store = store

    def find(self, entry_of: Sequence[str], key: str) -> Entry | None:
        """See `Store.find`."""
        with _failing():
            item = self._store.get(_namespace(*entry_of), key)
        return None if item is None else Entry.from_plain(item.value)

    def alike(self, entry_of: Sequence[str], wording: str, most: int) -> Sequence[Entry]:
        """See `Store.alike`."""
        with _failing():
            found = self._store.search(_namespace(*entry_of), filter={"wording": wording}, limit=most)
        return [Entry.from_plain(item.value) for item in found]

    def keep(self, entry: Entry) -> None:
        """See `Store.keep`."""
        with _failing():
            self._store.put(_namespace(entry.tenant, entry.role), entry.key, entry.plain(), index=False)

    def purge(self, which: Which) -> int:
        """See `Store.purge`."""
        root = _ROOT if which.tenant is None else (*_ROOT, _label(which.tenant))
        wanted = {"domain": which.domain, "decision": which.decision}
        chosen = {name: value for name, value in wanted.items() if value is not None}
        gone = 0
        with _failing():
            while found := self._store.search(root, filter=chosen or None, limit=_PAGE):
                for item in found:
                    self._store.delete(item.namespace, item.key)
                gone += len(found)
        return gone


@contextmanager
def _failing() -> Iterator[None]:
    try:
        yield
    except SealError:
        raise
    except Exception as error:
        # its text stays out of the log: a database's error may quote the row, and so the request or the answer
        raise RecallError(f"the LangGraph store cannot be used: {type(error).__name__}") from error


def _namespace(tenant: str, role: str) -> tuple[str, ...]:
    return (*_ROOT, _label(tenant), role)


def _label(tenant: str) -> str:
    # labels may hold no full stops and must be text
    return hashlib.sha256(tenant.encode()).hexdigest()[:32]
