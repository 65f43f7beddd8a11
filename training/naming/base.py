"""Packs what the tagger is tuned over: the shipped 8-bit word vectors, and the layers as they were pre-trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np


def packed(encoder: Path, pretrained: Path) -> dict[str, np.ndarray]:
    """Return the weights by name; 16 bits are enough to begin with."""
    import onnx
    from onnx import numpy_helper
    from safetensors.numpy import load_file

    graph = onnx.load(str(encoder)).graph
    words = {
        each.name.rpartition("weight_")[2]: numpy_helper.to_array(each)
        for each in graph.initializer
        if "word_embeddings.weight_" in each.name
    }
    full = load_file(pretrained / "model.safetensors")
    kept = {
        key.removeprefix("encoder.layer."): value.astype(np.float16)
        for key, value in full.items()
        if key.startswith("encoder.layer.")
    }
    places = full["embeddings.position_embeddings.weight"] + full["embeddings.token_type_embeddings.weight"][0]
    return {
        **kept,
        "words": words["quantized"],
        "words_scale": words["scale"],
        "words_zero": words["zero_point"].astype(np.float32),
        "places": places.astype(np.float32),
        "norm.weight": full["embeddings.LayerNorm.weight"],
        "norm.bias": full["embeddings.LayerNorm.bias"],
    }
