"""On whose account a request's calls are, and how the caps on it are written down."""

from __future__ import annotations

from collections.abc import Sequence

from moslm.budgets.money import dollars
from moslm.budgets.purchases import Payer, Standing
from moslm.budgets.wording import moment
from moslm.decision import CapUse
from moslm.models.paying import Account
from moslm.state import Request


def account_of(request: Request, domain: str | None, step: str) -> Account:
    """Return the account of one step of a request.

    Args:
        request: The request.
        domain: The domain whose caps count its calls; None where it was not settled.
        step: Names the step within the request.
    """
    return Account(payer_of(request, domain), f"{request.get('key') or request['id']} {step}")


def payer_of(request: Request, domain: str | None) -> Payer:
    """Return who pays for a request."""
    return Payer(request["tenant"], request["user"], request["thread_id"], request["id"], domain)


def cap_uses(standings: Sequence[Standing], reached: Standing | None) -> list[CapUse]:
    """Return how each cap stood, as a Decision keeps it.

    Args:
        standings: Every cap the call was held against.
        reached: The one that stood in the way, if any.
    """
    return [_use(each, each == reached) for each in standings]


def _use(standing: Standing, reached: bool) -> CapUse:
    limit, taken, left = (
        dollars(each) if standing.unit == "usd" else float(each)
        for each in (standing.limit, standing.taken, standing.left)
    )
    return CapUse(
        cap=standing.cap,
        per=standing.per,
        every=standing.every,
        unit=standing.unit,
        limit=limit,
        taken=taken,
        left=left,
        frees_at=None if standing.frees is None else moment(standing.frees),
        reached=reached,
    )
