"""Writes a tuned encoder as MoSLM ships it: 8-bit ONNX in two halves, tokenizer and a card."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from moslm.models.encoders.transformer import NAME
from tuning.halves import split
from tuning.loop import Recipe
from tuning.material import PARTS, WRITTEN, Example
from tuning.network import FROZEN_LAYERS, Network, Sentences

_FILES = ("lower.onnx", "upper.onnx", "tokenizer.json")


def export(network: Network, out: Path, tokenizer: Path, card: dict[str, Any]) -> None:
    """Write the encoder in 8 bits, its tokenizer and its card into a folder."""
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from tokenizers import Tokenizer

    out.mkdir(parents=True, exist_ok=True)
    full = out / "full.onnx"
    example = (torch.ones(2, 7, dtype=torch.long), torch.ones(2, 7, dtype=torch.long))
    names = {"input_ids": {0: "n", 1: "t"}, "attention_mask": {0: "n", 1: "t"}}
    torch.onnx.export(
        Sentences(network).float().cpu().eval(),
        example,
        str(full),
        input_names=list(names),
        output_names=["sentence", "halfway"],
        dynamic_axes={**names, "sentence": {0: "n"}, "halfway": {0: "n"}},
        opset_version=17,
        dynamo=False,
    )
    whole = out / "whole.onnx"
    quantize_dynamic(str(full), str(whole), weight_type=QuantType.QInt8, per_channel=True)
    full.unlink()
    split(whole, out, FROZEN_LAYERS)
    whole.unlink()
    plain = Tokenizer.from_file(str(tokenizer))
    plain.no_padding()
    plain.no_truncation()
    (out / "tokenizer.json").write_text(plain.to_str(), encoding="utf-8")
    files = {name: hashlib.sha256((out / name).read_bytes()).hexdigest() for name in _FILES}
    (out / "card.json").write_text(json.dumps({**card, "files": files}, indent=2, ensure_ascii=False) + "\n")


def _origin(example: Example) -> tuple[str, str, str]:
    if example.task == PARTS and example.source != WRITTEN:
        return "pairs of the others", "as theirs", PARTS
    return example.source, example.license, example.task


def card(examples: Sequence[Example], out: Sequence[tuple[str, str]], recipe: Recipe, base: Path) -> dict[str, Any]:
    """Return what the card says beside the hashes of the files.

    Args:
        examples: What it was tuned on.
        out: The (domain, source) pairs that were left out.
        recipe: How it was tuned.
        base: Folder of the pre-trained model.
    """
    lines = sorted(json.dumps([each.task, each.text, each.target, each.source]) for each in examples)
    counts = Counter(_origin(each) for each in examples)
    weights = base / "model.safetensors"
    return {
        "encoder": NAME,
        "base": {
            "model": "sentence-transformers/all-MiniLM-L6-v2",
            "license": "Apache-2.0",
            "safetensors_sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
        },
        "recipe": asdict(recipe),
        "frozen_layers": FROZEN_LAYERS,
        "left_out": [list(pair) for pair in out],
        "fitted_on": {
            "rows": len(examples),
            "sha256": hashlib.sha256("\n".join(lines).encode()).hexdigest(),
            "sources": [{"source": s, "license": x, "task": t, "rows": n} for (s, x, t), n in sorted(counts.items())],
        },
    }
