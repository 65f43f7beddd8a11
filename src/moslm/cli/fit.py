"""``moslm fit``: fits the classifier's head from the domains' examples and labelled rows, and says how good it is.

Rows are JSON lines ``{"text", "domain"}``; ``source`` and ``license`` are kept for the card, ``"novel": true`` marks a
request that belongs to no domain, and rows marked as ``constructed`` are left out. Requests of several parts,
``{"text", "multi_domain"}`` with ``parts`` or marked as constructed pairs, teach when a request is about several
domains.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moslm.cli.settings import add_config, config_file
from moslm.errors import ConfigError

if TYPE_CHECKING:
    from moslm.domains import Domain
    from moslm.models.classifiers.judging import Figures
    from moslm.models.classifiers.rows import PartedRow, Row

HELP = "Fit the classifier on the domains' examples"
_ENCODER, _CAREFUL_ENCODER = "wordllama-l2-supercat-256", "moslm-minilm-l6-3"
_HELD_OUT_SHARE = 10
_PARTED = ("pair_", "sgd_same_dialogue")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add where the rows come from and where the head goes."""
    add_config(parser)
    parser.add_argument("--rows", metavar="FILE", nargs="+", type=Path, default=[], help="JSON lines to fit on")
    parser.add_argument(
        "--held-out",
        metavar="FILE",
        nargs="+",
        type=Path,
        default=[],
        help="JSON lines never fitted on, for calibration and the report; by default every tenth row",
    )
    parser.add_argument("--without", metavar="SOURCE", nargs="+", default=[], help="sources that are not fitted on")
    parser.add_argument(
        "--not-in-bank",
        metavar="SOURCE",
        nargs="+",
        default=[],
        help="sources of which no single row may be kept, not even as a vector (share-alike or unverified licences)",
    )
    parser.add_argument("--out", metavar="DIR", type=Path, help="folder of the head; by default 'head' in MoSLM's home")


def run(options: argparse.Namespace) -> int:
    """Fit, write and report."""
    # before numpy is loaded: its own threads wait by spinning, and take the cores from those that fit and read
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from moslm.cli.fit_progress import FitProgress
    from moslm.config import home, load
    from moslm.domains import load_domains
    from moslm.models.classifiers import artefact
    from moslm.models.classifiers.banking import make_bank
    from moslm.models.classifiers.fitting import fit_head
    from moslm.models.classifiers.judging import judged
    from moslm.models.encoders import load_encoder
    from moslm.models.encoders.remembering import remembering

    file = config_file(options.config)
    domains = load_domains(load(file), file=file)
    rows, held_out = _divided(options, domains)
    _complete(rows, domains)
    parted = _parted(options.rows)
    with FitProgress(len(rows), len(held_out), len(parted)) as bar, remembering(_CAREFUL_ENCODER, bar.read) as dear:
        head = fit_head(rows, held_out, tuple(domains), load_encoder(_ENCODER), dear, parted=parted, step=bar.stepped)
        figures = judged(head, held_out)
        bank = make_bank(head, rows, without=options.not_in_bank)
    out = options.out or home() / "head"
    head = artefact.write(out, head, bank, _card(rows, held_out, options, figures))
    print(_report(rows, held_out, figures))
    print(f"\nhead {head.version} is in {out}")
    if out.resolve() != artefact.SHIPPED.resolve():
        print(f'use it: write head = "{out}" under [classifier]')
    return 0


def _divided(options: argparse.Namespace, domains: dict[str, Domain]) -> tuple[list[Row], list[Row]]:
    """Return what is fitted on and what is held out: the files named, or every tenth row by its hash."""
    from moslm.models.classifiers.rows import EXAMPLES, Row

    own = [Row(text, name, EXAMPLES, "Apache-2.0") for name, domain in domains.items() for text in domain.examples]
    given = [row for file in options.rows for row in _rows(file, domains) if row.source not in options.without]
    if options.held_out:
        return own + given, [row for file in options.held_out for row in _rows(file, domains)]
    held = [row for row in [*own, *given] if _tenth(row.text)]
    chosen = set(held)
    return [row for row in [*own, *given] if row not in chosen], held


