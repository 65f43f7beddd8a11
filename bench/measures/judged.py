"""Asks the classifier as the graph does: one request, no earlier turns, read and judged by the settings' defaults."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from moslm.config import Config
from moslm.domains import load_domains
from moslm.escalation.reading import Reader
from moslm.escalation.triggers import REQUEST_TRIGGERS, Evidence, Policy
from moslm.escalation.verdicts import judge_request
from moslm.models.classifiers import Yardstick
from moslm.models.classifiers.encoder import EncoderClassifier
from moslm.models.classifiers.head import Head
from moslm.turn import Turn


@dataclass(frozen=True, slots=True)
class Judged:
    """What becomes of one request before any model has answered."""

    domain: str
    """The likeliest domain, whatever follows from it."""
    unfamiliar: bool
    """Whether its novelty p-value is below ``triggers.novelty_alpha``."""
    answered: bool
    """Whether a small model answers it: nothing asks for the large one."""


Judge = Callable[[str], Judged]


def judge_with(head: Head) -> Judge:
    """Return the function that reads and judges a text with this head, under the default settings."""
    config = Config()
    triggers = config.triggers
    yardstick = Yardstick(tuple(head.calibration.tolist()), tuple(head.single.tolist()))
    reader = Reader(EncoderClassifier(head), yardstick, triggers.several_alpha, triggers.part, triggers.most_domains)
    policy = _policy(config)

    def judge(text: str) -> Judged:
        found = reader.read([Turn("user", text)])
        check = judge_request(Evidence(found, policy), REQUEST_TRIGGERS)
        unfamiliar = found.novelty_p is not None and found.novelty_p < triggers.novelty_alpha
        return Judged(found.domain, unfamiliar, check.action == "answer")

    return judge


def _policy(config: Config) -> Policy:
    domains = load_domains(config)
    served = frozenset(name for name, domain in domains.items() if not domain.large_model_only)
    return Policy(
        served=served,
        large_only=frozenset(domains) - served,
        novelty_alpha=config.triggers.novelty_alpha,
        reasoning=config.triggers.reasoning,
        multi_domain=config.multi_domain,
    )
