"""What must be equal for an answer to hold: the partition, as a hash over all of it.

Whatever could change an answer, or whom it may be shown to, goes into every key; so an entry of another tenant, role,
policy or model is not refused but never found.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from moslm.recall.wording import wording
from moslm.state import Request

_OF_THE_CALLER = ("tenant", "role", "threshold", "multi_domain", "instructions", "sensitivity", "region")


_FEWEST = 2
"""Below this there is too little left to compare: the kind of request and one word."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Under which keys a request's answer is looked for.

    Attributes:
        exact: Hash of the conversation.
        wording: Hash of what its only turn says; None where there were earlier turns, or it says too
            little.
    """

    exact: str
    wording: str | None


def keys_of(request: Request, version: str) -> Keys:
    """Return the keys of a request.

    Args:
        request: The opened request.
        version: Hash of settings, policies, models, tools and handbooks.
    """
    asked = cast(Mapping[str, Any], request)
    partition = {name: asked[name] for name in _OF_THE_CALLER if asked.get(name) not in (None, "")}
    turns = [list(turn) for turn in request["turns"]]
    said = wording(request["text"]) if len(turns) == 1 else ()
    return Keys(
        exact=_hash("exact", version, partition, turns),
        wording=_hash("wording", version, partition, said) if len(said) > _FEWEST else None,
    )


def version_of(*parts: object) -> str:
    """Return the hash of everything that stands in force, given as JSON values."""
    return _hash(*parts)


def _hash(*parts: object) -> str:
    canonical = json.dumps(parts, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
