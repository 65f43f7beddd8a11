from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from moslm.config import Config, Defaults, DomainSettings, EmbeddedModel, ScriptedModel
from moslm.domains import ResolvedSettings, load_domains
from moslm.errors import ConfigError

SHIPPED = ["complex_reasoning", "customer_service", "finance", "it_support"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A stranger's domain that can be spoilt file by file."""
    domain = tmp_path / "domains" / "legal"
    (domain / "knowledge").mkdir(parents=True)
    (domain / "domain.toml").write_text(
        'title = "Legal"\ndescription = "Contracts."\nthreshold = 0.7\nlatency_ms = 900\n'
    )
    (domain / "prompt.md").write_text("Answer briefly.\n")
    (domain / "examples.jsonl").write_text(
        '{"text": "Who signs?"}\n\n{"text": "Line one\\nline two \\u2028 still two"}\n'
    )
    (domain / "knowledge" / "contracts.md").write_text("# Contracts\nTwo directors sign.")
    (domain / "knowledge" / "picture.png").write_bytes(b"\x89PNG")
    return domain


def load(folder: Path, **settings: object) -> dict:
    return load_domains(Config.model_validate({"domain_folders": [folder.parent], **settings}), file="moslm.toml")


def refusal(folder: Path, **settings: object) -> str:
    with pytest.raises(ConfigError) as refused:
        load(folder, **settings)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_the_shipped_domains_have_everything_they_need():
    domains = load_domains(Config())
    assert list(domains) == SHIPPED
    for domain in domains.values():
        assert len(domain.examples) >= 60
        assert len({text.lower() for text in domain.examples}) == len(domain.examples)
        assert domain.title
        assert domain.description
        assert domain.prompt
        assert bool(domain.knowledge) == (not domain.large_model_only)
    assert [name for name, domain in domains.items() if domain.large_model_only] == ["complex_reasoning"]


def test_no_example_stands_in_two_domains():
    texts = [text.lower() for domain in load_domains(Config()).values() for text in domain.examples]
    assert len(set(texts)) == len(texts)


def test_the_latency_budgets_are_those_of_the_reference_design():
    budgets = {name: domain.settings.latency_ms for name, domain in load_domains(Config()).items()}
    assert (budgets["finance"], budgets["it_support"], budgets["customer_service"]) == (500, 300, 100)


def test_shipped_prompts_leave_a_small_model_room():
    assert all(len(domain.prompt.split()) < 80 for domain in load_domains(Config()).values())


def test_a_strangers_folder_adds_a_domain_without_code(folder):
    legal = load(folder)["legal"]
    assert legal.title == "Legal"
    assert legal.prompt == "Answer briefly."
    assert legal.examples == ("Who signs?", "Line one\nline two \u2028 still two")
    assert [(page.source, page.text) for page in legal.knowledge] == [
        ("contracts.md", "# Contracts\nTwo directors sign.")
    ]
    assert legal.settings.threshold == 0.7
    assert legal.settings.tools == ()
    assert legal.file == str(folder / "domain.toml")


def test_a_domain_without_a_handbook_has_no_pages(folder):
    for page in (folder / "knowledge").iterdir():
        page.unlink()
    (folder / "knowledge").rmdir()
    assert load(folder)["legal"].knowledge == ()


def test_what_a_domain_does_not_say_comes_from_the_defaults(folder):
    settings = load(folder)["legal"].settings
    assert settings.passages == Defaults().passages
    assert isinstance(settings.model, EmbeddedModel)


def test_written_defaults_win_over_the_domains_file_and_the_domains_section_over_both(folder):
    defaults = {"latency_ms": 700, "model": {"kind": "scripted", "name": "mine"}}
    settings = load(folder, defaults=defaults, domains={"legal": {"threshold": 0.5, "tools": ["calculate"]}})
    resolved = settings["legal"].settings
    assert (resolved.latency_ms, resolved.threshold, resolved.tools) == (700, 0.5, ("calculate",))
    assert isinstance(resolved.model, ScriptedModel)
    assert settings["finance"].settings.tools[0] == "search_handbook"


def test_every_setting_of_a_domain_is_resolved():
    # a server that is named is resolved to the model on it
    settings = set(DomainSettings.model_fields) - {"server"}
    assert {field.name for field in dataclasses.fields(ResolvedSettings)} == settings


def test_only_domains_chooses_what_is_served(folder):
    assert list(load(folder, only_domains=["legal", "finance"])) == ["finance", "legal"]


@pytest.mark.parametrize("missing", ["domain.toml", "prompt.md", "examples.jsonl"])
def test_a_missing_file_is_named_with_its_mend(folder, missing):
    (folder / missing).unlink()
    said = refusal(folder)
    assert said.startswith(f"{folder / missing}: no such file; write ")


@pytest.mark.parametrize(
    ("file", "content", "expected"),
    [
        ("domain.toml", 'title = "L"\ndescription = "C."\ntreshold = 1', "treshold = 1: unknown key; did you mean thr"),
        ("domain.toml", 'title = "L"\ndescription = "C."\nthreshold = 8', "threshold = 8: must be at most 1"),
        ("domain.toml", 'description = "C."', "title: is missing; add title = ..."),
        ("domain.toml", "title = ", "not TOML"),
        ("domain.toml", b"\xff\xfe\x00", "is not UTF-8 text; save it as UTF-8"),
        ("prompt.md", " \n", "is empty; write the domain's system prompt into it"),
        ("examples.jsonl", "\n", "holds no example; write one"),
        ("examples.jsonl", '{"text": "a"}\nWho signs?', "line 2 = 'Who signs?': is no example; write one"),
        ("examples.jsonl", '["a"]', "line 1 = '[\"a\"]': is no example"),
        ("examples.jsonl", '{"text": 3}', "is no example"),
        ("examples.jsonl", '{"text": " "}', "is no example"),
        ("knowledge/contracts.md", b"\xff\xff", "is not UTF-8 text"),
    ],
)  # fmt: skip
def test_a_spoilt_file_is_named_with_key_value_and_mend(folder, file, content, expected):
    target = folder / file
    target.write_bytes(content) if isinstance(content, bytes) else target.write_text(content)
    said = refusal(folder)
    assert said.startswith(f"{target}: ")
    assert expected in said


def test_two_domains_of_one_name_are_refused(folder):
    copy = folder.rename(folder.parent / "finance")
    said = refusal(copy)
    assert "'finance': two domains have this name" in said
    assert said.endswith("rename one of the folders")


def test_a_folder_that_cannot_be_a_name_is_refused(folder):
    assert "'Human Resources': cannot be a domain's name" in refusal(folder.rename(folder.parent / "Human Resources"))


def test_hidden_folders_are_no_domains(folder):
    (folder.parent / ".git").mkdir()
    (folder.parent / "__pycache__").mkdir()
    assert "legal" in load(folder)


def test_domain_folders_must_exist(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the temporary folder's own name may be too long to be shown whole
    said = refusal(Path("nowhere/x"))
    assert said == "moslm.toml: domain_folders = 'nowhere': no such folder; create it or remove the entry"


def test_naming_the_domain_instead_of_its_parent_is_explained(folder):
    said = refusal(folder / "x")
    assert "is a domain, not a folder of domains" in said
    assert said.endswith(f"write the folder that holds it: '{folder.parent}'")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"only_domains": ["finanse"]}, "moslm.toml: only_domains = 'finanse': no such domain; did you mean finance?"),
        ({"only_domains": []}, "moslm.toml: only_domains = []: names no domain; name one or remove it"),
        ({"domains": {"legl": {}}}, "moslm.toml: domains.legl: no such domain; did you mean legal?"),
        (
            {"mcp": {"files": {"command": "x", "domains": ["zzz"]}}},
            "moslm.toml: mcp.files.domains = 'zzz': no such domain; there are complex_reasoning, customer_service,"
            " finance, it_support, legal",
        ),
    ],
)
def test_settings_that_name_no_domain_are_refused(folder, settings, expected):
    assert refusal(folder, **settings) == expected


def test_handbooks_and_sample_company_name_the_same_systems():
    from moslm.tools.sample import SAMPLE_ROWS
    from moslm.tools.schema import services

    pages = " ".join(page.text for domain in load_domains(Config()).values() for page in domain.knowledge)
    named = [row["name"] for row in SAMPLE_ROWS[services] if row["name"] not in ("Mail", "Web shop")]
    assert [name for name in named if not re.search(rf"\b{name}\b", pages)] == []
