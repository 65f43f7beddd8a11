"""`SealedSaver`: any LangGraph saver, made to keep nothing that can be read or exchanged unseen.

LangGraph's own encrypted serializer leaves metadata in clear, does not know whose row it reads, and reads rows that
were never encrypted. This stands around the saver instead: that is where thread and tenant are known.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    get_checkpoint_id,
)

from moslm.errors import SealError
from moslm.privacy.at_rest.checkpoints import SealedThread
from moslm.privacy.at_rest.seal import Seal
from moslm.privacy.at_rest.serializer import SealedRows, strict_serializer

TenantOf = Callable[[RunnableConfig], str]


def configured_tenant(config: RunnableConfig) -> str:
    """Return the tenant that a run's config names: ``configurable["tenant"]``, or ``default``."""
    return str(config.get("configurable", {}).get("tenant") or "default")


class SealedSaver(BaseCheckpointSaver[Any]):
    """Keeps checkpoints in another saver, sealed for their thread and tenant.

    Args:
        inner: Where they are kept. Its serializer is replaced; nothing else may write through it.
        seal: Encrypts and decrypts.
        tenant: Whose threads these are, or what tells it of a run's config; by default `configured_tenant`.
    """

    def __init__(self, inner: BaseCheckpointSaver[Any], seal: Seal, tenant: str | TenantOf = configured_tenant) -> None:
        super().__init__(serde=strict_serializer())
        inner.serde = SealedRows()
        self.inner, self._seal = inner, seal
        self._tenant_of: TenantOf = (lambda _: tenant) if isinstance(tenant, str) else tenant

    def get_next_version(self, current: Any, channel: None) -> Any:
        """Return a channel's next version, as the saver below counts."""
        return self.inner.get_next_version(current, channel)

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return a checkpoint, or the newest of its thread.

        Raises:
            SealError: It was altered, moved, or never sealed.
        """
        thread = self._thread(config)
        found = self.inner.get_tuple(thread.address(config))
        return None if found is None else thread.incoming(found)

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """Yield the checkpoints of a thread, the newest first.

        The saver below cannot read metadata, so a filter opens every checkpoint it passes over.

        Raises:
            SealError: No thread is named, or a checkpoint was altered, moved, or never sealed.
        """
        thread = self._thread(_named(config))
        passing = _Passing(filter, limit)
        if passing.full:
            return
        few = limit if not filter else None
        for kept in self.inner.list(thread.address(_named(config)), before=_before(thread, before), limit=few):
            opened = thread.incoming(kept)
            if passing.takes(opened):
                yield opened
            if passing.full:
                return

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Keep a checkpoint."""
        thread = self._thread(config)
        self.inner.put(_full(thread.address(config)), *thread.outgoing(config, checkpoint, metadata), new_versions)
        return thread.public(_full(config)["configurable"]["checkpoint_ns"], checkpoint["id"])

    def put_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Keep what a task wrote."""
        thread = self._thread(config)
        sealed = thread.outgoing_writes(config, writes, task_id)
        self.inner.put_writes(_full(thread.address(config)), sealed, task_id, task_path)

    def delete_thread(self, thread_id: str) -> None:
        """Delete a thread; of a saver whose tenant is not fixed, that of the tenant ``default``."""
        for name in self._names(thread_id):
            self.inner.delete_thread(name)

    def rotate(self, thread_id: str, tenant: str | None = None) -> int:
        """Seal a thread under the current key; return how many of its checkpoints were not yet.

        Nobody else may write to the thread meanwhile. It is copied, the newest checkpoint first, and the old copy is
        deleted last, so that an interrupted rotation loses nothing and is done again.
        """
        whose = tenant or self._tenant_of(_only(thread_id))
        new = self._called(whose, thread_id, self._seal.name(whose, thread_id))
        moved = 0
        for name in self._seal.names(whose, thread_id)[1:]:
            old = self._called(whose, thread_id, name)
            for kept in tuple(self.inner.list(_only(name))):
                self._move(old.incoming(kept), new)
                moved += 1
            self.inner.delete_thread(name)
        return moved

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Do as `get_tuple` does."""
        thread = await self._athread(config)
        found = await self.inner.aget_tuple(thread.address(config))
        return None if found is None else thread.incoming(found)

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """Do as `list` does."""
        thread = await self._athread(_named(config))
        passing = _Passing(filter, limit)
        if passing.full:
            return
        few = limit if not filter else None
        address = thread.address(_named(config))
        async for kept in self.inner.alist(address, before=_before(thread, before), limit=few):
            opened = thread.incoming(kept)
            if passing.takes(opened):
                yield opened
            if passing.full:
                return

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Do as `put` does."""
        thread = await self._athread(config)
        sealed = thread.outgoing(config, checkpoint, metadata)
        await self.inner.aput(_full(thread.address(config)), *sealed, new_versions)
        return thread.public(_full(config)["configurable"]["checkpoint_ns"], checkpoint["id"])

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Do as `put_writes` does."""
        thread = await self._athread(config)
        sealed = thread.outgoing_writes(config, writes, task_id)
        await self.inner.aput_writes(_full(thread.address(config)), sealed, task_id, task_path)

    async def adelete_thread(self, thread_id: str) -> None:
        """Do as `delete_thread` does."""
        for name in self._names(thread_id):
            await self.inner.adelete_thread(name)

    def _thread(self, config: RunnableConfig) -> SealedThread:
        tenant, thread_id = self._tenant_of(config), str(config["configurable"]["thread_id"])
        names = self._seal.names(tenant, thread_id)
        # a thread stays where it began until it is rotated, so that it never lies in two places
        for name in names[1:]:
            if next(iter(self.inner.list(_only(name), limit=1)), None) is not None:
                if next(iter(self.inner.list(_only(names[0]), limit=1)), None) is None:
                    return self._called(tenant, thread_id, name, config)
                break
        return self._called(tenant, thread_id, names[0], config)

    async def _athread(self, config: RunnableConfig) -> SealedThread:
        tenant, thread_id = self._tenant_of(config), str(config["configurable"]["thread_id"])
        names = self._seal.names(tenant, thread_id)
        for name in names[1:]:
            if await self._aholds(name):
                if not await self._aholds(names[0]):
                    return self._called(tenant, thread_id, name, config)
                break
        return self._called(tenant, thread_id, names[0], config)

    async def _aholds(self, name: str) -> bool:
        async for _ in self.inner.alist(_only(name), limit=1):
            return True
        return False

    def _names(self, thread_id: str) -> Sequence[str]:
        return self._seal.names(self._tenant_of(_only(thread_id)), thread_id)

    def _called(self, tenant: str, thread_id: str, name: str, asked: RunnableConfig | None = None) -> SealedThread:
        return SealedThread(self._seal, self.serde, tenant, thread_id, name, asked)

    def _move(self, opened: CheckpointTuple, new: SealedThread) -> None:
        at, checkpoint = opened.config, opened.checkpoint
        under = opened.parent_config or {"configurable": {**at["configurable"], "checkpoint_id": None}}
        sealed = new.outgoing(under, checkpoint, opened.metadata)
        self.inner.put(_full(new.address(under)), *sealed, checkpoint["channel_versions"])
        for task_id, writes in _by_task(opened).items():
            self.inner.put_writes(_full(new.address(at)), new.outgoing_writes(at, writes, task_id), task_id)


