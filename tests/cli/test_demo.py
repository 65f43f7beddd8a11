import json

import pytest

from moslm.cli.demo import REQUESTS

ANSWER = "The handbook says so."


@pytest.fixture
def config(folder):
    file = folder / "moslm.toml"
    file.write_text(f'[defaults.model]\nkind = "scripted"\nreplies = ["{ANSWER}"]\nconfidence = 0.95\n')
    return file


@pytest.fixture
def with_a_large_model(config):
    config.write_text(
        config.read_text() + '[large_model.model]\nkind = "scripted"\nname = "gpt-4o"\nreplies = ["From above."]\n'
    )


def test_six_requests_are_answered_or_handed_over_each_with_its_table(config, moslm_command, log):
    code, out, err = moslm_command("demo")
    assert (code, err) == (0, "")
    for shows, text in REQUESTS:
        assert shows in out
        assert f"> {text}" in out
    assert out.count("\n  outcome ") == len(REQUESTS) == 6
    assert max(map(len, out.splitlines())) <= 100
    assert len(log.list()) == 6


def test_each_request_shows_what_it_is_there_to_show(config, with_a_large_model, moslm_command):
    lines = [json.loads(line) for line in moslm_command("demo", "--json")[1].splitlines()]
    decisions = [each["decision"] for each in lines]
    assert [each["outcome"] for each in decisions] == ["answered"] * 3 + ["escalated"] * 3
    assert [each["domain"] for each in decisions[:3]] == ["finance", "it_support", "customer_service"]
    fired = [{reason["trigger"] for reason in each["reasons"]} for each in decisions]
    assert fired[:3] == [set()] * 3
    assert "several_domains" in fired[3]
    assert "asked_for" in fired[4]
    assert "unfamiliar" in fired[5]
    assert [each["reply"] for each in lines] == [ANSWER] * 3 + ["From above."] * 3
    assert [each["request"] for each in lines] == [text for _, text in REQUESTS]


def test_the_sum_is_told_at_the_end(config, moslm_command):
    out = " ".join(moslm_command("demo")[1].split())
    assert "6 requests: 3 answered by small models and 3 handed over. They cost $0; gpt-4o would have cost $" in out
