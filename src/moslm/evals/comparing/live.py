"""From the decisions of live traffic to what arrives at each arm of an experiment.

An arm is a configuration: every decision carries the hash of the one it was made under, so nothing else has to be
recorded. A conversation counts once, by its first request: its later ones do not speak independently, and a value that
is known must not change any more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from moslm.decision import Decision
from moslm.errors import ConfigError
from moslm.evals.comparing.sequential import Arrival
from moslm.tails import binomial_tail

Measure = Callable[[Decision], float]

MEASURES: dict[str, tuple[Measure, bool]] = {
    "kept": (lambda decision: float(decision.outcome == "answered"), True),
    "escalated": (lambda decision: float(decision.outcome == "escalated"), False),
    "handed_over": (lambda decision: float(decision.outcome == "handed_over"), False),
    "in_time": (lambda decision: float(all(each.kept for each in decision.latency)), True),
}
"""What a decision says by itself, each with whether more of it is better; what answers are worth comes as labels."""


class Arrived(BaseModel):
    """What came in, and what does not count."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    conversations: dict[str, int]
    """How many of each arm count."""
    crossed: tuple[str, ...] = ()
    """Conversations that were answered under several configurations; they count for nothing."""
    elsewhere: int = 0
    """Decisions under a configuration that is no arm."""
    unlabelled: int = 0
    """Conversations whose first request has no label yet."""
    split_p: float | None = None
    """Chance of so uneven a split if each arm got its share: below 0.001 the assignment, or what is kept of it, is
    broken, and nothing else here is to be believed. None without two arms."""


def arrivals(
    decisions: Sequence[Decision],
    arms: Mapping[str, str],
    measure: str,
    *,
    shares: tuple[float, float] = (0.5, 0.5),
    labels: Mapping[str, float] | None = None,
) -> tuple[list[Arrival], Arrived]:
    """Return what arrived at each arm, in order.

    Args:
        decisions: In any order.
        arms: Arm by the hash of its configuration, the one that is compared with first.
        measure: One of `MEASURES`, or ``label``.
        shares: Of the traffic, for each arm.
        labels: Points between 0 and 1 by the id of a decision, in the order in which they came.

    Raises:
        ConfigError: The measure is none, or labels are missing for it.
    """
    if measure == "label" and not labels:
        raise ConfigError("needs labels", key="measure", value=measure, mend="give points by the id of a decision")
    if measure not in (*MEASURES, "label"):
        raise ConfigError("is none", key="measure", value=measure, mend=f"one of: {', '.join(MEASURES)}, label")
    first: dict[str, Decision] = {}
    met: dict[str, set[str]] = {}
    elsewhere = 0
    for each in sorted(decisions, key=lambda decision: (decision.opened_at, decision.id)):
        if each.config_sha256 not in arms:
            elsewhere += 1
            continue
        name = f"{each.tenant}/{each.thread_id or each.id}"
        first.setdefault(name, each)
        met.setdefault(name, set()).add(arms[each.config_sha256])
    crossed = tuple(name for name, several in met.items() if len(several) > 1)
    counted = [each for name, each in first.items() if name not in crossed]
    found = _labelled(counted, arms, labels) if measure == "label" and labels else _measured(counted, arms, measure)
    names = list(dict.fromkeys(arms.values()))
    counts = {arm: sum(arms[each.config_sha256] == arm for each in counted) for arm in names}
    return found, Arrived(
        conversations=counts,
        crossed=crossed,
        elsewhere=elsewhere,
        unlabelled=len(counted) - len(found),
        split_p=_split(counts[names[0]], counts[names[1]], shares) if len(names) == 2 else None,
    )


def _measured(counted: Sequence[Decision], arms: Mapping[str, str], measure: str) -> list[Arrival]:
    value, _ = MEASURES[measure]
    return [Arrival(arms[each.config_sha256], value(each)) for each in counted]


def _labelled(counted: Sequence[Decision], arms: Mapping[str, str], labels: Mapping[str, float]) -> list[Arrival]:
    of = {each.id: arms[each.config_sha256] for each in counted}
    return [Arrival(of[id], value) for id, value in labels.items() if id in of]


def _split(first: int, second: int, shares: tuple[float, float]) -> float:
    part, both = shares[0] / sum(shares), first + second
    if not both:
        return 1.0
    upper = binomial_tail(second, both, 1 - part)
    return min(1.0, 2 * min(binomial_tail(first, both, part), upper))
