"""Tunes the tagger of names and addresses that MoSLM ships, over the lower layers of its sentence encoder.

    python training/names.py gather --pretrained DIR --out build/names
    python training/names.py tune --gathered build/names --out build/tagger
    python training/names.py export --gathered build/names --tuned build/tagger \
        --out src/moslm/privacy/recognisers/shipped

Texts are drawn from templates, the requests written for MoSLM and made-up identities of many tongues; names of one in
ten lists' entries, and one in ten templates and requests, are kept to say how it does on what it never saw. No set
that it is measured on elsewhere is read. Tuning takes two minutes on a GPU, and most of a day on two cores.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from naming.base import packed
from naming.export import export
from naming.identities import Names
from naming.lists import collected
from naming.loop import Batches, Recipe, judged, tune
from naming.network import Upper, read_base
from naming.pieces import drawn
from naming.requests import requests
from naming.sentences import Sentences

from moslm.lower_layers import SHIPPED, TOKENIZER, WEIGHTS
from moslm.privacy.recognisers.surface import GAPS, SHAPES, surface

HERE = Path(__file__).resolve().parent
CORPUS = HERE.parent / "corpus"
_NAMES, _BASE = "names.json", "base.npz"


def main() -> None:
    """Do one of the three steps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    steps = parser.add_subparsers(required=True)
    gather = steps.add_parser("gather", help="gather names, towns and the pre-trained layers")
    gather.add_argument("--pretrained", type=Path, required=True, help="folder of all-MiniLM-L6-v2")
    gather.set_defaults(step=_gather)
    tuning = steps.add_parser("tune", help="tune the tagger, on a GPU if there is one")
    tuning.add_argument("--gathered", type=Path, required=True)
    tuning.add_argument("--texts", type=int, default=600_000)
    tuning.add_argument("--kept", type=int, default=12_000, help="texts that it is judged by")
    tuning.add_argument("--seconds", type=float, default=Recipe().seconds)
    tuning.set_defaults(step=_tune)
    exporting = steps.add_parser("export", help="write what was tuned as 8-bit ONNX")
    exporting.add_argument("--gathered", type=Path, required=True)
    exporting.add_argument("--tuned", type=Path, required=True)
    exporting.set_defaults(step=_export)
    for each in (gather, tuning, exporting):
        each.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    options.step(options)


def _gather(options: argparse.Namespace) -> None:
    lists = json.dumps(collected(), ensure_ascii=False, separators=(",", ":"))
    (options.out / _NAMES).write_text(lists, encoding="utf-8")
    np.savez_compressed(options.out / _BASE, **packed(SHIPPED / WEIGHTS, options.pretrained))


def _sentences(names: Path, unseen: bool, part: str) -> Sentences:
    lists = json.loads(names.read_text(encoding="utf-8"))
    latin = [each for key, each in lists.items() if key.endswith("latin")]
    first, last = ([name for each in latin for name in each[kind]] for kind in ("first", "last"))
    files = [*sorted((CORPUS / "requests").glob("*.jsonl")), CORPUS / "moods.jsonl", CORPUS / "pairs.jsonl"]
    found = requests(sorted(files, key=lambda file: file.name), first, last)
    return Sentences(HERE / "naming" / "texts", Names(names, unseen), found, part)


def _tune(options: argparse.Namespace) -> None:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    recipe, base = Recipe(seconds=options.seconds), read_base(options.gathered / _BASE)
    make = functools.partial(_sentences, options.gathered / _NAMES)
    draw = functools.partial(
        drawn, tokenizer=SHIPPED / TOKENIZER, surface=surface, processes=min(64, len(os.sched_getaffinity(0)))
    )
    texts = draw(functools.partial(make, False, "train"), count=options.texts, seed=1)
    lower, upper, about = tune(base, Batches(texts, device), recipe, SHAPES, GAPS, device)
    scores = {}
    for seed, name, unseen in ((2, "seen names", False), (3, "unseen names", True)):
        kept = draw(functools.partial(make, unseen, "dev"), count=options.kept, seed=seed)
        scores[name] = judged(lower, upper, Batches(kept, device), device)
    state = {key: value.half().cpu() for key, value in upper.state_dict().items()}
    torch.save({"recipe": asdict(recipe), "about": about, "state": state}, options.out / "tagger.pt")
    report = {"recipe": asdict(recipe), "texts": len(texts.lengths), "steps": about["steps"], "kept": scores}
    (options.out / "report.json").write_text(json.dumps(report, indent=1))
    print(json.dumps(scores, indent=1))


def _export(options: argparse.Namespace) -> None:
    tuned = torch.load(options.tuned / "tagger.pt", weights_only=True)
    report = json.loads((options.tuned / "report.json").read_text())
    upper = Upper(read_base(options.gathered / _BASE), report["recipe"]["frozen"], SHAPES, GAPS)
    upper.load_state_dict({key: value.float() for key, value in tuned["state"].items()})
    origin = json.loads((SHIPPED / "card.json").read_text())["base"]
    fitted_on = {
        "texts": report["texts"],
        "identities": "lists of Faker (MIT), and pinyin, Korean and Arabic names written for MoSLM",
        "sentences": "templates and requests written for MoSLM (Apache-2.0)",
    }
    about = {key: report[key] for key in ("recipe", "steps", "kept")}
    export(upper, options.out, SHIPPED / WEIGHTS, {"base": origin, "fitted_on": fitted_on, **about})


if __name__ == "__main__":
    main()
