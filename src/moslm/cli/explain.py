"""``moslm explain``: why one request went the way it went, from its record alone."""

from __future__ import annotations

import argparse
import json

from moslm.cli.decision_view import decision_table
from moslm.cli.identity import add_token, identified
from moslm.cli.settings import add_config, audit_log, settings
from moslm.cli.style import style_for
from moslm.cli.table import paragraphs
from moslm.decision import Decision
from moslm.errors import AuditError
from moslm.governance.audit import AuditLog, Filters
from moslm.governance.explanation import explain

HELP = "Say in sentences why one request went the way it went"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add which decision is meant."""
    parser.add_argument("id", metavar="ID", help="id of the decision, or the beginning of it; or: last")
    add_config(parser)
    add_token(parser)
    parser.add_argument("--table", action="store_true", help="show the decision table too")
    parser.add_argument("--json", action="store_true", help="print the record itself")


def run(options: argparse.Namespace) -> int:
    """Explain one decision."""
    config = settings(options.config)
    identity = identified(config, options.token)
    identity.must("read_audit")
    decision = _found(audit_log(config, options.config), options.id, identity.tenant(None))
    if options.json:
        print(json.dumps(decision.plain(), ensure_ascii=False, indent=2))
        return 0
    if options.table:
        print(decision_table(decision, style_for()), end="\n\n")
    print(paragraphs(explain(decision)))
    return 0


def _found(log: AuditLog, id: str, tenant: str | None) -> Decision:
    if id != "last":
        return log.get(id, tenant)
    newest = log.list(Filters(tenant=tenant, limit=1))
    if not newest:
        raise AuditError(f"there are no decisions in {log.path} yet; run: moslm ask")
    return newest[0]
