"""From settings to a `Seal`: the key in force, and those of the past."""

from __future__ import annotations

from moslm.config import Config, EarlierKey, PrivacySettings
from moslm.errors import ConfigError
from moslm.privacy.at_rest.proof import prove
from moslm.privacy.at_rest.seal import Seal
from moslm.privacy.keys import DerivedKeys, configured_keys


def configured_seal(config: Config, file: str | None = None) -> Seal | None:
    """Return what seals under these settings, proven to work; None where nothing is sealed.

    Args:
        config: The settings.
        file: File they stand in, for messages.

    Raises:
        ConfigError: A key is missing or is none, or the proof failed; one line.
        MissingExtraError: The extra ``encryption`` is not installed.
    """
    if not config.at_rest.seal:
        return None
    try:
        current = configured_keys(config.privacy)
    except ConfigError as error:
        raise _placed(error, file, error.key) from None
    seal = Seal(current, configured_earlier(config, file))
    prove(seal)
    return seal


def configured_earlier(config: Config, file: str | None = None) -> list[DerivedKeys]:
    """Return the keys of the past, the newest first.

    Raises:
        ConfigError: One is missing or is none.
        MissingExtraError: The extra ``encryption`` is not installed.
    """
    return [_earlier(each, i, file) for i, each in enumerate(config.at_rest.earlier_keys)]


def _earlier(key: EarlierKey, i: int, file: str | None) -> DerivedKeys:
    try:
        return configured_keys(PrivacySettings(key_env=key.key_env, key_file=key.key_file))
    except ConfigError as error:
        setting = (error.key or "").rpartition(".")[2]
        raise _placed(error, file, f"at_rest.earlier_keys.{i}.{setting}") from None


def _placed(error: ConfigError, file: str | None, key: str | None) -> ConfigError:
    """Return the same mistake in its file; an extra that is missing is no mistake of the file."""
    if type(error) is not ConfigError:
        return error
    return ConfigError(error.problem, file=file, key=key, value=error.value, mend=error.mend)
