"""``moslm cost``: what owning it all costs, beside one large model for everything; or what it takes (``--size``)."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from moslm.budgets.ownership.case_file import CaseFile, example, parsed_case, read_case
from moslm.budgets.ownership.records import LEAST, Recorded, case_of, recorded
from moslm.budgets.ownership.resolving import Question, asked, check, in_currency, resolved
from moslm.budgets.prices import PriceTable
from moslm.budgets.sizing.hardware import hardware_table
from moslm.budgets.sizing.settings import Sized, sized
from moslm.budgets.stores import Total
from moslm.cli.cost_figures import figures_of, plain, rows
from moslm.cli.cost_page import cost_page
from moslm.cli.cost_view import told
from moslm.cli.identity import add_token, identified
from moslm.cli.log import moment
from moslm.cli.settings import add_config, audit_log, config_file, settings
from moslm.config import Config
from moslm.errors import ConfigError
from moslm.governance.audit import Filters

HELP = "Say what owning it costs, beside one large model for everything"
REFERENCE = "the reference design"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add where inputs come from, and where figures go."""
    add_config(parser)
    add_token(parser)
    parser.add_argument("case", nargs="?", metavar="FILE", help="the case; by default the reference design's")
    parser.add_argument("--example", action="store_true", help="print a commented case to start from, and end")
    parser.add_argument("--from-records", action="store_true", help="traffic and prices from audit log and ledger")
    parser.add_argument("--since", type=moment, metavar="WHEN", help="records from then on: 2026-11-23, or 12h, 30d")
    parser.add_argument("--until", type=moment, metavar="WHEN", help="records before this moment; by default now")
    parser.add_argument("--tenant", help="this tenant's records alone")
    parser.add_argument("--least", type=int, default=LEAST, metavar="N", help=f"fewest requests that do ({LEAST})")
    parser.add_argument("--size", action="store_true", help="replicas and GPUs for the [sizing] of the case")
    parser.add_argument("--json", action="store_true", help="every figure as one JSON object")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page with tables and charts")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write every figure as a line")


def run(options: argparse.Namespace) -> int:
    """Reckon and tell."""
    if options.example:
        print(example(), end="")
        return 0
    if options.least < 1:
        raise ConfigError("must be at least 1", key="--least", value=options.least, mend="write a number such as 200")
    config = settings(options.config)
    name = options.case or REFERENCE
    said = read_case(options.case) if options.case else parsed_case(example(), REFERENCE)
    question, record = _question(said, config, name, options)
    if options.size and said.sizing is None:
        mend = "add the section (moslm cost --example shows it)"
        raise ConfigError("is missing", file=name, key="sizing", mend=mend)
    found = figures_of(question, name, record, _sized(said, question, name) if said.sizing else None, config.prices)
    _write(options.html, "--html", lambda: cost_page(found))
    _write(options.csv, "--csv", lambda: "\n".join(",".join(_cell(each) for each in row) for row in rows(found)) + "\n")
    print(json.dumps(plain(found), indent=2) if options.json else told(found, only_size=options.size))
    return 0


def _question(
    said: CaseFile, config: Config, name: str, options: argparse.Namespace
) -> tuple[Question, Recorded | None]:
    question = resolved(said, PriceTable(config.prices, config.currencies), name)
    if not options.from_records:
        return question, None
    record = _record(config, options)
    owned = [model for model, price in config.prices.items() if price.gpu_hour is not None]
    rate = in_currency(1.0, "USD", said, file=name, key="currency")
    case, notes = case_of(record, question.case, owned, rate=rate, least=options.least)
    check(case, name)
    return asked(case, said, name, tuple(notes)), record


def _record(config: Config, options: argparse.Namespace) -> Recorded:
    identity = identified(config, options.token)
    identity.must("read_budget")
    tenant = identity.tenant(options.tenant)
    log = audit_log(config, options.config)
    until = options.until or datetime.now(UTC)
    found, ever = log.list(Filters(tenant=tenant, since=options.since, until=until, limit=None)), log.spent_usd()
    log.close()
    # the ledger's sum is that of all tenants
    ledger = None if tenant else _ledger(config, options)
    return recorded(found, options.since, until, ledger=ledger, ever_usd=ever)


def _ledger(config: Config, options: argparse.Namespace) -> Total | None:
    from moslm.budgets.stores.sqlite import SQLiteStore
    from moslm.graph.ledger_store import ledger_store

    store = ledger_store(config, config_file(options.config))
    if isinstance(store, SQLiteStore) and not store.path.exists():
        return None  # nothing was ever bought, and looking makes no file
    total = store.total()
    store.close()
    return total


def _sized(said: CaseFile, question: Question, name: str) -> Sized:
    assert said.sizing is not None
    local = question.case.requests * question.case.local
    return sized(said.sizing, local, hardware_table(said.hardware_classes), name)


def _write(path: Path | None, key: str, text: Callable[[], str]) -> None:
    if path is None:
        return
    try:
        path.write_text(text(), encoding="utf-8")
    except OSError as error:
        mend = "name a file in a folder that is there"
        raise ConfigError(f"cannot be written: {error.strerror}", key=key, value=str(path), mend=mend) from None


def _cell(value: str) -> str:
    return f'"{value.replace(chr(34), chr(34) * 2)}"' if any(each in value for each in ',"\n') else value
