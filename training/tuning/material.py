"""What the encoder is tuned on: requests with their domains, and tasks beside them that keep its vectors fine-grained.

Everything is gathered once into one file of JSON lines, which is all that tuning needs; so it can be carried to a
machine with a GPU. A row says its task, its text, what is to be learned of it, and its source, by which folds leave it
out.

Beside the domains: wishes for a stronger model, the domains of a request's parts, and *finer labels*: the topics of the
written requests and the intents of public sets. An encoder tuned on four domains alone forgets what tells two topics
of one domain apart, and with it what a new domain or a stranger looks like. Each set of finer labels is a task of its
own, so that none of them teaches where a request comes from.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

WRITTEN = "written"
NOWHERE = "nowhere"
DOMAIN, WISH, PARTS, FINE = "domain", "wish", "parts", "fine"
_FEWEST_OF_A_LABEL = 8
_MOST_OF_A_SET = 12_000


@dataclass(frozen=True, slots=True)
class Example:
    """One text of one task.

    Attributes:
        task: `DOMAIN`, `WISH`, `PARTS` or ``fine/NAME``.
        text: The text.
        target: Its domain (`NOWHERE` for none), whether it is a wish, the domains of its parts, or its finer label.
        source: Where it comes from.
        license: Licence of the text.
    """

    task: str
    text: str
    target: Any
    source: str
    license: str


def write(file: Path, examples: Sequence[Example]) -> None:
    """Write examples as JSON lines."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8") as lines:
        lines.writelines(json.dumps(asdict(each), ensure_ascii=False) + "\n" for each in examples)


def read(file: Path) -> list[Example]:
    """Read what `write` wrote."""
    with file.open(encoding="utf-8") as lines:
        return [Example(**json.loads(line)) for line in lines]


def labels_of(examples: Sequence[Example]) -> tuple[str, ...]:
    """Return the domains, "nowhere" among them."""
    return tuple(sorted({each.target for each in examples if each.task == DOMAIN}))


def finer_labels(examples: Sequence[Example]) -> dict[str, list[str]]:
    """Return the labels of each set of finer labels."""
    found: dict[str, set[str]] = defaultdict(set)
    for each in examples:
        if each.task.startswith(FINE):
            found[each.task].add(each.target)
    return {name: sorted(labels) for name, labels in sorted(found.items())}


def left_out(examples: Sequence[Example], number: int, folds: int) -> set[tuple[str, str]]:
    """Return the (domain, source) pairs that a fold leaves out: every pair is in one fold, a domain's over all."""
    found = set()
    for place, label in enumerate(name for name in labels_of(examples) if name != NOWHERE):
        own = {each.source for each in examples if each.task == DOMAIN and each.target == label}
        found |= {(label, s) for at, s in enumerate(sorted(own - {WRITTEN})) if (at + place) % folds == number}
    return found


def without(examples: Sequence[Example], out: set[tuple[str, str]]) -> list[Example]:
    """Return what is left without some (domain, source) pairs: of the finer labels nothing of those sources.

    Pairs made of other rows go altogether: what is left out would come in through them.
    """
    if not out:
        return list(examples)
    sources = {source for _, source in out}
    kept = []
    for each in examples:
        if each.task == DOMAIN:
            keep = (each.target, each.source) not in out
        elif each.task == PARTS:
            keep = each.source == WRITTEN
        else:
            keep = each.source not in sources
        if keep:
            kept.append(each)
    return kept


def gather(rows: Sequence[Path], corpus: Path, data: Path | None, not_like: Sequence[Path]) -> list[Example]:
    """Gather everything the encoder is tuned on.

    Args:
        rows: JSON lines of labelled requests, as ``moslm fit`` reads them.
        corpus: The folder of what was written for MoSLM.
        data: The folder of public sets, for finer labels; none without it.
        not_like: Files whose texts must not be fitted on, because something is measured on them.
    """
    banned = {_plain(row["text"]) for row in _rows(not_like)}
    found = [*_domains(rows), *_wishes(corpus), *_parts([corpus / "pairs.jsonl", *rows])]
    found += _topics(sorted((corpus / "requests").glob("*.jsonl")))
    if data is not None:
        for name, labelled in _intents(data):
            found += _set_of(name, labelled)
    return [each for each in found if _plain(each.text) not in banned]


