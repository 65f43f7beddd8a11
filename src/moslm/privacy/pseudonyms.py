"""Placeholders in the place of personal data: ``hide`` before a text leaves, ``restore`` in what comes back.

For whoever sends a conversation off the premises, five lines::

    privacy = pseudonymiser(settings)                        # once; ConfigError where it cannot be built
    talk = privacy.conversation(tenant, conversation)        # its placeholders are nobody else's
    hidden = talk.hide_all(texts)                            # PrivacyError: send nothing
    answer, arguments = talk.restore(text), talk.restore_value(tool_call["args"])
    stream = talk.restorer()                                 # stream.feed(piece) ... stream.close()

One value has one placeholder in a conversation, whatever its case and spacing; restoring gives it as it first stood. A
text that already looks like a placeholder is hidden as a value too, so nothing a user writes is ever taken for one. A
placeholder that nobody gave out in this conversation stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from moslm.config import PrivacySettings
from moslm.errors import DetectorFailed, MoSLMError
from moslm.privacy.keys import KeySource, configured_keys
from moslm.privacy.placeholders import is_kind, literals, written
from moslm.privacy.recognisers import Finding, Recogniser, Seams, merged, recogniser, seams
from moslm.privacy.recurring import Recurring
from moslm.privacy.restoring import Restorer, restored, restored_value
from moslm.privacy.sameness import sameness
from moslm.privacy.sealed_vault import SealedVault
from moslm.privacy.vault import MemoryVault, Value, Vault

_DAY_S = 86_400.0


class Pseudonymiser:
    """Hides and restores, for every tenant and conversation. Thread-safe as far as its parts are; ours are.

    Args:
        recogniser: Who finds what must not leave in one text.
        vault: Who keeps what placeholders stand for.
        seams: Who finds what is split over neighbouring texts; None leaves them alone.
    """

    def __init__(self, recogniser: Recogniser, vault: Vault, seams: Seams | None = None) -> None:
        self.recogniser, self.vault, self.seams = recogniser, vault, seams

    def conversation(self, tenant: str, conversation: str) -> Conversation:
        """Return the one who hides and restores for a conversation; costs nothing to make."""
        return Conversation(self, tenant, conversation)


class Conversation:
    """Hides and restores for one conversation of one tenant."""

    def __init__(self, privacy: Pseudonymiser, tenant: str, conversation: str) -> None:
        self._privacy, self._vault = privacy, privacy.vault
        self._of = (tenant, conversation)

    def hide(self, text: str) -> str:
        """Return a text with placeholders where personal data stood.

        Raises:
            DetectorFailed: A recogniser failed, so nobody knows what the text holds.
            VaultError: The values cannot be kept.
        """
        return self.hide_all([text])[0]

    def hide_all(self, texts: Sequence[str]) -> list[str]:
        """Hide the texts of a conversation, in their order: also what is split over neighbouring ones.

        Raises:
            DetectorFailed: A recogniser failed, so nobody knows what the texts hold.
            VaultError: The values cannot be kept.
        """
        found = [self._found(text) for text in texts]
        for of_text, pieces in zip(found, self._split(texts), strict=True):
            of_text.extend(pieces)
        return self._hidden(texts, found)

    def hide_value(self, value: Any) -> Any:
        """Hide in every text of nested dicts, lists and tuples; a personal number becomes a text, its placeholder.

        Raises:
            DetectorFailed: A recogniser failed, so nobody knows what the value holds.
            VaultError: The values cannot be kept.
        """
        leaves = list(_leaves(value, ""))
        texts = [text for _, text in leaves]
        hidden = iter(self._hidden(texts, [self._found(text, name) for name, text in leaves]))
        return _rebuilt(value, hidden)

    def restore(self, text: str) -> str:
        """Return a text with the values in the place of their placeholders.

        Raises:
            VaultError: A value cannot be read.
        """
        return restored(text, self._value)

    def restore_value(self, value: Any) -> Any:
        """Restore in every text of nested dicts, lists and tuples, such as a tool call's arguments.

        Raises:
            VaultError: A value cannot be read.
        """
        return restored_value(value, self._value)

    def restorer(self) -> Restorer:
        """Return a restorer for one streamed text."""
        return Restorer(self._value)

    def _value(self, kind: str, number: int) -> str | None:
        return self._vault.value(*self._of, kind, number)

    def _found(self, text: str, name: str = "") -> list[Finding]:
        """Find in one text, read behind the name of the field it stands in."""
        before = f"{name}: " if name else ""
        found = _guarded(self._privacy.recogniser, before + text)
        shifted = (
            Finding(max(0, each.start - len(before)), each.end - len(before), each.kind, each.score)
            for each in found
            if each.end > len(before)
        )
        return [*shifted, *literals(text)]

    def _split(self, texts: Sequence[str]) -> list[list[Finding]]:
        if self._privacy.seams is None or len(texts) < 2:
            return [[] for _ in texts]
        return _guarded_seams(self._privacy.seams, texts)

    def _hidden(self, texts: Sequence[str], found: Sequence[Sequence[Finding]]) -> list[str]:
        known = [(each.kind, each.text) for each in self._vault.kept(*self._of)]
        new = [(each.kind, text[each.start : each.end]) for text, each in _with_texts(texts, map(merged, found))]
        recurring = Recurring([*known, *new])
        final = [merged([*own, *recurring.find(text)]) for text, own in zip(texts, found, strict=True)]
        values = [_value(each.kind, text[each.start : each.end]) for text, each in _with_texts(texts, final)]
        numbers = iter(self._vault.keep(*self._of, values))
        return [_replaced(text, own, numbers) for text, own in zip(texts, final, strict=True)]


def configured_vault(settings: PrivacySettings, earlier: Sequence[KeySource] = ()) -> SealedVault | None:
    """Return the vault on disk; None where values are kept in memory.

    Args:
        settings: The ``[privacy]`` section.
        earlier: Keys of the past, the newest first.

    Raises:
        ConfigError: Its key is missing or wrong.
        MissingExtraError: The extra ``encryption`` is not installed.
    """
    if settings.vault is None:
        return None
    keep_s = None if settings.keep_days is None else settings.keep_days * _DAY_S
    return SealedVault(settings.vault, configured_keys(settings), earlier, keep_s=keep_s)


def pseudonymiser(settings: PrivacySettings, earlier: Sequence[KeySource] = ()) -> Pseudonymiser:
    """Build what the settings say.

    Args:
        settings: The ``[privacy]`` section.
        earlier: Keys of the past that still open the vault.

    Raises:
        ConfigError: The vault's key is missing or wrong, or the language model is not installed.
        MissingExtraError: The packages of the engine or of the vault are not installed.
    """
    return Pseudonymiser(recogniser(settings), configured_vault(settings, earlier) or MemoryVault(), seams())


def _guarded(recogniser: Recogniser, text: str) -> list[Finding]:
    try:
        found = recogniser.find(text)
    except MoSLMError:
        raise
    except Exception as error:
        # its message may hold the text
        raise DetectorFailed(type(recogniser).__name__, type(error).__name__) from None
    for each in found:
        if not (0 <= each.start <= each.end <= len(text) and is_kind(each.kind)):
            raise DetectorFailed(type(recogniser).__name__, "it found what cannot be")
    return found


def _guarded_seams(seams: Seams, texts: Sequence[str]) -> list[list[Finding]]:
    try:
        return seams.find(texts)
    except Exception as error:
        raise DetectorFailed(type(seams).__name__, type(error).__name__) from None


def _with_texts(texts: Sequence[str], found: Iterable[Sequence[Finding]]) -> Iterator[tuple[str, Finding]]:
    for text, own in zip(texts, found, strict=True):
        for each in own:
            yield text, each


def _value(kind: str, text: str) -> Value:
    return Value(kind, text, sameness(kind, text))


def _replaced(text: str, found: Sequence[Finding], numbers: Iterator[int]) -> str:
    pieces, at = [], 0
    for each in found:
        pieces += [text[at : each.start], written(each.kind, next(numbers))]
        at = each.end
    return "".join([*pieces, text[at:]])


def _leaves(value: Any, name: str) -> Iterator[tuple[str, str]]:
    """Yield every text with the name of its field, and keys as texts of their own, in the order of `_rebuilt`."""
    if isinstance(value, dict):
        for key, each in value.items():
            if isinstance(key, str):
                yield "", key
            yield from _leaves(each, str(key))
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _leaves(each, name)
    elif isinstance(value, str) or _is_number(value):
        yield name, str(value)


def _rebuilt(value: Any, hidden: Iterator[str]) -> Any:
    if isinstance(value, dict):
        return {(next(hidden) if isinstance(key, str) else key): _rebuilt(each, hidden) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)([_rebuilt(each, hidden) for each in value])
    if isinstance(value, str):
        return next(hidden)
    if _is_number(value):
        text = next(hidden)
        return value if text == str(value) else text
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
