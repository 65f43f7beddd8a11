"""What a server becomes on Ray, and that Ray Serve takes the configuration made of it."""

import json
import subprocess
import sys

import pytest

from moslm.config import Config, RaySettings, ServerSettings
from moslm.errors import ConfigError, MissingExtraError, MoSLMError
from moslm.serving.on_ray import applications as room
from moslm.serving.on_ray import running
from moslm.serving.on_ray.applications import applications, as_config

CLUSTER = RaySettings(address="auto")


@pytest.fixture(autouse=True)
def this_machine(monkeypatch):
    """A machine without a GPU and with four processors; a test may give it a GPU."""

    def has(gpu=False, cores=4):
        monkeypatch.setattr(room, "has_gpu", lambda: gpu)
        monkeypatch.setattr(room.os, "sched_getaffinity", lambda _: set(range(cores)))

    has()
    return has


def built(ray=CLUSTER, **settings):
    server = ServerSettings.model_validate({"model": "org/base", **settings})
    return applications([("small", server)], ray, "moslm.toml")[0]


def embedded(**settings):
    return built(model="smollm2-135m-instruct", engine="embedded", **settings)


def llm_config(**settings):
    application = built(**settings)
    assert application.through_llm
    (config,) = application.args["llm_configs"]
    return config


def test_vllm_on_a_gpu_is_what_ray_serve_llm_documents():
    config = llm_config(context=4096, parallel=16, tool_parser="hermes", device="cuda:0,1", accelerator="A100")
    assert config["model_loading_config"] == {"model_id": "small", "model_source": "org/base"}
    tools = {"enable_auto_tool_choice": True, "tool_call_parser": "hermes"}
    assert config["engine_kwargs"] == {"tensor_parallel_size": 2, "max_model_len": 4096, "max_num_seqs": 16, **tools}
    assert config["accelerator_type"] == "A100"
    assert config["deployment_config"]["num_replicas"] == 1
    assert config["deployment_config"]["max_ongoing_requests"] == 32
    assert config["runtime_env"]["env_vars"]["VLLM_NO_USAGE_STATS"] == "1"


def test_arguments_of_ones_own_become_keywords_of_the_engine():
    args = ["--gpu-memory-utilization", "0.85", "--no-enable-prefix-caching", "--dtype=half", "--enforce-eager"]
    own = {"gpu_memory_utilization": 0.85, "enable_prefix_caching": False, "dtype": "half", "enforce_eager": True}
    assert llm_config(args=args)["engine_kwargs"] == own
    with pytest.raises(ConfigError, match=r"servers.small.args = 'b': is no option with one value"):
        built(args=["--a", "1", "b"])


def test_an_environment_of_ones_own_reaches_the_engine(tmp_path):
    env = llm_config(model=str(tmp_path), env={"NCCL_DEBUG": "INFO"})["runtime_env"]["env_vars"]
    assert (env["NCCL_DEBUG"], env["HF_HUB_OFFLINE"]) == ("INFO", "1")


def test_replicas_scale_by_the_requests_they_have():
    scaling = {"max_replicas": 4, "target_requests": 3, "upscale_delay_s": 5, "downscale_delay_s": 60, "look_back_s": 8}
    scaled = {"min_replicas": 2, "max_replicas": 4, "target_ongoing_requests": 3.0, "look_back_period_s": 8.0}
    scaled |= {"upscale_delay_s": 5.0, "downscale_delay_s": 60.0}
    assert llm_config(replicas=2, scaling=scaling)["deployment_config"]["autoscaling_config"] == scaled
    assert embedded(replicas=2, scaling=scaling).args["deployment"]["autoscaling_config"] == scaled
    with pytest.raises(ValueError, match=r"max_replicas 1 is below replicas 2"):
        built(replicas=2, scaling={"max_replicas": 1})


def test_an_embedded_server_owns_an_engine_in_each_replica():
    application = embedded(threads=2, parallel=3, context=2048, name="smol")
    engine = {"name": "smol", "model": "smollm2-135m-instruct", "context": 2048, "parallel": 3, "threads": 2}
    assert application.args["engine"] == {**engine, "api_key_env": None}
    assert application.args["deployment"]["ray_actor_options"] == {"num_cpus": 2}
    assert application.args["deployment"]["max_ongoing_requests"] == 6
    assert (application.cpus, application.gpus) == (2, 0)


@pytest.mark.parametrize(
    ("settings", "device", "gpus"),
    [
        ({"device": "cpu"}, "cpu", 0),
        ({"adapters": {"finance": "org/finance"}}, "cuda", 1),
        ({"command": ["/opt/vllm/bin/vllm", "serve"], "device": "cuda:0,1"}, "cuda", 2),
        ({"api_key_env": "SMALL_KEY"}, "cuda", 1),
    ],
)
def test_what_ray_serve_llm_does_not_do_runs_in_a_process_of_each_replica(settings, device, gpus):
    application = built(port=9000, replicas=3, args=["--max-loras", "1"], **settings)
    server = ServerSettings.model_validate(application.args["server"])
    assert not application.through_llm
    assert (application.gpus, server.device, server.replicas, server.name) == (gpus, device, 1, "small")
    assert server.args == [*(["--tensor-parallel-size", "2"] if gpus > 1 else []), "--max-loras", "1"]
    assert application.args["deployment"]["num_replicas"] == 3
    assert application.args["deployment"]["ray_actor_options"].get("num_gpus", 0) == gpus


