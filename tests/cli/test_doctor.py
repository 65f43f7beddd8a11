import base64
import os
from datetime import date

import pytest

from moslm.cli import doctor, model_findings
from moslm.config import Config, home
from moslm.errors import ConfigError
from moslm.escalation.calibration.artefact import write_calibration
from moslm.escalation.calibration.fitting import fit_calibration
from moslm.escalation.calibration.labelled import LabelledAnswer
from moslm.escalation.drift_file import DriftFile
from moslm.escalation.watching import Watch
from moslm.serving.looking import Load, Seen

VLLM = """
[defaults.model]
kind = "vllm"
name = "qwen"
base_url = "http://127.0.0.1:8000/v1"
"""
HOSTED = """
[large_model.model]
kind = "hosted"
name = "openai:gpt-4o"
"""


def states(out):
    return [line.split()[0] for line in out.splitlines() if line[:1] not in ("", " ", "N", "M")]


@pytest.fixture
def server(monkeypatch):
    """Let every server look like this."""

    def shows(problem, *models, load=None):
        monkeypatch.setattr(model_findings, "load_of", lambda url, key, **_: load)
        monkeypatch.setattr(model_findings, "look", lambda urls, key, **_: [Seen(url, problem, models) for url in urls])

    return shows


def test_when_all_is_there_nothing_is_missing(config, moslm_command):
    code, out, _ = moslm_command("doctor")
    assert code == 0
    assert "missing" not in states(out)
    assert "ok      configuration: moslm.toml is read" in out
    assert "scripted for customer_service, finance, it_support" in out
    assert "audit.sqlite can be written" in " ".join(out.split())
    assert "ok      the graph: can be built of these parts" in out
    assert out.endswith("\nNothing is missing.\n")
    assert max(map(len, out.splitlines())) <= 100


def test_looking_makes_no_record(config, moslm_command, log):
    moslm_command("doctor")
    assert log.list() == []


def test_weights_that_are_not_here_are_missing_with_their_command(folder, moslm_command, monkeypatch):
    monkeypatch.setenv("MOSLM_HOME", str(folder / "empty"))
    code, out, _ = moslm_command("doctor")
    assert code == 1
    assert "→ moslm pull smollm2-135m-instruct" in out


def test_for_weights_that_are_not_pinned_no_command_is_told_that_cannot_work(config, moslm_command):
    for weights in ("nosuch", "models/nosuch.gguf"):
        config.write_text(f'[defaults.model]\nkind = "embedded"\nweights = "{weights}"')
        code, out, _ = moslm_command("doctor")
        assert code == 1
        assert "smollm2-135m-instruct" in out or "moslm pull --list" in " ".join(out.split())
        assert f"moslm pull {weights}" not in out


def test_a_server_that_is_down_is_missing_with_its_command(config, moslm_command, server):
    config.write_text(VLLM)
    server("nothing answers there")
    code, out, _ = moslm_command("doctor")
    assert code == 1
    assert "http://127.0.0.1:8000/v1: nothing answers there" in " ".join(out.split())
    assert "→ vllm serve MODEL --served-model-name qwen --port 8000" in out


def test_a_server_of_ones_own_that_does_not_answer_is_mended_by_moslm_serve(config, moslm_command, server):
    config.write_text('[defaults]\nserver = "small"\n[servers.small]\nmodel = "org/base"\nport = 8100\n')
    server("nothing answers there")
    code, out, _ = moslm_command("doctor")
    assert code == 1
    assert "http://127.0.0.1:8100/v1: nothing answers there" in " ".join(out.split())
    assert "→ moslm serve small" in out


def test_a_host_that_is_not_allowed_is_not_looked_at_and_told_once(config, moslm_command, monkeypatch):
    asked = []
    monkeypatch.setattr(model_findings, "look", lambda urls, key, **_: asked.extend(urls) or [])
    config.write_text(VLLM.replace("127.0.0.1", "models.example.com"))
    code, out, _ = moslm_command("doctor")
    assert (code, asked) == (1, [])
    assert 'add "models.example.com" to allow_hosts if it may be reached' in " ".join(out.split())
    assert out.endswith("Missing: 1.\n")
    assert "note    the graph: cannot be built yet" in out


def test_a_server_without_a_port_is_started_on_the_one_of_its_scheme(config, moslm_command, server):
    config.write_text(VLLM.replace(":8000", ""))
    server("nothing answers there")
    assert "--port 80\n" in moslm_command("doctor")[1]


def test_a_server_that_serves_another_model_is_told(config, moslm_command, server):
    config.write_text(VLLM)
    server(None, "llama")
    out = " ".join(moslm_command("doctor")[1].split())
    assert "does not serve qwen; it serves llama" in out
    assert '→ set name to "llama"' in out


def test_an_adapter_is_looked_for_among_the_models(config, moslm_command, server):
    config.write_text(VLLM + 'lora = "finance"\n')
    server(None, "qwen")
    assert "--lora-modules finance=DIR" in moslm_command("doctor")[1]
    server(None, "qwen", "finance")
    assert moslm_command("doctor")[0] == 0


