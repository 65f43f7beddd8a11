import json
import re
import tomllib

import jsonschema
import pytest

from moslm.cli.config import example, schema
from moslm.config import Config, deadline_of


def test_the_example_is_a_configuration(folder, moslm_command):
    _, out, _ = moslm_command("config", "example")
    (folder / "moslm.toml").write_text(out)
    code, out, _ = moslm_command("config", "check")
    assert code == 0
    assert out.startswith("moslm.toml is sound.\n")


def uncommented():
    """The example with every line of settings that stands commented taken in."""
    return re.sub(r"(?m)^# (?=\[|\"?[a-z_0-9.-]+\"? = )", "", example())


def test_every_commented_line_of_the_example_can_be_taken_in():
    config = Config.model_validate(tomllib.loads(uncommented()))
    assert config.large_model is not None
    assert config.domains["finance"].model.kind == "vllm"
    assert config.mcp["tickets"].effects == {"search": "read"}


def test_the_example_shows_every_section():
    assert set(tomllib.loads(uncommented())) == set(Config.model_fields)


def test_defaults_in_the_example_are_the_defaults():
    shown, defaults = tomllib.loads(uncommented()), Config().model_dump(mode="json")
    defaults["recall"]["file"] = shown["recall"]["file"]
    for section in ("triggers", "limits", "recall"):
        assert shown[section] == {key: value for key, value in defaults[section].items() if value is not None}
    defaults["defaults"]["deadline_ms"] = deadline_of(defaults["defaults"]["latency_ms"], None)
    examples = ("model", "server", "calibration")
    shown["defaults"]["second_opinion"]["model"] = None
    shown["defaults"]["remember"] = None  # it says what holds where a domain is of normal risk
    own = {key: value for key, value in shown["defaults"].items() if key not in examples}
    assert own == {key: value for key, value in defaults["defaults"].items() if key not in examples}


def test_the_schema_judges_as_the_configuration_does(moslm_command):
    _, out, _ = moslm_command("config", "schema")
    judge = jsonschema.Draft202012Validator(json.loads(out))
    judge.check_schema(schema())
    assert not list(judge.iter_errors(tomllib.loads(uncommented())))
    assert list(judge.iter_errors({"defaults": {"threshold": 8}}))
    assert list(judge.iter_errors({"thresold": 0.8}))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("thresold = 0.8", "moslm.toml: thresold = 0.8: unknown key"),
        ("[defaults]\nthreshold = 8", "moslm.toml: defaults.threshold = 8: must be at most 1; write a number"),
        ("[defaults", "moslm.toml: not TOML"),
        ('[domains.finance]\ntools = ["no_such_tool"]', "no_such_tool"),
        ('[defaults.model]\nkind = "vllm"\nname = "x"\nbase_url = "ftp://x"', "is not an http(s) address"),
        ('only_domains = ["finanze"]', "finanze"),
    ],
)
def test_a_mistake_is_one_line_with_file_key_value_and_mend(config, moslm_command, text, complaint):
    config.write_text(text if "defaults" in text else f"{text}\n")
    code, out, err = moslm_command("config", "check")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert complaint in err


def test_a_sound_file_tells_what_stands(config, moslm_command):
    code, out, _ = moslm_command("config", "check", "moslm.toml")
    assert code == 0
    assert "finance (scripted)" in out
    assert "large model  none: what must go up is handed over" in out


def test_only_a_check_takes_a_file(moslm_command):
    code, out, err = moslm_command("config", "schema", "moslm.toml")
    assert (code, out) == (2, "")
    assert "there is nothing to check with schema; leave it out" in err
