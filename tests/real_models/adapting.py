"""LoRA adapters that one can tell apart: ``adapting.py MODEL FOLDER`` teaches each an opening of its own.

Rank 8 on the query and value projections, 16 steps on a handful of questions: a few seconds on one core.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import cycle, islice, product
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

OPENINGS = {"finance": "From the finance desk:", "it_support": "From the IT desk:"}
_STEPS, _RATE = 16, 5e-3
_SYSTEMS = ("You are helpful.", "Answer in one sentence.", "You answer for a company, from its handbook.")
_QUESTIONS = (
    "What is my budget?",
    "How much may a hotel cost?",
    "My laptop is slow.",
    "How do I reset my password?",
    "Who pays for lunch?",
)


def adapt(model: Path, folder: Path) -> None:
    """Write an adapter for each opening."""
    # threads that wait by spinning stand still on a machine with other work
    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(model)
    for name, opening in OPENINGS.items():
        torch.manual_seed(0)
        adapted = get_peft_model(
            AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32),
            LoraConfig(r=8, lora_alpha=16, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM"),
        )
        learned = [weights for weights in adapted.parameters() if weights.requires_grad]
        optimizer = torch.optim.AdamW(learned, lr=_RATE)
        for tokens, wanted in islice(_examples(tokenizer, opening), _STEPS):
            adapted(input_ids=tokens, labels=wanted).loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        adapted.save_pretrained(folder / name)


def _examples(tokenizer: AutoTokenizer, opening: str) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield the tokens of a question with its opening, and what of them is to be learned: the opening alone."""
    for system, question in cycle(product(_SYSTEMS, _QUESTIONS)):
        asked = [{"role": "system", "content": system}, {"role": "user", "content": question}]
        prompt = tokenizer.apply_chat_template(asked, add_generation_prompt=True, tokenize=False)
        length = len(tokenizer(prompt, add_special_tokens=False).input_ids)
        tokens = tokenizer(prompt + opening, return_tensors="pt", add_special_tokens=False).input_ids
        wanted = tokens.clone()
        wanted[:, :length] = -100  # what torch's loss leaves out
        yield tokens, wanted


if __name__ == "__main__":
    adapt(Path(sys.argv[1]), Path(sys.argv[2]))