def _rows(file: Path, domains: dict[str, Domain]) -> Iterator[Row]:
    from moslm.models.classifiers.rows import Row

    for number, record in _records(file):
        if record.get("constructed") or _of_parts(record):
            continue
        label = None if record.get("novel") else record.get("domain")
        text = record.get("text")
        if not isinstance(text, str) or not text.strip():
            raise ConfigError("has no text", file=f"{file}:{number}", key="text", mend="write the request as a string")
        if label is None and not record.get("novel"):
            raise ConfigError("has no domain", file=f"{file}:{number}", mend='name one, or write "novel": true')
        if label is not None and label not in domains:
            mend = f"one of: {', '.join(domains)}"
            raise ConfigError("no such domain", file=f"{file}:{number}", key="domain", value=label, mend=mend)
        yield Row(text, label, str(record.get("source") or file.stem), str(record.get("license") or "unstated"))


def _parted(files: Sequence[Path]) -> list[PartedRow]:
    """Return the requests of several parts; what is wrong with a file was said when its rows were read."""
    from moslm.models.classifiers.rows import PartedRow

    return [
        PartedRow(record["text"], bool(record.get("multi_domain")), file.stem)
        for file in files
        for _, record in _records(file)
        if _of_parts(record)
    ]


def _of_parts(record: dict[str, Any]) -> bool:
    built = str(record.get("constructed") or "")
    return isinstance(record.get("text"), str) and ("parts" in record or built.startswith(_PARTED))


def _records(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                record = json.loads(line)
                if not isinstance(record, dict):
                    raise ConfigError("is no JSON object", file=f"{file}:{number}", mend='write {"text": "...", ...}')
                yield number, record
    except json.JSONDecodeError:
        raise ConfigError(
            "is no JSON", file=f"{file}:{number}", mend='write {"text": "...", "domain": "..."}'
        ) from None
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=str(file), key="--rows") from None
    except UnicodeDecodeError:
        raise ConfigError("is not UTF-8", file=str(file), key="--rows") from None


def _complete(rows: Sequence[Row], domains: dict[str, Domain]) -> None:
    seen = {row.label for row in rows}
    for name in domains:
        if name not in seen:
            mend = "write 20 requests or more into its examples.jsonl"
            raise ConfigError("there is nothing to fit this domain on", key=f"domains.{name}", mend=mend)


def _tenth(text: str) -> bool:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()[0] % _HELD_OUT_SHARE == 0


def _card(
    rows: Sequence[Row], held_out: Sequence[Row], options: argparse.Namespace, figures: Figures
) -> dict[str, Any]:
    sources = Counter((row.source, row.license) for row in rows)
    return {
        "fitted_on": {
            "rows": len(rows),
            "sha256": _data_hash(rows),
            "sources": [{"source": s, "license": x, "rows": n} for (s, x), n in sorted(sources.items())],
        },
        "held_out": {"rows": len(held_out), "sha256": _data_hash(held_out), "figures": asdict(figures)},
        "bank": {
            "left_out_sources": sorted(options.not_in_bank),
            "why": "The head holds aggregate weights over all sources named above. The bank holds one rounded sentence"
            " vector for each kept row, which is nearer to the row itself: sources whose licence is"
            " share-alike or unverified leave no row in it.",
        },
    }


def _data_hash(rows: Sequence[Row]) -> str:
    lines = sorted(json.dumps([row.text, row.label, row.source]) for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _report(rows: Sequence[Row], held_out: Sequence[Row], figures: Figures) -> str:
    def shown(value: float | None) -> str:
        return "-" if value is None else f"{value:.3f}"

    counts = Counter(row.label or "(belongs nowhere)" for row in rows)
    lines = [f"fitted on {len(rows)} requests, judged on {len(held_out)} that were held out", ""]
    lines += [f"{'domain':<24}{'fitted on':>10}{'recall':>10}"]
    lines += [f"{name:<24}{count:>10}{shown(figures.recall.get(name)):>10}" for name, count in sorted(counts.items())]
    lines += [
        "",
        f"accuracy           {shown(figures.accuracy)}",
        f"calibration error  {shown(figures.calibration_error)}",
        f"novelty AUROC      {shown(figures.novelty_auroc)}",
        "",
        "Requests from places that gave no rows are harder than these figures say: measure on your own.",
    ]
    return "\n".join(lines)
