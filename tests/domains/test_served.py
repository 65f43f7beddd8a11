import pytest

from moslm.config import Config, load
from moslm.domains import load_domains
from moslm.errors import ConfigError

SERVERS = {"small": {"model": "org/base-7b", "port": 9000, "replicas": 2, "adapters": {"finance": "org/finance"}}}


def model_of(domain, **settings):
    return load_domains(Config.model_validate({"servers": SERVERS, **settings}))[domain].settings.model


def test_a_domain_asks_every_replica_of_the_server_it_names():
    model = model_of("it_support", domains={"it_support": {"server": "small"}})
    assert (model.kind, model.name, model.lora) == ("vllm", "small", None)
    assert model.base_url == ["http://127.0.0.1:9000/v1", "http://127.0.0.1:9001/v1"]


def test_a_domain_with_an_adapter_on_the_server_asks_for_it():
    assert model_of("finance", defaults={"server": "small"}).lora == "finance"


def test_every_domain_follows_the_default_server_but_one_with_a_model_of_its_own():
    own = {"it_support": {"model": {"kind": "scripted"}}}
    assert model_of("customer_service", defaults={"server": "small"}, domains=own).kind == "vllm"
    assert model_of("it_support", defaults={"server": "small"}, domains=own).kind == "scripted"


def test_a_model_is_offered_tools_only_where_its_server_reads_tool_calls():
    small = SERVERS["small"]
    assert not model_of("finance", defaults={"server": "small"}).profile.tool_calling
    with_parser = {"small": {**small, "tool_parser": "hermes", "context": 2048, "max_tokens": 256}}
    profile = model_of("finance", servers=with_parser, defaults={"server": "small"}).profile
    assert (profile.tool_calling, profile.max_input_tokens) == (True, 1792)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('[defaults]\nserver = "smal"', "moslm.toml: defaults.server = 'smal': no such server; did you mean small?"),
        ('[domains.finance]\nserver = "x"', "domains.finance.server = 'x': no such server; add a [servers.x] section"),
        (
            '[domains.finance]\nserver = "small"\nmodel = { kind = "scripted" }',
            "names both a model and a server",
        ),
        ('[servers.other]\nmodel = "m"\nport = 9001', "the servers small and other both take port 9001"),
        (
            '[servers.other]\nmodel = "m"\nengine = "embedded"\ntool_parser = "hermes"',
            'tool_parser is for engine = "vllm"',
        ),
        ('[servers.other]\nmodel = "m"\nport = 65535\nreplicas = 2', "do not fit below 65536"),
        ('[servers.other]\nmodel = "m"\ndevice = "gpu"', "servers.other.device"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path, text, complaint):
    file = tmp_path / "moslm.toml"
    file.write_text(f'[servers.small]\nmodel = "org/base"\nport = 9000\nreplicas = 2\n{text}\n')
    with pytest.raises(ConfigError) as told:
        load_domains(load(file), file=str(file))
    assert complaint in str(told.value)
    assert "\n" not in str(told.value)


def test_folders_beside_the_file_are_found_and_hub_names_left_alone(tmp_path):
    (tmp_path / "merged").mkdir()
    file = tmp_path / "moslm.toml"
    file.write_text('[servers.a]\nmodel = "merged"\nadapters = { finance = "./fin", it_support = "org/it" }\n')
    server = load(file).servers["a"]
    assert server.model == str(tmp_path / "merged")
    assert server.adapters == {"finance": str(tmp_path / "fin"), "it_support": "org/it"}
