"""`SealedStore`: any LangGraph store, made to keep values sealed under names that tell nothing.

Namespaces and keys become keyed hashes, label by label, so that a prefix is still a prefix. What needs to read a name
or a value where it is kept (searching by meaning, listing namespaces) cannot be done and is refused.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import json
from collections.abc import Callable, Coroutine, Generator, Iterable, Iterator, Sequence
from typing import Any

from langgraph.store.base import BaseStore, GetOp, Item, ListNamespacesOp, Op, PutOp, Result, SearchItem, SearchOp

from moslm.errors import SealError
from moslm.privacy.at_rest.seal import Seal

_VALUE = "sealed"
_PAGE = 100
TenantOf = Callable[[tuple[str, ...]], str]
_Asked = Generator[list[Op], list[Result], Result]
"""Asks the store below, is sent what it said, and returns what the caller is told."""


def tenant_in(namespace: tuple[str, ...]) -> str:
    """Return the tenant a namespace is of: MoSLM's own hold it as their third label; all others are one tenant's."""
    return namespace[2] if namespace[:1] == ("moslm",) and len(namespace) > 2 else "default"


class SealedStore(BaseStore):
    """Keeps items in another store, sealed for their tenant, namespace and key.

    Args:
        inner: Where they are kept.
        seal: Encrypts and decrypts.
        tenant: Whose items these are, or what tells it of a namespace; by default `tenant_in`.
    """

    def __init__(self, inner: BaseStore, seal: Seal, tenant: str | TenantOf = tenant_in) -> None:
        self.inner, self._seal = inner, seal
        self._tenant_of: TenantOf = (lambda _: tenant) if isinstance(tenant, str) else tenant
        self.supports_ttl, self.ttl_config = inner.supports_ttl, inner.ttl_config

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Do each operation on the store below.

        Raises:
            SealError: An item was altered, moved, or never sealed; or the operation needs to read what is sealed.
        """
        return [self._drive(self._asking(op)) for op in ops]

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Do as `batch` does."""
        return [await self._adrive(self._asking(op)) for op in ops]

    def rotate(self, namespace: tuple[str, ...]) -> int:
        """Seal all items below a namespace under the current key; return how many were not yet."""
        moved = 0
        for names in self._spellings(namespace)[1:]:
            while found := self.inner.search(names, limit=_PAGE):
                for item in found:
                    at, key, value = self._opened(item.value, self._tenant_of(namespace))
                    self.batch([PutOp(at, key, value, False)])
                    self.inner.delete(item.namespace, item.key)
                    moved += 1
        return moved

    def _asking(self, op: Op) -> _Asked:
        if isinstance(op, GetOp):
            return self._get(op)
        if isinstance(op, PutOp):
            return self._put(op)
        if isinstance(op, SearchOp):
            return self._search(op)
        assert isinstance(op, ListNamespacesOp)
        raise SealError("a sealed store does not know the names of its namespaces")

    def _get(self, op: GetOp) -> _Asked:
        for namespace, key in self._places(op.namespace, op.key):
            (found,) = yield [GetOp(namespace, key, op.refresh_ttl)]
            if isinstance(found, Item):
                value = self._checked(found.value, op.namespace, op.key)
                return Item(
                    value=value,
                    key=op.key,
                    namespace=op.namespace,
                    created_at=found.created_at,
                    updated_at=found.updated_at,
                )
        return None

    def _put(self, op: PutOp) -> _Asked:
        current, *earlier = self._places(op.namespace, op.key)
        sealed = None if op.value is None else self._sealed(op.namespace, op.key, dict(op.value))
        # no longer under a key of the past: what is deleted must not come back
        yield [PutOp(*current, sealed, False, op.ttl), *(PutOp(*each, None) for each in earlier)]
        return None

    def _search(self, op: SearchOp) -> _Asked:
        if op.query:
            raise SealError("a sealed store cannot be searched by meaning")
        if any(key.startswith("$") for each in (op.filter or {}).values() if isinstance(each, dict) for key in each):
            raise SealError("a sealed store compares for equality alone")
        tenant, found = self._tenant_of(op.namespace_prefix), list[SearchItem]()
        most = op.offset + op.limit
        for names in self._spellings(op.namespace_prefix):
            for start in itertools.count(0, _PAGE):
                (page,) = yield [SearchOp(names, None, _PAGE, start, None, op.refresh_ttl)]
                items = [each for each in page if isinstance(each, SearchItem)] if isinstance(page, list) else []
                found += [each for each in self._matching(items, tenant, op.filter or {})]
                if len(items) < _PAGE or len(found) >= most:
                    break
        return found[op.offset : most]

    def _matching(self, items: Sequence[SearchItem], tenant: str, wanted: dict[str, Any]) -> Iterator[SearchItem]:
        for item in items:
            namespace, key, value = self._opened(item.value, tenant)
            if (item.namespace, item.key) not in self._places(namespace, key):
                raise SealError("an item of the store was moved from where it was kept")
            if all(value.get(name) == each for name, each in wanted.items()):
                yield SearchItem(namespace, key, value, item.created_at, item.updated_at)

    def _places(self, namespace: tuple[str, ...], key: str) -> list[tuple[tuple[str, ...], str]]:
        tenant = self._tenant_of(namespace)
        keys = self._seal.names(tenant, "key", *namespace, key)
        return list(zip(self._spellings(namespace), keys, strict=True))

    def _spellings(self, namespace: tuple[str, ...]) -> list[tuple[str, ...]]:
        """Return a namespace as the store below knows it, under each key."""
        tenant = self._tenant_of(namespace)
        labels = [self._seal.names(tenant, "label", *namespace[: i + 1]) for i in range(len(namespace))]
        return [tuple(each) for each in zip(*labels, strict=True)] if labels else [()]

    def _sealed(self, namespace: tuple[str, ...], key: str, value: dict[str, Any]) -> dict[str, str]:
        plain = json.dumps([list(namespace), key, value], ensure_ascii=True).encode()
        return {_VALUE: base64.b64encode(self._seal.seal(plain, self._tenant_of(namespace), "store")).decode()}

    def _opened(self, kept: dict[str, Any], tenant: str) -> tuple[tuple[str, ...], str, dict[str, Any]]:
        text = kept.get(_VALUE)
        try:
            sealed = base64.b64decode(text if isinstance(text, str) else "", validate=True)
        except (binascii.Error, ValueError):
            sealed = b""
        namespace, key, value = json.loads(self._seal.open(sealed, tenant, "store"))
        return tuple(namespace), key, value

    def _checked(self, kept: dict[str, Any], namespace: tuple[str, ...], key: str) -> dict[str, Any]:
        at, name, value = self._opened(kept, self._tenant_of(namespace))
        if (at, name) != (namespace, key):
            raise SealError("an item of the store was moved from where it was kept")
        return value

    def _drive(self, asked: _Asked) -> Result:
        return _until_done(asked, self.inner.batch)

    async def _adrive(self, asked: _Asked) -> Result:
        return await _auntil_done(asked, self.inner.abatch)


def _until_done(asked: _Asked, ask: Callable[[list[Op]], list[Result]]) -> Result:
    try:
        ops = next(asked)
        while True:
            ops = asked.send(ask(ops))
    except StopIteration as end:
        result: Result = end.value
        return result


async def _auntil_done(asked: _Asked, ask: Callable[[list[Op]], Coroutine[Any, Any, list[Result]]]) -> Result:
    try:
        ops = next(asked)
        while True:
            ops = asked.send(await ask(ops))
    except StopIteration as end:
        result: Result = end.value
        return result
