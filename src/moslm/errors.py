"""What can go wrong, named by who must act.

    MoSLMError
    ├── ConfigError           whoever wrote the configuration: names file, key, value and mend
    │   └── MissingExtraError whoever installed MoSLM: names the extra to install
    ├── WeightsError          whoever pulled the weights: wrong hash, wrong place, nothing there
    ├── RequestError          the caller: a request nobody can answer as it stands
    ├── BackendError          whoever runs the model servers
    │   ├── BackendDown       nothing answers at the address
    │   ├── BackendBusy       it has as much to do as it can; says when to ask again
    │   ├── BackendTimeout    no answer before the deadline
    │   ├── BackendGarbled    an answer that is none: not the protocol, empty, or refused
    │   ├── CapReached        nobody: what was allowed is spent
    │   └── EgressRefused     nobody: it must not leave the premises
    ├── AccessDenied          the caller: who they are is not proven, or they may not do this
    ├── SealError             whoever runs this host: what was kept cannot be opened, and is not read
    ├── LedgerError           whoever runs this host: the ledger cannot be kept, so nothing may be bought
    ├── PrivacyError          whoever runs this host: nothing may leave while this stands
    │   ├── DetectorFailed    personal data could not be looked for
    │   └── VaultError        what placeholders stand for cannot be kept, or was altered
    ├── RecallError           nobody: remembered answers cannot be used, so the request is answered anew
    ├── ReviewError           whoever runs this host: questions to people cannot be kept, so none is asked
    └── AuditError            whoever runs this host: the audit log cannot be kept, so no answer may be given
        └── AlreadyClosed     nobody: a run was repeated, and its first record stands

A failing model is not an exception to the caller of the graph: nodes turn every `BackendError` into a reason in the
Decision. This module knows nothing of configuration files, models or graphs.
"""

from __future__ import annotations

import traceback
from typing import Any


class MoSLMError(Exception):
    """Base of everything MoSLM raises on purpose; its text is one line a person can act on."""


class ConfigError(MoSLMError):
    """A setting that cannot stand.

    Args:
        problem: What is wrong, without a full stop.
        file: The file the setting stands in, if any.
        key: Dotted path of the setting, such as ``domains.finance.threshold``.
        value: The offending value; shown shortened. Omitted when there is none (a missing key).
        mend: What to write or do instead.
    """

    _ABSENT = object()

    def __init__(
        self, problem: str, *, file: str | None = None, key: str | None = None, value: object = _ABSENT, mend: str = ""
    ) -> None:
        self.problem, self.file, self.key, self.value, self.mend = problem, file, key, value, mend
        where = f"{file}: " if file else ""
        if key:
            where += key if value is self._ABSENT else f"{key} = {_short(value)}"
            where += ": "
        super().__init__(f"{where}{problem}" + (f"; {mend}" if mend else ""))

    def at(self, file: str | None, section: str) -> ConfigError:
        """Return the same mistake, placed in the file and section that a lower room could not know."""
        key = f"{section}.{self.key}" if self.key else section
        return ConfigError(self.problem, file=file or self.file, key=key, value=self.value, mend=self.mend)


class MissingExtraError(ConfigError):
    """A feature that was asked for whose packages are not installed.

    Args:
        feature: What needs the packages, as the subject of a sentence.
        extra: Name of the extra in ``pyproject.toml``.
    """

    def __init__(self, feature: str, extra: str) -> None:
        self.feature, self.extra = feature, extra
        super().__init__(f"{feature} needs packages that are not installed", mend=f"run: pip install 'moslm[{extra}]'")


class WeightsError(MoSLMError):
    """Model weights that are missing, incomplete or not the ones that were pinned."""


class RequestError(MoSLMError):
    """A request that nobody can answer as it stands.

    Args:
        code: Stable name of what is wrong, kept in the Decision (``empty``, ``too_long``, ``not_text`` ...).
        message: One sentence for the person who asked.
    """

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


