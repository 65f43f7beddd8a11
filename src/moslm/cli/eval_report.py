"""``moslm eval report``: a run that was kept, as one page with tables and charts that asks nobody for anything."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from moslm import __version__
from moslm.cli.identity import add_token, identified
from moslm.cli.log import moment
from moslm.cli.settings import add_config, audit_log, settings
from moslm.errors import ConfigError

if TYPE_CHECKING:
    from moslm.evals.reporting.report import Report
    from moslm.evals.running.folder import Read

HELP = "Write a run that was kept as one page with tables and charts"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add which run, what it is held against, and where the page goes."""
    add_config(parser)
    add_token(parser)
    parser.add_argument("run", nargs="?", metavar="DIR", type=Path, help="folder of the run")
    log = parser.add_argument_group("live traffic in the place of a run; it has no grades")
    log.add_argument("--from-log", action="store_true", help="what the audit log says of a window")
    log.add_argument("--since", type=moment, metavar="WHEN", help="2026-11-23, or 12h, 30d; by default 30d")
    log.add_argument("--until", type=moment, metavar="WHEN", help="before this moment; by default now")
    log.add_argument("--tenant", help="this tenant's alone")
    parser.add_argument("--html", metavar="FILE", type=Path, help="where the page goes; by default report.html")
    parser.add_argument("--gate", metavar="NAME", help="targets that must be reached: one that ships, or a TOML file")
    parser.add_argument(
        "--metric", metavar="MODULE:FUNCTION", action="append", help="a metric of your own, beside ours"
    )
    parser.add_argument(
        "--margin", metavar="POINTS", type=float, help="points a case that may be lost, such as 0.02: not worse by more"
    )
    parser.add_argument(
        "--suite", metavar="SUITE", action="append", help="where the questions stand: the file of a suite, or its name"
    )
    parser.add_argument("--data", metavar="DIR", type=Path, help="the folder of public data sets that was run")
    parser.add_argument("--json", action="store_true", help="print the same figures as one JSON object")


def run(options: argparse.Namespace) -> int:
    """Write the page; 1 where a target of the gate is missed."""
    from moslm.evals.running.folder import read_run

    _check(options)
    if options.from_log:
        return _traffic(options)
    if options.margin is not None and not 0 < options.margin <= 1:
        raise ConfigError("must be more than 0 and at most 1", key="--margin", value=options.margin, mend="write 0.02")
    read = read_run(options.run)
    found = _report(read, options)
    file = options.html or (None if options.json else Path("report.html"))
    if file is not None:
        from moslm.evals.reporting.page import report_page

        _write(report_page(found), file)
    if options.json:
        from moslm.evals.reporting.report import document

        print(json.dumps(document(found), indent=2, ensure_ascii=False, allow_nan=False))
    else:
        print(_told(found, file or Path("report.html")))
    return 1 if found.gate is not None and found.gate.missed else 0


def _check(options: argparse.Namespace) -> None:
    if options.from_log == bool(options.run):
        problem = "is named beside --from-log" if options.run else "is missing"
        raise ConfigError(problem, key="DIR", mend="name the folder of a run, or write --from-log")
    if options.from_log and (options.gate or options.metric or options.suite or options.margin):
        raise ConfigError("needs graded answers, which the audit log has not", key="--gate", mend="name a run")


def _traffic(options: argparse.Namespace) -> int:
    from moslm.evals.reporting.traffic import traffic_document, traffic_of
    from moslm.evals.reporting.traffic_page import traffic_page
    from moslm.governance.audit import Filters

    config, now = settings(options.config), datetime.now(UTC)
    identity = identified(config, options.token)
    identity.must("read_audit")
    tenant, log = identity.tenant(options.tenant), audit_log(config, options.config)
    since = options.since or now - timedelta(days=30)
    decisions = log.list(Filters(tenant=tenant, since=since, until=options.until, limit=None))
    log.close()
    found = traffic_of(decisions, str(log.path), now, __version__)
    file = options.html or (None if options.json else Path("report.html"))
    if file is not None:
        _write(traffic_page(found), file)
    if options.json:
        print(json.dumps(traffic_document(found), indent=2, ensure_ascii=False, allow_nan=False))
    else:
        print(f"{file}: {found.requests:,} requests of {log.path} since {since:%Y-%m-%d %H:%M} UTC")
    return 0


def _write(page: str, file: Path) -> None:
    try:
        file.write_text(page, encoding="utf-8")
    except OSError as error:
        mend = "name a file in a folder that is there"
        raise ConfigError(f"cannot be written: {error.strerror}", key="--html", value=str(file), mend=mend) from None


def _report(read: Read, options: argparse.Namespace) -> Report:
    from moslm.evals.gate import read_gate
    from moslm.evals.metrics import METRICS, named_metric
    from moslm.evals.reporting.report import Asked, report_of

    metrics = {**METRICS, **dict(named_metric(each) for each in options.metric or ())}
    gate = read_gate(options.gate, metrics) if options.gate else None
    about = Asked(
        options.run.name or str(options.run),
        read.manifest,
        read.finished,
        read.notice,
        gate,
        metrics,
        options.margin,
        _questions(read, options.suite or (), options.data),
        by=__version__,
    )
    return report_of(read.outcomes, about)


def _questions(read: Read, named: Sequence[str], data: Path | None) -> Mapping[tuple[str, str], str]:
    """Return what was asked, of the suites that are at hand and hold the very cases that were run.

    Raises:
        ConfigError: A suite that was named cannot be read, or is not the one that was run.
    """
    from moslm.evals.running.plan import chosen
    from moslm.evals.suites import find_suites, shipped

    told, found = read.manifest, dict[tuple[str, str], str]()
    by_itself = [each for each in shipped() if each in told.suites]
    for name in dict.fromkeys([*named, *by_itself]):
        suite = find_suites([name], data)[0]
        was, now = told.suites.get(suite.name), chosen([suite], told.sample, told.seed)[0]
        if was is not None and was.sha256 == now.sha256:
            found.update({(suite.name, each.id): each.asked for each in now.cases})
        elif name in named:
            problem = "is not the suite that was run" if was else "was not run"
            raise ConfigError(problem, key="--suite", value=name, mend=f"one of: {', '.join(told.suites)}")
    return found


def _told(found: Report, file: Path) -> str:
    state = "" if found.finished else "; the run is not finished"
    lines = [f"{file}: {found.outcomes:,} outcomes of {', '.join(found.systems) or 'no system'}{state}"]
    if found.gate is not None:
        missed = [each.metric for each in found.gate.targets if each.missed]
        verdict = f"{len(missed)} of {len(found.gate.targets)} targets missed: {', '.join(missed)}"
        lines.append(f"gate {found.gate.name}: {verdict if missed else 'reached'}")
    return "\n".join(lines)
