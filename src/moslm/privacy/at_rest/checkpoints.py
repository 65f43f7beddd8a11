"""A checkpoint as a saver below may see it: opaque names, sealed values, and one sealed account of the whole.

The account holds the checkpoint without its values, its metadata and its parent. What the saver below keeps beside it
to find its rows (versions of channels, names of nodes) is never believed.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    PendingWrite,
    get_checkpoint_metadata,
)
from langgraph.checkpoint.serde.base import SerializerProtocol

from moslm.errors import SealError
from moslm.privacy.at_rest.seal import Seal
from moslm.privacy.at_rest.serializer import SEALED, SealedSerializer

_ACCOUNT = "sealed"


class SealedThread:
    """One thread of one tenant: seals what is put into it, opens what comes out.

    Args:
        seal: Encrypts and decrypts.
        serializer: Turns values into bytes.
        tenant: Whose thread it is.
        thread_id: As the graph knows it.
        name: As the saver below knows it.
        asked: The config it was asked for with; where that names the tenant, so do the configs of its checkpoints.
    """

    def __init__(
        self,
        seal: Seal,
        serializer: SerializerProtocol,
        tenant: str,
        thread_id: str,
        name: str,
        asked: RunnableConfig | None = None,
    ) -> None:
        self._seal, self._serializer = seal, serializer
        named = "tenant" in (asked or {}).get("configurable", {})
        self._ids = {"thread_id": thread_id, **({"tenant": tenant} if named else {})}
        self._tenant, self._thread_id, self.name = tenant, thread_id, name

    def address(self, config: RunnableConfig) -> RunnableConfig:
        """Return where the saver below finds what this config names: three ids, and nothing else of it."""
        named = config["configurable"]
        ids = {key: named[key] for key in ("checkpoint_ns", "checkpoint_id") if named.get(key) is not None}
        return {"configurable": {"thread_id": self.name, **ids}}

    def public(self, namespace: str, checkpoint_id: str) -> RunnableConfig:
        """Return the config by which the graph knows a checkpoint."""
        return {"configurable": {**self._ids, "checkpoint_ns": namespace, "checkpoint_id": checkpoint_id}}

    def outgoing(
        self, config: RunnableConfig, checkpoint: Checkpoint, metadata: CheckpointMetadata
    ) -> tuple[Checkpoint, CheckpointMetadata]:
        """Return a checkpoint and its metadata as they are kept."""
        namespace, parent = _namespace(config), config["configurable"].get("checkpoint_id")
        versions = checkpoint["channel_versions"]
        values = {
            channel: self._sealed(value, namespace, "channel", channel, str(versions.get(channel)))
            for channel, value in checkpoint["channel_values"].items()
        }
        account = {
            "checkpoint": {**checkpoint, "channel_values": sorted(values)},
            "metadata": get_checkpoint_metadata(config, metadata),
            "parent": parent,
        }
        told = base64.b64encode(self._sealed(account, namespace, "checkpoint", checkpoint["id"])).decode()
        kept = {**checkpoint, "channel_values": values}
        return cast(Checkpoint, kept), cast(CheckpointMetadata, {_ACCOUNT: told})

    def outgoing_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str
    ) -> list[tuple[str, bytes]]:
        """Return the writes of a task as they are kept."""
        place = (_namespace(config), "write", str(config["configurable"]["checkpoint_id"]), task_id)
        return [(channel, self._sealed(value, *place, channel)) for channel, value in writes]

    def incoming(self, kept: CheckpointTuple) -> CheckpointTuple:
        """Return a checkpoint as it was put.

        Raises:
            SealError: A part of it was altered, moved from another checkpoint, thread or tenant, or never sealed.
        """
        namespace, id = _namespace(kept.config), str(kept.config["configurable"]["checkpoint_id"])
        account = self._opened(_decoded(dict(kept.metadata).get(_ACCOUNT)), namespace, "checkpoint", id)
        checkpoint, parent = account["checkpoint"], account["parent"]
        values = kept.checkpoint.get("channel_values") if isinstance(kept.checkpoint, dict) else None
        if not isinstance(values, dict):
            raise SealError(f"the checkpoint {id} was altered")
        if sorted(values) != checkpoint["channel_values"]:
            raise SealError(f"values of the checkpoint {id} are missing, or were added")
        versions = checkpoint["channel_versions"]
        opened = {
            channel: self._opened(sealed, namespace, "channel", channel, str(versions.get(channel)))
            for channel, sealed in values.items()
        }
        return CheckpointTuple(
            config=self.public(namespace, id),
            checkpoint=cast(Checkpoint, {**checkpoint, "channel_values": opened}),
            metadata=account["metadata"],
            parent_config=self.public(namespace, parent) if parent else None,
            pending_writes=[self._write(each, namespace, id) for each in kept.pending_writes or ()],
        )

    def _write(self, kept: PendingWrite, namespace: str, id: str) -> PendingWrite:
        task_id, channel, sealed = kept
        return task_id, channel, self._opened(sealed, namespace, "write", id, task_id, channel)

    def _sealed(self, value: Any, *place: str) -> bytes:
        return self._at(place).dumps_typed(value)[1]

    def _opened(self, sealed: Any, *place: str) -> Any:
        if not isinstance(sealed, bytes):
            raise SealError("a value of the checkpoints was never sealed, and is not read")
        return self._at(place).loads_typed((SEALED, sealed))

    def _at(self, place: tuple[str, ...]) -> SealedSerializer:
        return SealedSerializer(self._seal, self._tenant, ("thread", self._thread_id, *place), self._serializer)


def _namespace(config: RunnableConfig) -> str:
    return str(config["configurable"].get("checkpoint_ns") or "")


def _decoded(text: object) -> bytes:
    try:
        return base64.b64decode(text if isinstance(text, str) else "", validate=True)
    except (binascii.Error, ValueError):
        raise SealError("the account of a checkpoint was altered") from None