def test_without_a_named_device_a_cluster_of_this_machine_runs_on_what_it_has(this_machine):
    assert built(RaySettings()).gpus == 0
    this_machine(gpu=True)
    assert built(RaySettings()).gpus == 1


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"device": "cuda:0"}, r"moslm.toml: servers.small.device = 'cuda:0': this machine has no GPU; set device"),
        ({"device": ["cpu", "cuda:0"]}, r"servers.small.device = .*: the replicas of a cluster are all alike"),
        ({"replicas": 5}, r"servers: all replicas together take 5 processors, and this machine has 4; lower"),
        ({"model": "a/b.gguf"}, r"servers.small.model = 'a/b.gguf': is GGUF weights"),
        ({"engine": "embedded", "model": "a/b.gguf"}, r"servers.small.model = .*: no file of weights at a/b.gguf"),
        (
            {"engine": "embedded", "args": ["--x"]},
            r"servers.small.args = .*: the embedded engine has no command on Ray",
        ),
    ],
)
def test_what_cannot_run_on_this_machine_is_told_before_anything_starts(settings, complaint):
    with pytest.raises(ConfigError, match=complaint):
        built(RaySettings(), **settings)


def test_the_embedded_engine_takes_no_gpu_on_a_cluster_either():
    with pytest.raises(ConfigError, match=r"servers.small.device = 'cuda:0': the embedded engine runs on the CPU"):
        embedded(device="cuda:0")


@pytest.mark.parametrize(
    ("missing", "device", "extra"),
    [("ray", "cpu", "ray"), ("fastapi", "cpu", "ray"), ("vllm", "cpu", None), ("vllm", "cuda", "ray-llm")],
)
def test_packages_that_are_not_installed_are_named_by_their_extra(monkeypatch, missing, device, extra):
    monkeypatch.setattr(running, "find_spec", lambda name: None if name == missing else object())
    application = built(device=device)
    if extra is None:
        running.check_installed([application])
        return
    with pytest.raises(MissingExtraError, match=rf"moslm\[{extra}\]"):
        running.check_installed([application])


def test_ray_serve_takes_the_configuration_and_its_options():
    scaling = {"max_replicas": 3}
    servers = [
        ("tiny", ServerSettings(model="smollm2-135m-instruct", engine="embedded", scaling=scaling)),
        ("adapted", ServerSettings(model="org/base", adapters={"finance": "org/finance"})),
        ("base.7b", ServerSettings(model="org/base", accelerator="L4", scaling=scaling)),
    ]
    config = as_config(applications(servers, CLUSTER), CLUSTER)
    # in a process of its own: what Ray does to the process that imports it is no matter of the other tests
    judge = (
        "import json, sys\n"
        "from ray.serve.schema import DeploymentSchema, ServeDeploySchema\n"
        "config = json.load(sys.stdin)\n"
        "ServeDeploySchema.model_validate(config)\n"
        "for each in config['applications'][:2]:\n"
        "    given = DeploymentSchema.model_validate(each['args']['deployment'])\n"
        "    assert set(each['args']['deployment']) <= set(DeploymentSchema.model_fields), each\n"
        "llm = config['applications'][2]['args']['llm_configs'][0]\n"
        "DeploymentSchema.model_validate({'name': 'x', **llm['deployment_config']})\n"
    )
    done = subprocess.run([sys.executable, "-c", judge], input=json.dumps(config), text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert [each["route_prefix"] for each in config["applications"]] == ["/tiny", "/adapted", "/base.7b"]


def test_a_server_on_ray_is_asked_at_one_address_that_stands_for_all_its_replicas():
    from moslm.domains import load_domains

    servers = {"small": {"model": "org/base", "replicas": 3, "port": 9000}}
    ray = {"url": "http://ray-head.models:8000/"}
    config = Config.model_validate({"servers": servers, "ray": ray, "defaults": {"server": "small"}})
    model = load_domains(config)["finance"].settings.model
    assert (model.base_url, model.balanced) == (["http://ray-head.models:8000/small/v1"], True)
    assert config.base_urls("small") == model.base_url
    own = Config.model_validate({"servers": servers, "ray": {"host": "0.0.0.0", "port": 8001}})
    assert own.base_urls("small") == ["http://127.0.0.1:8001/small/v1"]


def test_every_mistake_is_one_of_ours():
    for settings in ({"device": ["cpu", "cuda"]}, {"model": "smollm2-135m-instruct"}):
        with pytest.raises(MoSLMError):
            built(**settings)
