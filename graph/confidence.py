"""From settings to how drafts are trusted: each domain's gauge, its threshold, and its second opinions.

What stands against trusting a domain (no calibration, a promise that cannot be kept) is said at the start as a notice;
the graph runs all the same, and such drafts go up.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache, partial
from importlib.resources import as_file, files
from pathlib import Path

from langchain_core.language_models import BaseChatModel

from moslm.config import Config, DriftSettings, EarlyEscalationSettings, GuaranteeSettings, home
from moslm.domains import Domain
from moslm.escalation.calibration.artefact import Calibration, read_calibration
from moslm.escalation.calibration.calibrator import ANYTHING, Reaches
from moslm.escalation.calibration.tracks import Floor, Track, floor
from moslm.escalation.confidence import Gauge, Reading, Values
from moslm.escalation.drift_file import DriftFile
from moslm.escalation.gauges import calibrated, missing, raw, watched
from moslm.escalation.opinions import SecondOpinion
from moslm.escalation.second_opinion import Stakes, worth_asking
from moslm.escalation.signals import SignalFunction
from moslm.escalation.stopping import Lookouts, Prospects
from moslm.escalation.watching import Watch
from moslm.models.weights.shelf import hash_of
from moslm.state import Draft
from moslm.statements.declining import declines

CALIBRATED = "calibrated"
"""What ``confidence`` says where a calibration is to decide."""
DRIFT = "drift.sqlite"
"""File in `home` in which is remembered what was seen of the drafts served."""
SHIPPED = "moslm.escalation.calibration"
"""The package that holds the shipped calibrations, in its folder ``shipped``."""

_log = logging.getLogger("moslm.graph")
_ESCALATED_ANSWER = 200
"""Tokens that an answer of the large model usually has, for the price of going up."""


@dataclass(frozen=True, slots=True)
class Trust:
    """How one domain's drafts are trusted."""

    gauge: Gauge
    threshold: float
    """Confidence from which a draft is kept."""
    guaranteed: bool
    """Whether a promise chose the threshold: no caller may lower it then."""
    notices: tuple[str, ...]
    """What a person should know: sentences, without the domain's name."""
    version: str | None
    """Version of the calibration, in force or not."""
    best: Callable[[Reaches], float] | None = None
    """The largest confidence of a draft whose signals are known in part; None where that cannot be told."""
    reads: tuple[str, ...] | None = None
    """Names of the signals that the gauge reads; None for any of them."""
    tracks: tuple[Track, ...] = ()
    """How labelled drafts ran before they ended."""
    watch: Watch | None = None
    """Whom to tell of each draft: it looks for drift. None where no calibration is in force, or none can drift."""
    finishes: bool = False
    """Whether every draft is finished whatever it is worth, because a person may have to look at it."""

    def required(self, own: float | None) -> float:
        """Return the confidence a draft needs, given the threshold a caller asked for."""
        if own is None:
            return self.threshold
        return max(own, self.threshold) if self.guaranteed else own


def trust(
    domain: Domain,
    model: BaseChatModel,
    name: str,
    revision: Callable[[], str],
    signals: Collection[str],
    config: Config,
) -> Trust:
    """Decide how a domain's drafts are trusted.

    Args:
        domain: The domain.
        model: Its chat model.
        name: The name it is recorded under.
        revision: Returns the revision of its weights; asked only where a calibration wants to know.
        signals: Names of the signals that are measured.
        config: The settings: the promise that is to choose the threshold, if any, and whether drift is watched.

    Raises:
        ConfigError: The calibration that the settings name cannot be read.
    """
    made = _trusted(domain, model, name, revision, signals, config)
    return replace(made, finishes=domain.settings.risk == "high")


def _trusted(
    domain: Domain,
    model: BaseChatModel,
    name: str,
    revision: Callable[[], str],
    signals: Collection[str],
    config: Config,
) -> Trust:
    settings, promise = domain.settings, config.guarantee
    if settings.confidence != CALIBRATED:
        best = partial(_best_of_one, settings.confidence)
        gauge, reads = raw(settings.confidence), (settings.confidence,)
        return Trust(gauge, settings.threshold, False, _unpromised(promise), None, best, reads)
    found = read_calibration(settings.calibration) if settings.calibration else shipped(name)
    if found is None:
        if model._llm_type == "moslm-scripted":
            why = "a scripted model states in its script how sure it is"
            best = partial(_best_of_one, "mean")
            return Trust(raw("mean", why), settings.threshold, False, (), None, best, ("mean",))
        why = f"{name} was never calibrated; run: moslm calibrate"
        return Trust(missing(why), settings.threshold, False, (f"keeps nothing local: {why}",), None)
    gauge = calibrated(found, domain.name, name, revision() if found.model == name else "", signals)
    plain = _watched(found, domain, gauge, config.drift)
    return plain if promise is None else _promised(found, domain.name, plain, promise)


def _watched(found: Calibration, domain: Domain, gauge: Gauge, drift: DriftSettings) -> Trust:
    """Return trust in a calibration for as long as what is served looks like what it was fitted on."""
    watch, notices = None, tuple[str, ...]()
    # an empty draft is incomplete by nature; anything else is said of every draft
    if drift.watch and gauge({}).calibration.state == "incomplete":
        watch = Watch(found, domain.name, drift.alpha, DriftFile(home() / DRIFT))
        gauge = watched(gauge, lambda: watch.alarm)
        notices = () if watch.watches else ("is not watched for drift: its calibration is older than this release",)
    standing = gauge({}).calibration
    if standing.state != "incomplete":
        notices = (f"keeps nothing local: its calibration is {standing.state}, because {standing.why}",)
    tracks = tuple(track for domains in found.tracks.values() for track in domains)
    best = partial(found.best, domain.name)
    return Trust(gauge, domain.settings.threshold, False, notices, found.version, best, found.signals, tracks, watch)


