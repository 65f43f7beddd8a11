"""`Sealing`: what encrypts a record where it is kept. Stores of any room take one; this module knows no cipher."""

from __future__ import annotations

from typing import Protocol


class Sealing(Protocol):
    """Seals bytes for one place of one tenant: opened for another tenant or place they are refused."""

    def seal(self, plain: bytes, tenant: str, *place: str) -> bytes:
        """Return the bytes encrypted, bound to the tenant and the place.

        Args:
            plain: What is kept.
            tenant: Whose it is.
            place: What names the place it is kept in, such as ``("audit", id)``.
        """

    def open(self, sealed: bytes, tenant: str, *place: str) -> bytes:
        """Return what was sealed for this tenant and place.

        Raises:
            SealError: It was not sealed, not for this place, not under a known key, or it was altered.
        """
