"""Finds personal data and secrets in a text: by their form, and names by a tagger that ships or by Presidio.

Owns what a finding is and which recognisers there are. Hides nothing: that is `moslm.privacy.pseudonyms`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from moslm.config import PrivacySettings
from moslm.privacy.recognisers.accounts import OTHER_ACCOUNTS, Cards, Ibans
from moslm.privacy.recognisers.addresses import STREET_ADDRESSES
from moslm.privacy.recognisers.around import Around
from moslm.privacy.recognisers.contact import EMAIL_ADDRESSES, PHONE_NUMBERS
from moslm.privacy.recognisers.finding import Finding, Recogniser, merged
from moslm.privacy.recognisers.identity import IDENTITY, company_ids
from moslm.privacy.recognisers.names import NAMES
from moslm.privacy.recognisers.network import NETWORK
from moslm.privacy.recognisers.readings import EveryReading
from moslm.privacy.recognisers.seams import Seams
from moslm.privacy.recognisers.secrets import SECRETS

__all__ = ["Finding", "Recogniser", "Seams", "merged", "recogniser", "seams"]


def _structured(settings: PrivacySettings) -> list[Recogniser]:
    """Return the recognisers of what has a form of its own: everything but names."""
    return [
        Ibans(),
        Cards(),
        *SECRETS,
        *EMAIL_ADDRESSES,
        *PHONE_NUMBERS,
        *OTHER_ACCOUNTS,
        *NETWORK,
        *IDENTITY,
        *company_ids(settings.patterns),
        *STREET_ADDRESSES,
    ]


def _patterns(settings: PrivacySettings) -> Recogniser:
    return EveryReading(*_structured(settings), *NAMES)


def _presidio(settings: PrivacySettings) -> Recogniser:
    from moslm.privacy.recognisers.presidio import Presidio

    return EveryReading(*_structured(settings), *NAMES, Presidio(settings.spacy_model, settings.entities))


def _ner(settings: PrivacySettings) -> Recogniser:
    from moslm.privacy.recognisers.ner import NamesTagger

    forms = _structured(settings)
    return EveryReading(*forms, *NAMES, Around(NamesTagger(), forms))


ENGINES: Mapping[str, Callable[[PrivacySettings], Recogniser]] = {
    "ner": _ner,
    "patterns": _patterns,
    "presidio": _presidio,
}
"""Whole recognisers by the name that stands in ``[privacy] engine``."""


def recogniser(settings: PrivacySettings) -> Recogniser:
    """Build the configured recogniser.

    Raises:
        MissingExtraError: Its packages are not installed.
        ConfigError: Its model is not, or is damaged.
    """
    return ENGINES[settings.engine](settings)


def seams() -> Seams:
    """Build the recogniser of what is split over neighbouring messages."""
    return Seams(
        [Ibans(), Cards(), *SECRETS[:2], *EMAIL_ADDRESSES[:1], *PHONE_NUMBERS, *IDENTITY[:1]], [Ibans(), Cards()]
    )
