"""The proof at start that sealing works here: what is sealed opens, and all that must be refused is refused."""

from __future__ import annotations

from langgraph.checkpoint.serde.base import SerializerProtocol

from moslm.errors import ConfigError, SealError
from moslm.privacy.at_rest.seal import Seal
from moslm.privacy.at_rest.serializer import SealedRows, SealedSerializer, strict_serializer

_PLAIN = {"text": "what nobody else may read", "number": 7}
_NAMES_CODE = b"\xc7\x18\x00\x93\xa9fractions\xa8Fraction\xa31/2"
"""A row as LangGraph writes objects: it names what to import and call; here something harmless that is not allowed."""


def prove(seal: Seal) -> None:
    """Seal, open, tamper, move and forge, and see that each ends as it must.

    Raises:
        ConfigError: One of them did not; nothing may be kept.
    """
    here = SealedSerializer(seal, "tenant", ("thread", "1"))
    kind, sealed = here.dumps_typed(_PLAIN)
    _insist(here.loads_typed((kind, sealed)) == _PLAIN, "what is sealed does not open")
    _insist(b"nobody else" not in sealed, "what is sealed can be read")
    for at in (0, len(sealed) // 3, len(sealed) - 1):
        altered = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        _insist(_refuses(here, kind, altered), "an altered row opens")
    for tenant, thread in (("other", "1"), ("tenant", "2")):
        elsewhere = SealedSerializer(seal, tenant, ("thread", thread))
        _insist(_refuses(elsewhere, kind, sealed), "a row of another owner opens")
    for each in (here, SealedRows()):
        _insist(_refuses(each, "msgpack", _NAMES_CODE), "a row that was never sealed is read")
    built = strict_serializer().loads_typed(("msgpack", _NAMES_CODE))
    _insist(built == "1/2", "a row can name what to import")


def _insist(holds: bool, problem: str) -> None:
    if not holds:
        raise ConfigError(
            f"the proof at start failed: {problem}", key="at_rest.seal", mend="reinstall the extra encryption"
        )


def _refuses(serializer: SerializerProtocol, kind: str, data: bytes) -> bool:
    try:
        serializer.loads_typed((kind, data))
    except SealError:
        return True
    return False