def revision_of(model: BaseChatModel, stated: str) -> Callable[[], str]:
    """Return what tells a model's revision: the hash of embedded weights, or what the settings state."""
    weights = getattr(model, "weights", None)
    if model._llm_type == "moslm-embedded" and isinstance(weights, str):
        return lambda: hash_of(weights)
    return lambda: stated


@cache
def shipped(model: str) -> Calibration | None:
    """Return the shipped calibration of a model, or None."""
    folder = files(SHIPPED).joinpath("shipped")
    if not folder.is_dir():
        return None
    for each in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if each.name == file_name(model):
            with as_file(each) as path:
                return read_calibration(Path(path))
    return None


def value_of_asking(
    trusted: Trust,
    signals: Mapping[str, SignalFunction],
    going_up: Callable[[int, int], float],
    usd_per_second: float,
) -> Callable[[Draft, SecondOpinion, float | None], bool]:
    """Return the rule by which a domain asks for second opinions.

    Args:
        trusted: How its drafts are trusted.
        signals: The signals by name.
        going_up: (input tokens, output tokens) -> US dollars of the large model.
        usd_per_second: What a second of waiting is worth.
    """

    def worth(draft: Draft, opinion: SecondOpinion, own_threshold: float | None) -> bool:
        if declines(draft["text"]):  # it goes up whatever is said of it
            return False
        usage = draft.get("usage") or []
        tokens_in = usage[-1]["input_tokens"] if usage else 0
        tokens_out = usage[-1]["output_tokens"] if usage else 0
        stakes = Stakes(
            threshold=trusted.required(own_threshold),
            escalation_usd=going_up(tokens_in, _ESCALATED_ANSWER),
            asking_usd=opinion.price(tokens_in, tokens_out),
            wait_s=draft.get("ms", 0.0) / 1000 * opinion.effort,
            usd_per_second=usd_per_second,
        )
        values = {name: signal(draft).value for name, signal in signals.items()}
        return worth_asking(opinion.signal, values, trusted.gauge, stakes)

    return worth


def lookouts(trusted: Trust, signals: Mapping[str, SignalFunction], early: EarlyEscalationSettings) -> Lookouts | None:
    """Return what may stop a domain's drafts while they are written; None where all of them are to be finished."""

    @lru_cache(maxsize=64)  # callers may ask for thresholds of their own
    def lowest(threshold: float) -> Floor | None:
        return floor(trusted.tracks, threshold, early.false_stops)

    read = {name: signal for name, signal in signals.items() if trusted.reads is None or name in trusted.reads}
    return Prospects(read, trusted.gauge, trusted.best, lowest).lookout if early.stop and not trusted.finishes else None


def _best_of_one(signal: str, reaches: Reaches) -> float:
    reach = reaches.get(signal, ANYTHING)
    return 0.0 if reach is None else reach.most


def announce(trusted: Mapping[str, Trust]) -> tuple[str, ...]:
    """Log, once at the start, what stands against trusting a domain; and return it."""
    said = tuple(f"{name} {notice}" for name, each in trusted.items() for notice in each.notices)
    for notice in said:
        _log.warning("%s", notice)
    return said


def file_name(model: str) -> str:
    """Return the name of the file that a model's calibration is kept in."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", model) + ".json"


def _promised(found: Calibration, domain: str, plain: Trust, promise: GuaranteeSettings) -> Trust:
    words = f"at most {promise.risk:.3g} of the kept answers wrong, with {1 - promise.delta:.3g} confidence"
    made = found.guarantee
    if made is None or (made.risk, made.delta) != (promise.risk, promise.delta):
        why = f"calibration {found.version} was not made for this promise ({words}); run: moslm calibrate"
        return _kept_nothing(plain, why)
    threshold = made.threshold(domain)
    if threshold is None:
        why = f"no threshold of calibration {found.version} keeps the promise ({words}){_feasible(found, domain)}"
        return _kept_nothing(plain, why)
    return replace(plain, threshold=threshold, guaranteed=True)


def _kept_nothing(plain: Trust, why: str) -> Trust:
    notices = (*plain.notices, f"keeps nothing local: {why}")
    return replace(plain, gauge=_withheld(plain.gauge, why), threshold=1.0, guaranteed=True, notices=notices)


def _feasible(found: Calibration, domain: str) -> str:
    certificates = found.guarantee.certificates if found.guarantee else {}
    certificate = certificates.get(domain) or certificates.get("")
    if certificate is None or certificate.feasible_risk is None:
        return ""
    return f"; a risk of {certificate.feasible_risk:.3g} could be promised"


def _withheld(gauge: Gauge, why: str) -> Gauge:
    """Return the gauge that knows a confidence and may not use it: no threshold keeps what was promised."""

    def read(values: Values) -> Reading:
        use = gauge(values).calibration
        return Reading(None, use if use.why else use.model_copy(update={"why": why}))

    return read


def _unpromised(promise: GuaranteeSettings | None) -> tuple[str, ...]:
    if promise is None:
        return ()
    return ("is judged by a raw signal, for which nothing can be promised: its own threshold holds",)
