"""Cuts the encoder in two where its tuned layers begin, so that others can stand on the lower half without the upper.

    python training/tuning/halves.py ENCODER FOLDER

The bits of every vector stay as they were: no operation is changed, and the states between the halves are whole floats.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

_BETWEEN = "/layer.{}/output/LayerNorm/LayerNormalization_output_0"


def split(encoder: Path, folder: Path, frozen: int = 3) -> None:
    """Write ``lower.onnx`` and ``upper.onnx``.

    Args:
        encoder: The whole network.
        folder: Where the halves go.
        frozen: How many layers the lower half has.
    """
    import onnx
    import onnx.utils

    whole, states = onnx.load(str(encoder)), _BETWEEN.format(frozen - 1)
    between = onnx.helper.make_tensor_value_info(states, onnx.TensorProto.FLOAT, ["n", "t", 384])
    whole.graph.value_info.append(between)
    halves = onnx.utils.Extractor(whole)
    lower = halves.extract_model(["input_ids", "attention_mask"], [states])
    upper = halves.extract_model([states, "attention_mask"], ["sentence", "halfway"])
    for name, half in (("lower", lower), ("upper", upper)):
        _renamed(half.graph, states, "states")
        onnx.save(half, str(folder / f"{name}.onnx"))


def _renamed(graph: Any, old: str, new: str) -> None:
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [new if each == old else each for each in names]
    for value in (*graph.input, *graph.output, *graph.value_info):
        if value.name == old:
            value.name = new


if __name__ == "__main__":
    split(Path(sys.argv[1]), Path(sys.argv[2]))
