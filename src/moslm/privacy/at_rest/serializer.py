"""Serializers of what LangGraph keeps: `SealedSerializer` for one place, `SealedRows` for the saver below.

Neither ever reads a row that was not sealed, and neither runs what a row names.
"""

from __future__ import annotations

from typing import Any

from langgraph.checkpoint.serde.base import SerializerProtocol
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from moslm.errors import SealError
from moslm.privacy.at_rest.seal import Seal

SEALED = "moslm-sealed"
_ROWS = "moslm-rows"


def _build_nothing(code: int, data: bytes) -> Any:
    raise SealError("a row of the checkpoints names an object to build, and is not read")


def strict_serializer() -> JsonPlusSerializer:
    """Return LangGraph's serializer, told to build no types but the harmless ones, whatever the environment says."""
    return JsonPlusSerializer(pickle_fallback=False, allowed_json_modules=None, allowed_msgpack_modules=None)


_PACKER = JsonPlusSerializer(
    allowed_json_modules=None, allowed_msgpack_modules=None, __unpack_ext_hook__=_build_nothing
)


class SealedSerializer(SerializerProtocol):
    """Encrypts what it serializes, for one place of one tenant.

    Args:
        seal: Encrypts and decrypts.
        tenant: Whose it is.
        place: Names the place, such as thread, namespace and checkpoint: what is moved to another is refused.
        serializer: Turns objects into bytes; by default LangGraph's, strict.
    """

    def __init__(
        self, seal: Seal, tenant: str, place: tuple[str, ...], serializer: SerializerProtocol | None = None
    ) -> None:
        self._seal, self._tenant, self._place = seal, tenant, place
        self._serializer = serializer or strict_serializer()

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """Return the object sealed; its type is sealed with it."""
        kind, data = self._serializer.dumps_typed(obj)
        tag = kind.encode()
        return SEALED, self._seal.seal(bytes([len(tag)]) + tag + data, self._tenant, *self._place)

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """Return what was sealed for this place.

        Raises:
            SealError: It was not, or was altered.
        """
        kind, sealed = data
        if kind != SEALED:
            raise SealError("what was kept was never sealed, and is not read")
        plain = self._seal.open(bytes(sealed), self._tenant, *self._place)
        end = 1 + plain[0]
        return self._serializer.loads_typed((plain[1:end].decode(), plain[end:]))


class SealedRows(SerializerProtocol):
    """The serializer of a saver below a `SealedSaver`: all it is given is sealed already, all else it refuses.

    It packs numbers, texts, bytes, lists and tables, and has no means to build anything else.
    """

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """Return plain values as bytes."""
        if isinstance(obj, bytes):
            return SEALED, obj
        return _ROWS, _PACKER.dumps_typed(obj)[1]

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """Return plain values.

        Raises:
            SealError: The row is of another kind.
        """
        kind, raw = data
        if kind == SEALED:
            return bytes(raw)
        if kind != _ROWS:
            raise SealError("a row of the checkpoints was never sealed, and is not read")
        try:
            return _PACKER.loads_typed(("msgpack", bytes(raw)))
        except ValueError:
            raise SealError("a row of the checkpoints was altered") from None
