"""`Changes`: what a replay sets otherwise than it was; only what records can answer for."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from moslm.budgets.prices import PriceTable
from moslm.config import Price
from moslm.config.loading import validated
from moslm.errors import ConfigError

_DOMAIN = re.compile(r"domains\.([^.]+)\.threshold")
_ANOTHER_MODEL = re.compile(r"(defaults|domains\.[^.]+)\.(model|server)\b.*")
_KEYS = "defaults.threshold, domains.NAME.threshold, triggers.novelty_alpha or large_model.model.name"


@dataclass(frozen=True, slots=True)
class Changes:
    """What is set otherwise; None leaves a thing as it was recorded.

    Attributes:
        threshold: Confidence threshold of every domain that ``by_domain`` does not name.
        by_domain: Confidence thresholds of single domains.
        novelty_alpha: p-value below which a request goes up as unfamiliar.
        large: Name of the large model.
        prices: Prices that every call is reckoned by anew; None keeps what each call was recorded to cost.
    """

    threshold: float | None = None
    by_domain: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    novelty_alpha: float | None = None
    large: str | None = None
    prices: PriceTable | None = None

    def threshold_of(self, domain: str, recorded: float) -> float:
        """Return the threshold that a draft of a domain is held against."""
        return self.by_domain.get(domain, recorded if self.threshold is None else self.threshold)


def changes(settings: Sequence[str], prices: Path | None = None) -> Changes:
    """Read changes as they are written on the command line.

    Args:
        settings: ``KEY=VALUE`` each, the keys being those of ``moslm.toml``.
        prices: TOML file with ``[prices]`` and ``[currencies]`` as in ``moslm.toml``.

    Raises:
        ConfigError: A setting is none that records can answer for, or a value or the file cannot stand.
    """
    threshold = alpha = large = None
    by_domain: dict[str, float] = {}
    for setting in settings:
        key, equals, value = (part.strip() for part in setting.partition("="))
        if not equals or not value:
            raise ConfigError("is no setting", value=setting, key="--set", mend="write KEY=VALUE")
        if found := _DOMAIN.fullmatch(key):
            by_domain[found[1]] = _probability(key, value)
        elif key == "defaults.threshold":
            threshold = _probability(key, value)
        elif key == "triggers.novelty_alpha":
            alpha = _probability(key, value)
        elif key == "large_model.model.name":
            large = value.strip("\"'")
        elif _ANOTHER_MODEL.fullmatch(key):
            mend = "ask it the same cases with moslm eval, then compare the runs"
            raise ConfigError("cannot be replayed: no record holds another small model's answers", key=key, mend=mend)
        else:
            raise ConfigError("is nothing that records can answer for", key=key, mend=f"set {_KEYS}")
    return Changes(threshold, by_domain, alpha, large, _table(prices))


def _probability(key: str, value: str) -> float:
    try:
        found = float(value)
    except ValueError:
        found = -1.0
    if not 0 <= found <= 1:
        raise ConfigError("must lie between 0 and 1", key=key, value=value)
    return found


def _table(file: Path | None) -> PriceTable | None:
    if file is None:
        return None
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=str(file)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"not TOML: {error}", file=str(file)) from None
    lines = values.get("prices")
    if not isinstance(lines, dict) or not lines:
        mend = 'write [prices] with lines such as "gpt-4o" = { input = 2.5, output = 10 }'
        raise ConfigError("holds no prices", file=str(file), key="prices", mend=mend)
    own = {
        name: validated(Price, line if isinstance(line, dict) else {}, file=str(file), prefix=f'prices."{name}"')
        for name, line in lines.items()
    }
    return PriceTable(own, values.get("currencies"))
