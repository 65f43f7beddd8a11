"""Every mistake of a configuration: one line with file, key, value and mend, from both doors, and no traceback."""

from __future__ import annotations

import pytest

from moslm import ConfigError, ScriptedChatModel, create_moslm

SERVED = '[defaults.model]\nkind = "vllm"\nname = "m"\n'
MISTAKES = {
    "unknown key": (
        "[defaults]\nthreshhold = 0.8",
        "moslm.toml: defaults.threshhold = 0.8: unknown key; did you mean threshold?",
    ),
    "unknown key deep inside": (
        '[domains.finance.model]\nkind = "scripted"\nreplys = ["a"]',
        "moslm.toml: domains.finance.model.replys = ['a']: unknown key; did you mean replies?",
    ),
    "a threshold of 8": (
        "[domains.finance]\nthreshold = 8",
        "moslm.toml: domains.finance.threshold = 8: must be at most 1; write a number at most 1, such as 0.8",
    ),
    "a threshold that is no number": ('[domains.finance]\nthreshold = "high"', "moslm.toml: domains.finance.threshold"),
    "a base_url that is not http(s)": (
        SERVED + 'base_url = "ftp://127.0.0.1/v1"',
        "is not an http(s) address; write e.g. http://127.0.0.1:8000/v1",
    ),
    "a base_url without a host": (SERVED + 'base_url = "http://"', "is not an http(s) address; write e.g. http://"),
    "a base_url outside the allow-list": (
        SERVED + 'base_url = "https://api.example.com/v1"',
        "base_url = 'https://api.example.com/v1': its host is not allowed; add \"api.example.com\" to allow_hosts",
    ),
    "a metadata service": (SERVED + 'base_url = "http://169.254.169.254/v1"', "its host is not allowed; add "),
    "an unknown kind of model": (
        '[defaults.model]\nkind = "vlllm"',
        "moslm.toml: defaults.model",
    ),
    "an unknown tool": (
        '[domains.customer_service]\ntools = ["refunds"]',
        "moslm.toml: domains.customer_service.tools = 'refunds': no such tool; did you mean refund?",
    ),
    "weights nobody pinned": (
        '[domains.finance.model]\nkind = "embedded"\nweights = "nosuch"',
        "moslm.toml: domains.finance.model.weights = 'nosuch': is no pinned name; pinned: smollm2-135m-instruct;",
    ),
    "weights written wrongly": (
        '[defaults.model]\nkind = "embedded"\nweights = "smollm2-135m"',
        "moslm.toml: defaults.model.weights = 'smollm2-135m': is no pinned name; did you mean smollm2-135m-instruct?",
    ),
    "an unknown domain": (
        "[domains.finanse]\nthreshold = 0.5",
        "domains.finanse: no such domain; did you mean finance?",
    ),
    "an unknown confidence signal": (
        '[defaults]\nconfidence = "meen"',
        "moslm.toml: defaults.confidence = 'meen': names nothing that exists; did you mean mean?",
    ),
    "an MCP server outside the allow-list": (
        '[mcp.web]\ntransport = "streamable_http"\nurl = "https://tools.example.com/mcp"',
        "moslm.toml: mcp.web.url = 'https://tools.example.com/mcp': its host is not allowed; add \"tools.example.com\"",
    ),
    "an MCP server without an end": ('[mcp.web]\ntransport = "stdio"', "moslm.toml: mcp.web"),
    "a database address that is none": (
        'database_url = "our database"',
        "moslm.toml: database_url: is not an address of a database; write an SQLAlchemy address such as",
    ),
    "a database nobody knows": (
        'database_url = "oracel://host/name"',
        "moslm.toml: database_url = 'oracel://host/name': SQLAlchemy knows no such database; write an SQLAlchemy",
    ),
    "a database file that is not there": (
        'database_url = "sqlite:///nowhere.sqlite"',
        "moslm.toml: database_url = 'sqlite:///nowhere.sqlite': no such file; name an existing database",
    ),
    "a key that is not in the environment": (
        SERVED + 'base_url = "http://127.0.0.1:1/v1"\napi_key_env = "NO_SUCH_KEY"',
        "api_key_env = 'NO_SUCH_KEY': the environment variable is not set; run: export NO_SUCH_KEY=...",
    ),
    "a hosted model without a price": (
        '[large_model.model]\nkind = "hosted"\nname = "openai:no-such-model"',
        "no-such-model",
    ),
    "a chat classifier without a model": ('[classifier]\nkind = "chat"', "moslm.toml: classifier"),
    "no TOML": ("[defaults\n", "moslm.toml: not TOML: "),
    "a setting of the wrong shape": ("domains = 7", "moslm.toml: domains = 7: "),
}
DOMAIN = {
    "domain.toml": 'title = "Legal"\ndescription = "Contracts."\n',
    "prompt.md": "Answer briefly.\n",
    "examples.jsonl": '{"text": "Who signs this contract?"}\n',
}


