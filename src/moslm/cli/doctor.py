"""``moslm doctor``: what is configured, what of it is there, and the command that mends what is not.

Every examination is a function that yields findings; they stand in one table. It looks, changes nothing and asks no
model anything.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator

from moslm.cli.model_findings import EXTRAS, Finding, distinct, how_to_install, installed, lacking, model_findings
from moslm.cli.settings import add_config, audit_file, config_file
from moslm.cli.store_findings import store_findings
from moslm.cli.style import WIDTH, Style, style_for
from moslm.cli.table import broken, items
from moslm.config import Config, home, load
from moslm.errors import MoSLMError
from moslm.governance.audit import AuditLog

HELP = "Say what is configured, what answers and what is missing"

Examine = Callable[[Config, str | None], Iterator[Finding]]
"""Looks at one thing of the configuration, which was read from this file."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_config(parser)


def run(options: argparse.Namespace) -> int:
    """Examine; 1 when something that is configured is missing."""
    style, missing = style_for(), 0
    for finding in findings(options.config):
        print(_shown(finding, style), flush=True)
        missing += finding.state == "missing"
    print("\nNothing is missing." if not missing else f"\nMissing: {missing}.")
    return 1 if missing else 0


def findings(named_file: str | None) -> Iterator[Finding]:
    """Yield everything there is to find, in the order of the table."""
    from moslm import __version__

    python = ".".join(map(str, sys.version_info[:3]))
    yield Finding("ok", "moslm", f"{__version__} on Python {python}, home {home()}")
    file = config_file(named_file)
    try:
        config = load(file)
    except MoSLMError as error:
        yield Finding("missing", "configuration", str(error))
        return
    yield Finding("ok", "configuration", f"{file} is read" if file else "no file: the embedded default")
    missing = False
    for examine in EXAMINATIONS:
        for finding in examine(config, file):
            missing = missing or finding.state == "missing"
            yield finding
    yield from _together(config, file, missing)


def _domains(config: Config, file: str | None) -> Iterator[Finding]:
    from moslm.domains import load_domains

    try:
        domains = load_domains(config, file=file)
    except MoSLMError as error:
        yield Finding("missing", "domains", str(error))
        return
    yield Finding("ok", "domains", items(list(domains)))
    models = [domain.settings.model for domain in domains.values() if not domain.large_model_only]
    for model in distinct(models):
        users = [n for n, d in domains.items() if not d.large_model_only and d.settings.model == model]
        yield from model_findings(config, model, ", ".join(users))


def _large_model(config: Config, file: str | None) -> Iterator[Finding]:
    if config.large_model is None:
        detail = "none: requests that must go up are handed over"
        yield Finding("note", "large model", detail, "add [large_model]; see: moslm config example")
        return
    yield from model_findings(config, config.large_model.model, "the large model")


def _classifier(config: Config, file: str | None) -> Iterator[Finding]:
    if config.classifier.model is not None:
        yield from model_findings(config, config.classifier.model, "the classifier")


def _extras(config: Config, file: str | None) -> Iterator[Finding]:
    wanted = {"mcp"} if config.mcp else set()
    for extra in sorted(wanted):
        if not installed(extra):
            yield lacking(extra, f"MCP servers {', '.join(config.mcp)}")
    here = [name for name in EXTRAS if installed(name)]
    yield Finding("ok", "extras", items(here) or "none")
    for name in EXTRAS:
        if name not in here and name not in wanted:
            yield Finding("note", f"extra {name}", f"not installed; it is for {EXTRAS[name][1]}", how_to_install(name))


def _audit(config: Config, file: str | None) -> Iterator[Finding]:
    log = AuditLog(audit_file(config))
    try:
        log.check()
    except MoSLMError as error:
        yield Finding("missing", "audit log", str(error))
    else:
        yield Finding("ok", "audit log", f"{log.path} can be written")
    finally:
        log.close()


def _at_rest(config: Config, file: str | None) -> Iterator[Finding]:
    if not config.at_rest.seal:
        detail = "records, paid answers and remembered answers are kept in clear"
        yield Finding("note", "at rest", detail, "see docs/guides/at-rest.md")
        return
    from moslm.graph.keeping import build_seal

    try:
        build_seal(config, file)
    except MoSLMError as error:
        yield Finding("missing", "at rest", str(error))
        return
    old = len(config.at_rest.earlier_keys)
    detail = "sealed and opened, and refused what was altered, moved or never sealed"
    yield Finding("ok", "at rest", f"{detail}; earlier keys that still open: {old or 'none'}")


def _together(config: Config, file: str | None, missing: bool) -> list[Finding]:
    """Build every part, as the graph does: what fits alone need not fit together."""
    from moslm.graph.parts import build_parts

    try:
        parts = build_parts(file or config)
    except MoSLMError as error:
        if missing:  # most likely for that very reason, which counts once
            return [Finding("note", "the graph", f"cannot be built yet: {error}")]
        return [Finding("missing", "the graph", str(error))]
    built = Finding("ok", "the graph", "can be built of these parts")
    return [built, *(Finding("note", "confidence", notice) for notice in parts.notices)]


EXAMINATIONS: tuple[Examine, ...] = (_domains, _large_model, _classifier, _extras, _audit, store_findings, _at_rest)


def _shown(finding: Finding, style: Style) -> str:
    mark = f"{finding.state:<8}"
    first, *rest = broken(f"{finding.what}: {finding.detail}", WIDTH - len(mark))
    lines = [f"{style.bold(mark) if finding.state == 'missing' else style.dim(mark)}{first}"]
    lines += [f"{' ' * len(mark)}{line}" for line in rest]
    # a command is never broken: it is there to be copied
    return "\n".join([*lines, *([f"{' ' * len(mark)}→ {style.bold(finding.mend)}"] if finding.mend else [])])
