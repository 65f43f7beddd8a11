"""The files of deploy/ are held against the code: settings, options, ports, the names of metrics."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import Metric

from moslm.cli import api as api_command
from moslm.config import Config, ServerSettings, load
from moslm.integrations.api.meters import Meters
from moslm.serving import launching

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
FILES = sorted(file for kind in ("*.yaml", "*.yml", "*.json", "*.toml") for file in DEPLOY.rglob(kind))
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
KUBERNETES = list(yaml.safe_load_all((DEPLOY / "kubernetes/moslm-api.yaml").read_text()))
VALUES = yaml.safe_load((DEPLOY / "kubernetes/vllm-values.yaml").read_text())

# of vllm 0.32, vllm/v1/metrics/loggers.py: what Prometheus reads of each is its name, or with _total, _bucket ...
VLLM_GAUGES = {"num_requests_running", "num_requests_waiting", "kv_cache_usage_perc", "lora_requests_info"}
VLLM_COUNTERS = {"num_preemptions", "prompt_tokens", "generation_tokens", "request_success", "prefix_cache_queries"}
VLLM_COUNTERS |= {"prefix_cache_hits", "prompt_tokens_cached", "admission_rejections"}
VLLM_HISTOGRAMS = {"time_to_first_token_seconds", "inter_token_latency_seconds", "e2e_request_latency_seconds"}
VLLM_HISTOGRAMS |= {"request_queue_time_seconds", "request_prefill_time_seconds", "request_decode_time_seconds"}


def test_there_is_no_python_here():
    assert not list(DEPLOY.rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_file_can_be_read(file):
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".json":
        assert json.loads(text)
    elif file.suffix == ".toml":
        assert load(file).defaults
    else:
        assert all(yaml.safe_load_all(text))


def test_the_list_of_the_readme_names_every_file():
    readme = (DEPLOY / "README.md").read_text()
    for file in FILES:
        below = file.relative_to(DEPLOY)
        assert str(below) in readme or f"`{below.parts[0]}/`" in readme, below


# metrics


def exported() -> dict[str, set[str]]:
    """Return every series there is, with its labels."""
    meters = Meters()
    metrics: list[Metric] = list(meters.registry.collect())
    endings = {"counter": ["_total"], "gauge": [""], "histogram": ["_bucket", "_sum", "_count"]}
    ours = {f"{each.name}{ending}": labels_of(meters, each) for each in metrics for ending in endings[each.type]}
    vllm = {f"vllm:{name}" for name in VLLM_GAUGES} | {f"vllm:{name}_total" for name in VLLM_COUNTERS}
    vllm |= {f"vllm:{name}{ending}" for name in VLLM_HISTOGRAMS for ending in endings["histogram"]}
    return {**ours, **{name: {"model_name", "engine", "le"} for name in vllm}, "up": set()}


def labels_of(meters: Meters, metric: Metric) -> set[str]:
    names = {metric.name, *(f"{metric.name}{ending}" for ending in ("_total", "_bucket", "_sum", "_count"))}
    known = {each for name, each in meters.registry._names_to_collectors.items() if name in names}
    (named,) = known or [metric]  # what a collector gathers when it is asked names its labels itself
    return {*named._labelnames, "le"}


def expressions() -> Iterator[tuple[str, str]]:
    dashboard = json.loads((DEPLOY / "grafana/dashboards/moslm.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]
    rules = yaml.safe_load((DEPLOY / "prometheus/rules.yml").read_text())
    for group in rules["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]


SERIES = re.compile(r"\b((?:moslm_|vllm:)[a-z_]+|up)\b(?:\{([^}]*)\})?")


@pytest.mark.parametrize(("where", "expression"), list(expressions()), ids=lambda value: value[:30])
def test_every_metric_and_label_that_is_asked_for_is_exported(where, expression):
    there = exported()
    found = SERIES.findall(expression)
    assert found
    for name, selector in found:
        assert name in there, f"{where}: nobody exports {name}"
        asked = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selector)) - {"job"}
        grouped = {label for by in re.findall(r"by \(([^)]*)\)", expression) for label in by.split(", ")}
        assert asked | grouped <= there[name] | {"instance"}, f"{where}: {name} has no such label"
    assert expression.count("(") == expression.count(")")


def test_the_values_of_labels_that_are_asked_for_exist():
    from typing import get_args

    from moslm.decision import Outcome, Usage

    told = " ".join(expression for _, expression in expressions())
    assert set(re.findall(r'outcome="(\w+)"', told)) <= set(get_args(Outcome))
    assert set(re.findall(r'role="(\w+)"', told)) <= set(get_args(Usage.model_fields["role"].annotation))
    assert set(re.findall(r'job="(\w+)"', told)) == {each["job_name"] for each in scraped()}


def test_every_alert_says_how_urgent_it_is_and_what_is_wrong():
    for group in yaml.safe_load((DEPLOY / "prometheus/rules.yml").read_text())["groups"]:
        for rule in group["rules"]:
            assert rule["labels"]["severity"] in ("page", "ticket")
            assert rule["annotations"]["summary"]


def scraped() -> list[dict[str, Any]]:
    return yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())["scrape_configs"]


# compose


def option(command: list[str], name: str) -> str:
    return command[command.index(name) + 1]


def parsed(command: list[str]) -> Any:
    """Read a command of `moslm` as `moslm` reads it."""
    import argparse

    assert command[0] == "api"
    parser = argparse.ArgumentParser(exit_on_error=False, allow_abbrev=False)
    api_command.arguments(parser)
    return parser.parse_args(command[1:])


def test_what_is_scraped_is_served_at_that_port():
    for job in scraped():
        for target in job["static_configs"][0]["targets"]:
            name, _, port = target.partition(":")
            assert option(COMPOSE["services"][name]["command"], "--port") == port


def test_compose_calls_our_command_with_options_that_it_has():
    service = COMPOSE["services"]["moslm"]
    options = parsed(service["command"])
    mounts = [mount.split(":") for mount in service["volumes"]]
    assert options.config in {mount[1] for mount in mounts}
    assert {int(port.rpartition(":")[2]) for port in service["ports"]} == {options.port}
    assert load(DEPLOY / "moslm.toml").api.keys["shop"].env in service["environment"]
    assert service["read_only"]


def test_composes_vllm_is_called_as_moslm_serve_calls_it(monkeypatch):
    monkeypatch.setattr(launching, "find_spec", lambda _: object())
    monkeypatch.setattr(launching, "packages_distributions", dict)
    monkeypatch.setattr(launching, "has_gpu", lambda: True)
    command = COMPOSE["services"]["vllm"]["command"]
    settings = {"host": "0.0.0.0", "port": 8000, "context": 8192, "tool_parser": "hermes"}
    server = ServerSettings(model="Qwen/Qwen2.5-7B-Instruct", name="small", **settings)
    (launch,) = launching.launches("small", server)
    assert command == list(launch.command[3:])
    model = load(DEPLOY / "moslm.toml").defaults.model
    assert (model.name, model.base_url) == ("small", ["http://vllm:8000/v1"])
    assert model.profile.max_input_tokens + model.max_tokens <= 8192


def test_nothing_is_published_to_other_machines_and_no_secret_stands_in_the_file():
    for service in COMPOSE["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
        for name, value in service.get("environment", {}).items():
            if re.search("KEY|TOKEN|PASSWORD", name):
                assert value.startswith("${"), name
    asked = set(re.findall(r"\$\{(\w+)", (DEPLOY / "compose.yaml").read_text()))
    assert asked == set(re.findall(r"^(\w+)=$", (DEPLOY / ".env.example").read_text(), re.MULTILINE))


def test_every_name_that_compose_uses_is_one_it_defines():
    services, volumes = COMPOSE["services"], COMPOSE["volumes"]
    for service in services.values():
        assert set(service.get("depends_on", ())) <= set(services)
        for mount in service.get("volumes", ()):
            source = mount.split(":")[0]
            assert (DEPLOY / source).exists() if source.startswith(".") else source in volumes, mount
    assert {"vllm", "moslm", "prometheus", "grafana", "postgres", "redis"} <= set(services)


def test_composes_ledger_is_one_that_the_ledger_takes_and_its_settings_reach_it(monkeypatch):
    from moslm import create_moslm

    ledger = COMPOSE["services"]["ledger"]
    assert (option(ledger["command"], "--appendonly"), option(ledger["command"], "--maxmemory-policy")) == (
        "yes",
        "noeviction",
    )
    assert ledger["volumes"] == ["ledger:/data"]
    monkeypatch.setenv("SHOP_KEY", "geheim")
    text = (DEPLOY / "moslm.toml").read_text().replace("# [budgets]", "[budgets]").replace("# redis_url", "redis_url")
    config = Config.model_validate(tomllib.loads(text))
    assert config.budgets.redis_url == "redis://ledger:6379/0"
    assert create_moslm(config).compile()


def test_the_graph_is_built_of_the_settings_of_compose(monkeypatch):
    from moslm import create_moslm

    monkeypatch.setenv("SHOP_KEY", "geheim")
    assert create_moslm(str(DEPLOY / "moslm.toml")).compile()


# the image


def test_the_image_runs_our_command_and_not_as_root():
    text = (DEPLOY / "Dockerfile").read_text()
    (command,) = re.findall(r"^CMD (\[.*\])$", text, re.MULTILINE)
    options = parsed(json.loads(command))
    assert f"EXPOSE {options.port}" in text
    assert re.search(r"^USER [1-9]\d*", text, re.MULTILINE)
    asked = re.search(r"'/src\[(.*)\]'", text)[1].split(",")
    import tomllib

    project = tomllib.loads((DEPLOY.parent / "pyproject.toml").read_text())["project"]
    assert set(asked) <= set(project["optional-dependencies"])
    assert f"moslm:{project['version']}" in text
    kept = re.findall(r"^!(\S+)$", (DEPLOY / "Dockerfile.dockerignore").read_text(), re.MULTILINE)
    assert all((DEPLOY.parent / each).exists() for each in kept)


# Kubernetes


def of_kind(kind: str) -> dict[str, Any]:
    (found,) = [each for each in KUBERNETES if each["kind"] == kind]
    return found


def test_every_object_says_what_it_is_and_selects_what_there_is():
    labels = of_kind("StatefulSet")["spec"]["template"]["metadata"]["labels"]
    for each in KUBERNETES:
        assert {"apiVersion", "kind", "metadata"} <= set(each)
        spec = each.get("spec", {})
        selector = spec.get("selector") or spec.get("podSelector")
        if selector:
            assert (selector.get("matchLabels") or selector).items() <= labels.items(), each["kind"]


def test_the_api_is_probed_bounded_and_not_root():
    pod = of_kind("StatefulSet")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    options = parsed(container["args"])
    assert container["ports"] == [{"name": "http", "containerPort": options.port}]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"] == {"path": "/health", "port": "http"}
    assert {"cpu", "memory"} <= set(container["resources"]["requests"])
    assert pod["securityContext"]["runAsNonRoot"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert not container["securityContext"]["allowPrivilegeEscalation"]
    assert all("value" not in each for each in container["env"])
    claimed = {each["metadata"]["name"] for each in of_kind("StatefulSet")["spec"]["volumeClaimTemplates"]}
    volumes = {each["name"] for each in pod["volumes"]} | claimed
    mounts = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
    assert set(mounts) == volumes
    assert options.config.startswith(mounts["settings"])
    assert of_kind("Service")["spec"]["ports"][0]["targetPort"] == "http"


def test_its_settings_stand_and_lead_to_the_models_of_the_values(tmp_path):
    (tmp_path / "moslm.toml").write_text(of_kind("ConfigMap")["data"]["moslm.toml"])
    config = load(tmp_path / "moslm.toml")
    (model,) = VALUES["servingEngineSpec"]["modelSpec"]
    router = f"http://vllm-router-service:{VALUES['routerSpec']['servicePort']}/v1"
    served = config.defaults.model
    assert (served.name, served.base_url, served.balanced) == (model["modelURL"], [router], True)
    assert served.profile.max_input_tokens + served.max_tokens <= model["vllmConfig"]["maxModelLen"]
    keys = [each["valueFrom"]["secretKeyRef"]["key"] for each in _container()["env"]]
    assert [key.env for key in config.api.keys.values()] == keys


def _container() -> dict[str, Any]:
    return of_kind("StatefulSet")["spec"]["template"]["spec"]["containers"][0]


def test_the_values_have_what_the_chart_requires_and_name_secrets_by_reference():
    # of the chart's values.schema.json
    required = {"name", "repository", "tag", "modelURL", "replicaCount", "requestCPU", "requestMemory", "requestGPU"}
    known = {"enablePrefixCaching", "enableChunkedPrefill", "maxModelLen", "maxNumSeqs", "dtype", "tensorParallelSize"}
    known |= {"gpuMemoryUtilization", "maxLoras", "extraArgs"}
    for model in VALUES["servingEngineSpec"]["modelSpec"]:
        assert required | {"pvcStorage"} <= set(model)
        assert all(isinstance(model[name], int) for name in ("replicaCount", "requestCPU", "requestGPU"))
        assert set(model["vllmConfig"]) <= known
        assert set(model["hf_token"]) == {"secretName", "secretKey"}
        assert model["tag"] == COMPOSE["services"]["vllm"]["image"].partition(":")[2]


# Ray


def test_the_configuration_of_ray_serve_is_what_moslm_makes_of_its_settings():
    command = [sys.executable, "-c", "import sys; from moslm.cli import main; sys.exit(main())", "serve", "--print"]
    settings = str(DEPLOY / "ray/moslm.toml")
    made = subprocess.run([*command, "--config", settings], check=True, capture_output=True, text=True).stdout
    assert (DEPLOY / "ray/serve.yaml").read_text().split("\n", 1)[1] == made


def test_ray_serve_takes_its_configuration():
    judge = (
        "import sys, yaml\n"
        "from ray.serve.schema import DeploymentSchema, ServeDeploySchema\n"
        "config = ServeDeploySchema.model_validate(yaml.safe_load(sys.stdin))\n"
        "for each in config.applications:\n"
        "    options = each.args.get('deployment') or each.args['llm_configs'][0]['deployment_config']\n"
        "    DeploymentSchema.model_validate({'name': each.name, **options})\n"
        "    assert set(options) <= set(DeploymentSchema.model_fields)\n"
        "print(*(each.name for each in config.applications))\n"
    )
    text = (DEPLOY / "ray/serve.yaml").read_text()
    done = subprocess.run([sys.executable, "-c", judge], input=text, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == list(load(DEPLOY / "ray/moslm.toml").servers)
