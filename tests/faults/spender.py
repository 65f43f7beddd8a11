"""A process that buys from a made-up provider under a shared ledger, and may be killed at any moment.

``python spender.py LEDGER INVOICE CAP_USD TRIES SKEW_S SEED DIE`` tries so often, prints one line a verdict. ``LEDGER``
is a file or the address of a Redis server. ``DIE`` names where it kills itself once: ``reserved`` (before the provider
is asked), ``sent`` (after it has charged), or ``never``.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time

from shared_ledger import open_store

from moslm.budgets.caps import caps_of
from moslm.budgets.ledger import Ledger
from moslm.budgets.purchases import Amount, Hold, Payer, Purchase
from moslm.budgets.stores import Spent
from moslm.config import CapSettings


def main() -> None:
    path, invoice, cap, tries, skew, seed, die = sys.argv[1:]
    chance = random.Random(int(seed))
    wall = time.time
    time.time = lambda: wall() + float(skew)
    ledger = Ledger(open_store(path), caps_of([CapSettings(usd=float(cap))]))
    charged = os.open(invoice, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    dies_at = chance.randrange(int(tries)) if die != "never" else -1
    for i in range(int(tries)):
        most = chance.randrange(1, 20_000_000)  # up to two cents, in billionths
        purchase = Purchase(f"{seed}-{i}", Payer("acme", None, None, f"{seed}-{i}", None), "m", Amount(most, 10), 60)
        hold = ledger.reserve(purchase)
        print("held" if isinstance(hold, Hold) else f"refused {most} {hold.cap.left}", flush=True)
        if not isinstance(hold, Hold):
            continue
        if die == "reserved" and i >= dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
        assert ledger.sending(hold)
        cost = chance.randrange(0, most + 1)
        os.write(charged, f"{cost}\n".encode())  # one write to a file opened for appending is whole
        if die == "sent" and i >= dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
        ledger.settle(hold, Spent(Amount(cost, 10)))


main()
