import time

import pytest

from moslm.serving.reasons import last_lines, why

ENGINE = (
    "(APIServer pid=12) RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}"
)


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        ("OSError: [Errno 98] Address already in use", "its port is taken"),
        ("ERROR: [Errno 98] error while attempting to bind on address ('127.0.0.1', 8100)", "its port is taken"),
        (
            "OSError: org/none is not a local folder and is not a valid model identifier listed on 'https://hub'",
            "no such model",
        ),
        ("OSError: /models/x does not appear to have a file named config.json.", "no such model"),
        ("LocalEntryNotFoundError: Cannot find the requested files in the disk cache", "no such model"),
        (
            "(EngineCore pid=9) ERROR 11-24 [core.py:9] torch.OutOfMemoryError: CUDA out of memory.\n" + ENGINE,
            "out of memory",
        ),
        ("ValueError: No available memory for the cache blocks. Try increasing it", "out of memory"),
        (
            "ValueError: Free memory on device (3/80 GiB) on startup is less than desired GPU memory utilization",
            "out of memory",
        ),
        (
            "RuntimeError: Worker failed with error 'Available memory on node 0 (9.99/17.71 GiB) on kv cache "
            "allocation is less than requested memory for kv (4000.0 GiB). Decrease --kv-cache-memory-bytes'",
            "out of memory",
        ),
        (
            "pydantic_core._pydantic_core.ValidationError: 1 validation error for ModelConfig\n  Value error, "
            "User-specified max_model_len (100000) is greater than the derived max_model_len "
            "(max_position_embeddings=8192.0 or model_max_length=None in model's config.json). [type=value_error, in",
            "User-specified max_model_len (100000) is greater than the derived max_model_len "
            "(max_position_embeddings=8192",
        ),
        (
            "pydantic_core._pydantic_core.ValidationError: 1 validation error for VllmConfig\n"
            "  Value error, invalid literal for int() with base 10: '0.5' [type=value_error, input_value=ArgsKwargs((",
            "invalid literal for int() with base 10: '0.5'",
        ),
        (
            "ValueError: Call to add_lora method failed: Worker failed with error 'LoRA rank 64 is greater than "
            "max_lora_rank 16.', please check the stack trace above for the root cause",
            'LoRA rank 64 is greater than max_lora_rank 16; add to args: "--max-lora-rank" and the rank',
        ),
        (
            "KeyError: 'invalid tool call parser: hermez (chose from { dots,hermes })'",
            "invalid tool call parser: hermez; ",
        ),
        ("RuntimeError: Engine core failed. Failed core proc(s): {'EngineCore_0': -9}", "out of memory"),
        ("RuntimeError: Engine core failed. Failed core proc(s): {'EngineCore_0': -4}", "this CPU lacks instructions"),
        ("RuntimeError: operator torchvision::nms does not exist", "torchvision does not fit this torch; run: pip"),
        ("ModuleNotFoundError: No module named 'vllm'", "its packages are not installed; run: pip install"),
        ("importlib.metadata.PackageNotFoundError: No package metadata was found for vllm", "the console script"),
        ("RuntimeError: Failed to infer device type, please set VLLM_LOGGING_LEVEL", "no usable GPU"),
        ("huggingface_hub.errors.GatedRepoError: 401 Client Error. Access is restricted", "the hub refuses the model"),
        (
            "api_server.py: error: unrecognized arguments: --max-modle-len 5",
            "unrecognized arguments: --max-modle-len 5",
        ),
        ("moslm: the weights 'x' are not here; run: moslm pull x", "the weights 'x' are not here; run: moslm pull x"),
        (
            "moslm: smol cannot be loaded: no GGUF model, damaged, or too large for the memory",
            "smol cannot be loaded: no GGUF model, damaged, or too large for the memory",
        ),
        (
            "moslm: the embedded server needs packages that are not installed; run: pip install 'moslm[api]'",
            "the embedded server needs packages that are not installed; run: pip install 'moslm[api]'",
        ),
    ],
)
def test_what_a_log_says_becomes_one_line(log, reason):
    told = why(1, f"INFO 11-24 04:00:00 [a.py:1] hello\n{log}\n")
    assert told.startswith(reason)
    assert "\n" not in told


def test_a_part_that_a_healthy_server_lacks_is_not_the_reason():
    harmless = "WARNING Failed to import from vllm._C with ModuleNotFoundError(\"No module named 'vllm._C'\")"
    assert why(1, f"{harmless}\nKeyError: 'qwen9'") == "ended with status 1: KeyError: 'qwen9'"


DEAD = (
    "(APIServer pid=8) ERROR 11-26 [serving.py:9] vllm.v1.engine.exceptions.EngineDeadError: EngineCore encountered an"
)


def test_an_engine_that_was_killed_is_told_from_one_that_failed():
    harmless = "(Worker pid=9) WARNING 11-26 [utils.py:5] Failed to create linear. Exception: could not create it"
    assert (
        why(0, f"{harmless}\n{DEAD}") == "its engine process was killed, most likely by the system for want of memory"
    )
    failed = (
        "(EngineCore pid=9) ERROR 11-26 [core.py:9] EngineCore encountered a fatal error.\n(EngineCore pid=9) ERROR "
    )
    assert why(0, f"{failed}11-26 [core.py:9] ValueError: a bug\n{DEAD}") == "ended with status 0: ValueError: a bug"


def test_the_first_cause_is_told_and_not_the_general_failure_after_it():
    log = f"(EngineCore pid=9) ERROR 11-24 [core.py:9] ValueError: heads 7 do not divide by 2\n{ENGINE}"
    assert why(1, log) == "ended with status 1: ValueError: heads 7 do not divide by 2"


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (132, "this CPU lacks instructions"),
        (137, "killed from outside, most likely by the system for want of memory"),
        (139, "ended by SIGSEGV: loading"),
        (0, "ended with status 0: loading"),
    ],
)
def test_a_log_that_says_nothing_leaves_the_signal_or_status(status, reason):
    assert why(status, "loading\n").startswith(reason)


def test_an_empty_log_and_a_very_long_line_are_told_all_the_same():
    assert why(3, "") == "ended with status 3"
    assert why(None, "") == "it says nothing"
    assert len(why(1, "ValueError: " + "x" * 5000)) <= 200


def test_a_line_without_end_is_read_at_once():
    begun = time.perf_counter()
    assert why(1, "x" * 256 * 1024).startswith("ended with status 1: xxx")
    assert time.perf_counter() - begun < 2


def test_a_tail_is_free_of_what_loggers_and_terminals_add():
    log = "INFO 11-24 04:00:00 [weights.py:3] \x1b[32mLoading\x1b[0m 10 %\rLoading 20 %\n\n(EngineCore pid=4) ready\n"
    assert last_lines(log, 3) == ["Loading 10 %", "Loading 20 %", "ready"]