@pytest.fixture
def refused(folder, moslm_command):
    """Return the one line that both doors say about this file."""

    def said(toml: str) -> str:
        (folder / "moslm.toml").write_text(toml)
        code, out, err = moslm_command("config", "check", "moslm.toml")
        assert (code, out) == (2, "")
        assert err.startswith("moslm: ")
        assert err.count("\n") == 1
        with pytest.raises(ConfigError) as refusal:
            create_moslm("moslm.toml")
        assert "\n" not in str(refusal.value)
        assert err == f"moslm: {refusal.value}\n"
        return str(refusal.value)

    return said


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_in_one_line(refused, mistake):
    toml, complaint = MISTAKES[mistake]
    said = refused(toml)
    assert complaint in said
    assert said.startswith("moslm.toml: ")


def test_a_head_that_is_not_there_is_named_with_the_command_that_fits_one(refused):
    said = refused('[classifier]\nhead = "nowhere"')
    assert "nowhere/card.json: classifier.head: cannot be read" in said
    assert "run: moslm fit --out " in said


def own_domain(folder, name, **changes):
    place = folder / "domains" / name
    place.mkdir(parents=True)
    for file, text in {**DOMAIN, **changes}.items():
        if text is not None:
            (place / file).write_text(text)
    return place


def test_a_missing_prompt_file_is_named_with_its_mend(folder, refused):
    place = own_domain(folder, "legal", **{"prompt.md": None})
    said = refused('domain_folders = ["domains"]')
    assert said == f"{place / 'prompt.md'}: no such file; write the domain's system prompt into it"


def test_two_domains_of_one_name_are_refused(folder, refused):
    own_domain(folder, "finance")
    said = refused('domain_folders = ["domains"]')
    assert "name of the folder = 'finance': two domains have this name" in said
    assert said.endswith("rename one of the folders")


def test_an_unknown_tool_in_a_domains_own_file_names_that_file(folder, refused):
    toml = DOMAIN["domain.toml"] + 'tools = ["serch_handbook"]\n'
    place = own_domain(folder, "legal", **{"domain.toml": toml})
    said = refused('domain_folders = ["domains"]')
    assert said == (f"{place / 'domain.toml'}: tools = 'serch_handbook': no such tool; did you mean search_handbook?")


def test_a_file_that_is_not_there_is_named_with_its_mend(moslm_command):
    code, out, err = moslm_command("ask", "hello", "--config", "nowhere.toml")
    assert (code, out) == (2, "")
    assert err == "moslm: nowhere.toml: no such file; run: moslm config example > moslm.toml\n"


@pytest.mark.parametrize(
    ("argument", "value"), [("models", {"finanse": ScriptedChatModel()}), ("models", {"complex_reasoning": None})]
)
def test_a_model_for_a_domain_that_has_none_is_refused_when_the_graph_is_built(argument, value):
    with pytest.raises(ConfigError, match=r"models = '\w+': names nothing that exists; (did you mean|known are) "):
        create_moslm(**{argument: value})


def test_a_password_of_a_database_is_never_shown(refused):
    assert "s3cret" not in refused('database_url = "oracel://me:s3cret@host/name"')


def test_no_mistake_is_found_in_a_sound_file_that_names_everything(folder, moslm_command):
    own_domain(folder, "legal")
    (folder / "moslm.toml").write_text(
        'domain_folders = ["domains"]\nallow_hosts = ["loopback", "models.example.com"]\n'
        '[defaults]\nthreshold = 0.7\nconfidence = "minimum"\n'
        '[defaults.model]\nkind = "scripted"\n'
        '[domains.finance.model]\nkind = "vllm"\nname = "m"\nbase_url = "https://models.example.com/v1"\n'
        '[domains.legal]\ntools = ["search_handbook"]\n'
    )
    code, out, err = moslm_command("config", "check")
    assert (code, err) == (0, "")
    assert "legal (scripted)" in out