def test_each_of_several_servers_is_told_with_its_place_and_how_busy_it_is(config, moslm_command, server):
    config.write_text(
        VLLM.replace('"http://127.0.0.1:8000/v1"', '["http://127.0.0.1:8000/v1", "http://10.0.0.9:8000/v1"]')
    )
    server(None, "qwen", load=Load(3, 1, 0.0))
    out = " ".join(moslm_command("doctor")[1].split())
    assert "server 1 of 2: http://127.0.0.1:8000/v1 answers; 3 requests are running and 1 wait" in out
    assert "server 2 of 2: http://10.0.0.9:8000/v1 answers" in out


def test_a_key_that_is_not_set_is_missing(config, moslm_command, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    config.write_text(config.read_text() + HOSTED)
    code, out, _ = moslm_command("doctor")
    assert code == 1
    assert "→ export OPENAI_API_KEY=..." in out
    assert "$2.5 in, $10 out per million tokens (2024-10-02)" in " ".join(out.split())


def test_a_hosted_model_without_a_price_is_missing_one(config, moslm_command, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "x")
    config.write_text(config.read_text() + HOSTED.replace("gpt-4o", "gpt-99"))
    code, out, _ = moslm_command("doctor")
    assert code == 1
    assert "has no known price" in " ".join(out.split())


def test_an_extra_that_is_needed_and_not_installed_is_missing(config, moslm_command, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "x")
    config.write_text(config.read_text() + HOSTED)
    monkeypatch.setattr(model_findings, "installed", lambda extra: extra != "hosted")
    code, out, _ = moslm_command("doctor")
    assert code == 1
    assert "→ pip install 'moslm[hosted]'" in out


def test_an_extra_that_nothing_needs_is_a_note(config, moslm_command, monkeypatch):
    monkeypatch.setattr(doctor, "installed", lambda extra: extra != "draw")
    code, out, _ = moslm_command("doctor")
    assert code == 0
    assert "note    extra draw: not installed; it is for the graph as a picture" in out


def test_a_configuration_that_cannot_stand_is_all_there_is_to_say(config, moslm_command):
    config.write_text("[defaults]\nthreshold = 8")
    code, out, _ = moslm_command("doctor")
    assert code == 1
    assert states(out) == ["ok", "missing"]
    assert "defaults.threshold = 8" in out


def test_an_audit_log_that_cannot_be_written_is_missing(config, folder, moslm_command):
    (folder / "blocked").write_text("")
    config.write_text('audit_file = "blocked/audit.sqlite"\n' + config.read_text())
    code, out, _ = moslm_command("doctor")
    assert code == 1
    assert "missing audit log: the audit log" in out


def test_what_does_not_fit_together_is_told(config, moslm_command, monkeypatch):
    from moslm.graph import parts

    def refuse(file):
        raise ConfigError("names nothing that exists", key="defaults.confidence", value="maen")

    monkeypatch.setattr(parts, "build_parts", refuse)
    code, out, _ = moslm_command("doctor")
    assert code == 1
    assert "missing the graph: defaults.confidence = 'maen'" in out


def test_a_missing_large_model_is_a_note_with_the_way_to_one():
    (finding,) = doctor._large_model(Config(), None)
    assert (finding.state, finding.mend) == ("note", "add [large_model]; see: moslm config example")


def test_a_calibration_that_has_drifted_is_told(config, folder, moslm_command):
    rows = [LabelledAnswer("finance", f"g{i}", {"mean": 0.5 + i % 40 / 100}, i % 3 > 0) for i in range(80)]
    made = fit_calibration(rows, signals=["mean"], model="scripted", revision="", created=date.today())
    write_calibration(folder / "finance.json", made)
    config.write_text(f'{config.read_text()}\n[domains.finance]\ncalibration = "finance.json"\n')
    _, before, _ = moslm_command("doctor")
    assert "drifted" not in before
    watch = Watch(made, "finance", 0.01, DriftFile(home() / "drift.sqlite"), settle_s=0)
    for _ in range(100):
        watch.notice({"mean": 0.9})
    code, out, _ = moslm_command("doctor")
    assert code == 0
    said = " ".join(out.split())
    assert "note confidence: finance keeps nothing local: its calibration is drifted, because after" in said


def test_encryption_at_rest_is_tried_and_a_key_that_is_not_there_is_missing(config, moslm_command, monkeypatch):
    assert "note    at rest: records, paid answers and remembered answers are kept in" in moslm_command("doctor")[1]
    config.write_text(config.read_text() + '\n[privacy]\nkey_env = "KEK"\n[at_rest]\nseal = true\n')
    code, out, _ = moslm_command("doctor")
    assert code == 1
    told = "missing at rest: moslm.toml: privacy.key_env = 'KEK': the environment variable is not set or empty"
    assert told in " ".join(out.split())
    monkeypatch.setenv("KEK", base64.b64encode(os.urandom(32)).decode())
    code, out, _ = moslm_command("doctor")
    assert code == 0
    assert "ok at rest: sealed and opened, and refused what was altered" in " ".join(out.split())