class BackendError(MoSLMError):
    """A model server or tool that did not do its work.

    Args:
        backend: Name of the model or tool, never an address or a path.
        message: One safe sentence: no stack trace, no path, no server text.
    """

    kind = "failed"
    replicas: dict[str, Any] | None = None
    """`moslm.decision.ReplicaUse` as plain JSON: what the attempts met, where a model has servers to choose from."""

    def __init__(self, backend: str, message: str) -> None:
        self.backend = backend
        super().__init__(message)


class BackendDown(BackendError):
    """Nothing answers at the address."""

    kind = "down"


class BackendBusy(BackendError):
    """It has as much to do as it can.

    Args:
        backend: Name of the model or tool.
        message: One safe sentence.
        retry_after_s: Seconds after which asking again makes sense, as HTTP's ``Retry-After`` says it.
    """

    kind = "busy"

    def __init__(self, backend: str, message: str, retry_after_s: float = 1.0) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(backend, message)


class BackendTimeout(BackendError):
    """No answer before the deadline."""

    kind = "timeout"


class BackendGarbled(BackendError):
    """An answer that is none: not the protocol, empty, or refused by the server."""

    kind = "garbled"


class CapReached(BackendError):
    """A call that a cap does not allow.

    Args:
        backend: Name of the model.
        message: One clause that names the cap, and when there is room again.
        cap: `moslm.budgets.purchases.Standing` of the cap.
    """

    kind = "capped"

    def __init__(self, backend: str, message: str, cap: Any) -> None:
        self.cap = cap
        super().__init__(backend, message)


class EgressRefused(BackendError):
    """A call that must not leave the premises, or of which nobody knows whether it may."""

    kind = "kept_inside"


class AccessDenied(MoSLMError):
    """Who calls is not proven, or they may not do what they ask for."""


class SealError(MoSLMError):
    """What was kept was altered or moved, was never sealed, or was sealed under a key that is not here."""


class LedgerError(MoSLMError):
    """The ledger cannot be written or read; nothing may be bought that it does not hold."""


class PrivacyError(MoSLMError):
    """What must not leave cannot be told from what may, or cannot be hidden: whoever meets this sends nothing."""


class DetectorFailed(PrivacyError):
    """A recogniser of personal data failed, so nobody knows what the text holds.

    Args:
        recogniser: Name of the recogniser's class.
        problem: What went wrong, without a word of the text it read.
    """

    def __init__(self, recogniser: str, problem: str) -> None:
        self.recogniser = recogniser
        super().__init__(f"personal data could not be looked for: {recogniser} failed ({problem}); nothing was sent")


class VaultError(PrivacyError):
    """The vault cannot be read or written, or holds a row that was altered or moved."""


class RecallError(MoSLMError):
    """Remembered answers cannot be read or written; a request is answered as if none were remembered."""


class ReviewError(MoSLMError):
    """Questions to people cannot be written or read; a decision must not be carried out that is bound to nothing."""


class AuditError(MoSLMError):
    """The audit log cannot be written or read; an answer whose record was not kept must not be acknowledged."""


class AlreadyClosed(AuditError):
    """Another record stands under this decision's id, and a record is never replaced.

    Args:
        message: One sentence for a person.
        record: The record that stands, as JSON.
    """

    def __init__(self, message: str, record: str) -> None:
        self.record = record
        super().__init__(message)


def wordless(error: BaseException) -> str:
    """Return what kind of error this is and where it rose, without its text: that may quote a request.

    For logs, in the place of ``exc_info``.
    """
    kinds, place = list[str](), error.__traceback__
    found: BaseException | None = error
    while found is not None and len(kinds) < 5:
        kinds.append(type(found).__name__)
        found = found.__cause__ or found.__context__
    return f"{' from '.join(kinds)}\n{''.join(traceback.format_tb(place))}".rstrip()


def _short(value: object, limit: int = 80) -> str:
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]}…"
