"""`Suite`: a set of cases with a name, and what its cases have in common. Plain data; reads no file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from moslm.evals.cases import Case


@dataclass(frozen=True, slots=True)
class Suite:
    """Cases that are run and reported together."""

    name: str
    about: str
    """One sentence."""
    licence: str
    cases: tuple[Case, ...]

    @property
    def sha256(self) -> str:
        """Hash of all that its cases ask and expect."""
        told = [each.model_dump(mode="json") for each in self.cases]
        return hashlib.sha256(json.dumps([self.name, told], sort_keys=True).encode()).hexdigest()

    def only(self, cases: Sequence[Case]) -> Suite:
        """Return the suite with these cases alone."""
        return replace(self, cases=tuple(cases))
