"""Weights that vLLM loads, made of a GGUF file: ``converting.py FILE.gguf FOLDER``."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig


def convert(gguf: Path, folder: Path) -> None:
    """Write a GGUF file's model and tokenizer as a folder of safetensors; nothing is fetched."""
    # what is 4 bits in the file fits float16 without a loss
    model = AutoModelForCausalLM.from_pretrained(
        gguf.parent, gguf_file=gguf.name, dtype=torch.float16, quantization_config=GgufConfig(dequantize=True)
    )
    # else the folder would say that it holds GGUF
    model.config.quantization_config, model.hf_quantizer = None, None
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name).save_pretrained(folder)


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
