"""Which of several configurations a conversation gets: by a keyed hash, so that it stays and nobody has to remember.

Light to import: a graph asks it for every request.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Mapping

from moslm.errors import ConfigError


def assigned(conversation: str, salt: str, shares: Mapping[str, float]) -> str:
    """Return the arm of an experiment that a conversation belongs to.

    Args:
        conversation: Its id, such as the thread's; the same one always gets the same arm.
        salt: Of this experiment; another one deals all conversations anew, independently of this.
        shares: Share of the conversations for each arm, in an order that must stay as it is; they sum to 1.

    Raises:
        ConfigError: The salt is empty, there is no arm, or the shares are no shares.
    """
    _check(salt, shares)
    digest = hmac.new(
        salt.encode("utf-8", "surrogatepass"), conversation.encode("utf-8", "surrogatepass"), hashlib.sha256
    ).digest()
    place, upto = int.from_bytes(digest[:8], "big") / 2**64, 0.0
    for arm, share in shares.items():
        upto += share
        if place < upto:
            return arm
    return [arm for arm, share in shares.items() if share > 0][-1]  # the sum of floats fell short of 1


def _check(salt: str, shares: Mapping[str, float]) -> None:
    if not salt:
        raise ConfigError("is empty", key="salt", mend="name the experiment, such as salt = 'threshold-0.7'")
    values = list(shares.values())
    if not values or any(not 0 <= value <= 1 for value in values) or not math.isclose(sum(values), 1, abs_tol=1e-9):
        mend = "write shares that sum to 1, such as {'current': 0.5, 'lower': 0.5}"
        raise ConfigError("are no shares", key="shares", value=dict(shares), mend=mend)
