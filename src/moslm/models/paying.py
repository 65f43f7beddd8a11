"""Calls that cost money: the most they can cost is set aside before they are made, and settled after.

`paying` runs a step's calls (`moslm.models.calls`) and stands between each one that has a `Bill` and its model.
Whatever happens to the call (an answer, a failure, a deadline, a run that is cancelled), the ledger is told, and a call
that was paid for before, by the same step of the same request, is not made again. Knows the ledger; neither what was
asked nor what a cap's end means for the request.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol, TypeVar

from langchain_core.messages import AIMessage, BaseMessage, message_to_dict, messages_from_dict
from langchain_core.runnables import Runnable

from moslm.budgets.ledger import Ledger
from moslm.budgets.money import nanos
from moslm.budgets.purchases import Amount, AtCap, Bought, Hold, Payer, Purchase, Standing, Underway
from moslm.budgets.stores import Spent
from moslm.budgets.throttle import Asking
from moslm.budgets.wording import why_not
from moslm.errors import BackendBusy, BackendError, BackendGarbled, BackendTimeout, CapReached, LedgerError
from moslm.models.calls import Aside, Call, Pause, Steps, through
from moslm.models.chat.logprobs import TokenCount, usage_of
from moslm.models.chat.watched import Unfinished, Watched

_LOG = logging.getLogger("moslm.budgets")
_FRAMING = 16
"""Tokens a chat template may put around each message."""
_LOOK_AGAIN_S = 0.05
"""How often a call that another run is paying for is looked after."""
T = TypeVar("T")


class PriceOf(Protocol):
    """What a call of one model costs, in US dollars."""

    def __call__(
        self, input_tokens: int, output_tokens: int, /, *, cached_tokens: int = 0, reasoning_tokens: int = 0
    ) -> float:
        """Price a call by its tokens."""


@dataclass(frozen=True, slots=True)
class Till:
    """Where the calls of one model are paid.

    Attributes:
        model: Its name.
        ledger: Who keeps account.
        price: What a call cost.
        most: (input tokens, output tokens) -> the most such a call can cost, US dollars.
        max_tokens: The longest answer it can give; the call must say so to its server.
        admit: Given an `Asking`, waits for a place at the provider; False when that would take too long. None lets all
            pass.
        rest: Told for how many seconds the provider asked to be left alone.
        streams: Whether its answers may be streamed from its server without losing its count of tokens, so that one
            that is given up is booked as far as it came.
    """

    model: str
    ledger: Ledger
    price: PriceOf
    most: Callable[[int, int], float]
    max_tokens: int
    admit: Runnable[Any, Any] | None = None
    rest: Callable[[float], None] | None = None
    streams: bool = False

    def cost(self, tokens: TokenCount) -> float:
        """Return what a call cost by its tokens, in US dollars."""
        return self.price(tokens.input, tokens.output, cached_tokens=tokens.cached, reasoning_tokens=tokens.reasoning)


@dataclass(frozen=True, slots=True)
class Bill:
    """What one call may come to.

    Attributes:
        till: Where it is paid.
        input_tokens: The most tokens its prompt can have.
        fingerprint: Tells its prompt from another.
        prompt: The prompt, for an estimate where the server counts nothing.
        carried: Bytes of what the call carries beside its prompt.
        keeps: Whether its answer can be kept, and given again instead of being paid again.
    """

    till: Till
    input_tokens: int
    fingerprint: str
    prompt: Sequence[BaseMessage]
    carried: int = 0
    keeps: bool = True


@dataclass(slots=True)
class Account:
    """On whose account a step's calls are, and how the caps stood.

    Attributes:
        payer: Who pays.
        step: Names the step among all of its tenant: the same one of a resumed, retried or forked run has the same.
        standings: How each cap stood at the last call.
    """

    payer: Payer
    step: str
    standings: tuple[Standing, ...] = ()
    _calls: int = field(default=0, repr=False)

    def purchase(self, bill: Bill, seconds: float) -> Purchase:
        """Return the next purchase of this step."""
        self._calls += 1
        till = bill.till
        named = json.dumps([self.payer.tenant, self.step, self._calls, till.model, bill.fingerprint])
        most = Amount(nanos(till.most(bill.input_tokens, till.max_tokens)), bill.input_tokens + till.max_tokens)
        return Purchase(hashlib.sha256(named.encode()).hexdigest(), self.payer, till.model, most, seconds)


def billed(till: Till | None, prompt: Sequence[BaseMessage], carried: int = 0) -> Bill | None:
    """Return the bill of a call as `bill_of` does; None for a model whose calls are free."""
    return None if till is None else bill_of(till, prompt, carried)


def bill_of(till: Till, prompt: Sequence[BaseMessage], carried: int = 0) -> Bill:
    """Return the bill of a call.

    Args:
        till: Where the model is paid.
        prompt: What it is asked.
        carried: Bytes of what the call carries besides, such as tools.
    """
    told = [[each.type, each.text, _calls_of(each)] for each in prompt]
    # no byte-level tokenizer makes more tokens than there are bytes: an estimate by characters falls short for Chinese
    most = sum(len(text.encode()) + len(calls.encode()) + _FRAMING for _, text, calls in told) + carried
    fingerprint = hashlib.sha256(json.dumps([told, carried]).encode()).hexdigest()
    return Bill(till, most, fingerprint, prompt, carried)


def paying(steps: Steps[T], account: Account) -> Steps[T]:
    """Run a step, and have each of its calls that has a bill paid.

    Raises:
        CapReached: Into the step, where a cap does not allow a call.
    """
    return (yield from through(steps, lambda call: _paid(call, account)))


def _paid(call: Call | Aside, account: Account) -> Generator[Call | Aside, Any, Any]:
    if isinstance(call, Aside) or call.bill is None:
        return (yield call)
    bill = call.bill
    hold = yield from _held(bill, call, account)
    if isinstance(hold, Bought):
        return messages_from_dict([json.loads(hold.answer)])[0]
    till = bill.till
    try:
        yield from _admitted(bill, hold, call, account)
    except BackendError:
        yield from _told(till, lambda: till.ledger.release(hold))
        raise
    except BaseException:
        _tell(lambda: till.ledger.release(hold))  # nobody waits for a run that was given up
        raise
    answer = yield from _made(call, bill, hold)
    counts = [usage_of(each, bill.prompt) for each in _messages(answer)]
    spent = Spent(_sum([_amount(till, each) for each in counts])) if all(c.known for c in counts) and counts else None
    kept = _kept(answer) if bill.keeps else None
    # what the provider does not count is booked at the most it can be
    yield from _told(till, lambda: till.ledger.settle(hold, spent or Spent(hold.most, known=False), kept))
    return answer


def _held(bill: Bill, call: Call, account: Account) -> Generator[Call | Aside, Any, Hold | Bought]:
    """Set the most of a call aside; wait where another run is paying for this very step."""
    till = bill.till
    purchase = account.purchase(bill, call.remaining())
    while True:
        verdict = yield _aside(till, lambda: till.ledger.reserve(purchase))
        if isinstance(verdict, Underway):
            yield Call(Pause(_LOOK_AGAIN_S), None, call.backend, call.deadline)
            continue
        if isinstance(verdict, Bought):
            return verdict
        account.standings = verdict.standings
        if isinstance(verdict, AtCap):
            raise CapReached(till.model, why_not(verdict.cap, till.model), verdict.cap)
        assert isinstance(verdict, Hold)
        return verdict


def _admitted(bill: Bill, hold: Hold, call: Call, account: Account) -> Generator[Call | Aside, Any, None]:
    """Wait for a place at the provider, and note that the call is about to be made."""
    till = bill.till
    if till.admit is not None:
        # a provider counts tokens, of which a prompt has fewer than the bytes that are set aside for it
        tokens = usage_of(AIMessage(""), bill.prompt).input + till.max_tokens
        asking = Asking(account.payer.tenant, tokens, call.deadline)
        admitted = yield Call(till.admit, asking, f"the throttle of {till.model}", call.deadline)
        if not admitted:
            raise BackendBusy(till.model, f"too many requests are waiting for {till.model}")
    if not (yield _aside(till, lambda: till.ledger.sending(hold))):
        raise BackendTimeout(till.model, f"{till.model} was not asked before what was set aside for it lapsed")


def _made(call: Call, bill: Bill, hold: Hold) -> Generator[Call | Aside, Any, Any]:
    """Make the call; where it ends without an answer, book what it may have cost."""
    till, progress = bill.till, _Progress()
    asked = replace(call, runnable=Watched(call.runnable, progress.goes_on)) if till.streams else call
    try:
        return (yield asked)
    except (BackendTimeout, BackendGarbled):
        # it was answering, or has answered: the provider may charge for it
        yield from _told(till, lambda: till.ledger.settle(hold, _so_far(bill, hold, progress)))
        raise
    except BackendBusy as busy:
        seconds = busy.retry_after_s
        yield from _told(till, lambda: till.ledger.release(hold))
        if till.rest is not None:
            yield from _told(till, partial(till.rest, seconds))
        raise
    except BackendError:
        yield from _told(till, lambda: till.ledger.release(hold))
        raise
    except BaseException:
        _tell(lambda: till.ledger.settle(hold, _so_far(bill, hold, progress)))
        raise


def _so_far(bill: Bill, hold: Hold, progress: _Progress) -> Spent:
    """Return what an answer that was given up may have cost: as far as it came, where that could be seen."""
    till = bill.till
    if not till.streams:
        return Spent(hold.most, known=False)
    written = min(progress.tokens, till.max_tokens)
    amount = Amount(nanos(till.most(bill.input_tokens, written)), bill.input_tokens + written)
    return Spent(amount, known=False)


class _Progress:
    """How far an answer has come."""

    tokens = 0
    """The most tokens that the text so far can have."""

    def goes_on(self, answer: Unfinished) -> bool:
        self.tokens = max(len(answer.text.encode()), answer.tokens)
        return False


def _aside(till: Till, work: Callable[[], Any]) -> Aside:
    """Return the work of asking the ledger; a ledger that cannot be kept allows nothing."""

    def kept() -> Any:
        try:
            return work()
        except LedgerError as error:
            raise unkept(till.model, error) from error

    return Aside(kept)


def unkept(model: str, error: LedgerError) -> BackendError:
    """Return how it is told that nothing can be bought, and log why."""
    _LOG.error("%s", error)
    return BackendError(model, "the ledger cannot be kept, and nothing is bought without it")


def _told(till: Till, work: Callable[[], None]) -> Generator[Call | Aside, Any, None]:
    """Tell the ledger how a call ended; where that fails, what was set aside stands and is booked once it lapses."""
    try:
        yield _aside(till, work)
    except BackendError as error:
        _LOG.warning("a call of %s ended and could not be booked: %s", till.model, error)


def _tell(work: Callable[[], None]) -> None:
    try:
        work()
    except LedgerError as error:
        _LOG.error("%s", error)


def _amount(till: Till, tokens: TokenCount) -> Amount:
    return Amount(nanos(till.cost(tokens)), tokens.input + tokens.output)


def _sum(amounts: Sequence[Amount]) -> Amount:
    return Amount(sum(each.nanos for each in amounts), sum(each.tokens for each in amounts))


def _messages(answer: Any) -> list[AIMessage]:
    """Return the messages of an answer: one of a chat model, or those of an agent's model call."""
    found = answer if isinstance(answer, list) else getattr(answer, "result", [answer])
    return [each for each in found if isinstance(each, AIMessage)]


def _kept(answer: Any) -> bytes | None:
    return json.dumps(message_to_dict(answer)).encode() if isinstance(answer, AIMessage) else None


def _calls_of(message: BaseMessage) -> str:
    return json.dumps(message.tool_calls, default=str) if isinstance(message, AIMessage) and message.tool_calls else ""