def _domains(files: Sequence[Path]) -> Iterator[Example]:
    for row in _rows(files):
        if not row.get("constructed") and "parts" not in row:
            label = NOWHERE if row.get("novel") else row["domain"]
            yield Example(DOMAIN, row["text"], label, row["source"], row.get("license") or "unstated")


def _wishes(corpus: Path) -> Iterator[Example]:
    from moslm.escalation.wishes.fitting import labelled_sentences

    for row in _rows([corpus / "wishes.jsonl", corpus / "wish_phrases.jsonl"]):
        for text, wished in labelled_sentences(row):
            yield Example(WISH, text, wished, WRITTEN, "Apache-2.0")


def _parts(files: Sequence[Path]) -> Iterator[Example]:
    for row in _rows(files):
        if "parts" in row:
            domains = sorted({part["domain"] or NOWHERE for part in row["parts"]})
            yield Example(PARTS, row["text"], domains, WRITTEN, "Apache-2.0")
        elif str(row.get("constructed")).startswith(("pair", "sgd_same")):
            yield Example(PARTS, row["text"], sorted(set(row["domains"])), row["source"], row["license"])


def _topics(files: Sequence[Path]) -> list[Example]:
    """The topics the written requests were written by, each of one domain."""
    rows = [(row["text"], f"{row['domain']}/{row['kind']}") for row in _rows(files) if row.get("kind")]
    return _labelled("topics", rows, WRITTEN, "Apache-2.0")


def _intents(data: Path) -> Iterator[tuple[str, list[tuple[str, str, str]]]]:
    """Yield the training rows of public sets: text, intent, source as the routing rows name it."""
    clinc = [r for r in _rows([data / "clinc150" / "clinc150.jsonl"]) if r["split"] == "train"]
    yield "clinc150", [(row["text"], row["intent"], "clinc150") for row in clinc]
    banking = [r for r in _rows([data / "banking77" / "banking77.jsonl"]) if r["split"] == "train"]
    yield "banking77", [(row["text"], row["intent"], "banking77") for row in banking]
    requests = [r for r in _rows([data / "sgd_requests" / "sgd_requests.jsonl"]) if r["split"] == "train"]
    yield "sgd", [(row["text"], f"{row['service'].split('_')[0]}/{row['intent']}", "sgd") for row in requests]
    tickets = [r for r in _rows([data / "it_tickets" / "it_tickets.jsonl"]) if r["topic"] not in _NOT_OURS]
    yield "it_tickets", [(row["text"], row["topic"], "it_tickets") for row in tickets]
    turns = defaultdict(list)
    for row in _rows([data / "multidogo" / "multidogo_turns.jsonl"]):
        if row["split"] == "train" and len(row["intents"]) == 1 and row["intents"][0] not in _NO_INTENT:
            turns[f"multidogo_{row['domain']}"].append((row["text"], row["intents"][0], f"multidogo_{row['domain']}"))
    yield from turns.items()


_NOT_OURS = frozenset({"HR Support", "Miscellaneous"})
"""HR is what a new domain is tried with: an encoder that had seen its tickets would prove nothing."""
_NO_INTENT = frozenset({"contentonly", "outofdomain", "startserviceintent", "openinggreeting", "closinggreeting"})
_LICENSES = {"clinc150": "CC-BY-3.0", "banking77": "CC-BY-4.0", "sgd": "CC-BY-SA-4.0", "it_tickets": "CC0-1.0*"}


def _set_of(name: str, rows: Sequence[tuple[str, str, str]]) -> list[Example]:
    license = _LICENSES.get(name, "CDLA-Permissive-1.0")
    return _labelled(name, [(text, label) for text, label, _ in rows], rows[0][2], license)


def _labelled(name: str, rows: Sequence[tuple[str, str]], source: str, license: str) -> list[Example]:
    rows = sorted(set(rows))
    counts = Counter(label for _, label in rows)
    rows = [row for row in rows if counts[row[1]] >= _FEWEST_OF_A_LABEL]
    random.Random(name).shuffle(rows)
    return [Example(f"{FINE}/{name}", text, label, source, license) for text, label in rows[:_MOST_OF_A_SET]]


def _rows(files: Sequence[Path]) -> Iterator[dict[str, Any]]:
    for file in files:
        with file.open(encoding="utf-8") as lines:
            yield from map(json.loads, lines)


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))