class _Passing:
    """Which of the opened checkpoints a caller of `list` asked for."""

    def __init__(self, filter: dict[str, Any] | None, limit: int | None) -> None:
        self._filter, self._left = filter or {}, limit

    @property
    def full(self) -> bool:
        return self._left is not None and self._left <= 0

    def takes(self, opened: CheckpointTuple) -> bool:
        metadata = dict(opened.metadata)
        if any(metadata.get(key) != value for key, value in self._filter.items()):
            return False
        if self._left is not None:
            self._left -= 1
        return True


def _by_task(opened: CheckpointTuple) -> dict[str, list[tuple[str, Any]]]:
    tasks: dict[str, list[tuple[str, Any]]] = {}
    for task_id, channel, value in opened.pending_writes or ():
        tasks.setdefault(task_id, []).append((channel, value))
    return tasks


def _named(config: RunnableConfig | None) -> RunnableConfig:
    if config is None or not config.get("configurable", {}).get("thread_id"):
        raise SealError("sealed checkpoints are listed thread by thread: name a thread_id")
    return config


def _before(thread: SealedThread, before: RunnableConfig | None) -> RunnableConfig | None:
    return None if before is None or not get_checkpoint_id(before) else thread.address(before)


def _only(thread_id: str) -> RunnableConfig:
    return {"configurable": {"thread_id": thread_id}}


def _full(config: RunnableConfig) -> RunnableConfig:
    return {"configurable": {"checkpoint_ns": "", **config["configurable"]}}
