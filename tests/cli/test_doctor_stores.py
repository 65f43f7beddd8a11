"""What the doctor says about servers that keep things, asked for real."""

from __future__ import annotations

import pytest
from postgres_server import PostgresServer
from redis_server import RedisServer

SCRIPTED = '[defaults.model]\nkind = "scripted"\n'


@pytest.fixture
def doctor(folder, moslm_command):
    def say(settings):
        (folder / "moslm.toml").write_text(SCRIPTED + settings)
        code, out, _ = moslm_command("doctor")
        return code, " ".join(out.split())

    return say


@pytest.fixture
def a_redis(tmp_path):
    started = []

    def start(**options):
        started.append(RedisServer(tmp_path, **options))
        started[-1].start()
        return started[-1].url

    yield start
    for each in started:
        each.kill()


def everything(url):
    return "".join(f'[{section}]\nredis_url = "{url}"\n' for section in ("budgets", "recall", "review"))


def test_a_redis_that_keeps_all_is_told_with_its_version(doctor, redis_server):
    code, said = doctor(everything(redis_server.url))
    assert code == 0
    for what in ("ledger", "questions to people"):
        assert f"ok {what}: Redis at {redis_server.url.removeprefix('unix://')}, version " in said
    assert "answers, keeps all on its disk, and drops nothing" in said
    assert "ok remembered answers: Redis at " in said


def test_one_that_forgets_is_missing_with_its_mend(doctor, a_redis):
    url = a_redis(appendonly="no", **{"maxmemory-policy": "allkeys-lru"})
    code, said = doctor(everything(url))
    assert code == 1
    assert "keeps nothing on its disk → start it with appendonly yes, or set budgets.redis_durable = false" in said
    assert "or set review.redis_durable = false" in said
    assert "note remembered answers: " in said
    assert "also drops which domains were closed (allkeys-lru) → set maxmemory-policy volatile-lru" in said
    code, said = doctor(f'[budgets]\nredis_url = "{url}"\nredis_durable = false\n')
    assert "drops keys when its memory is full (maxmemory-policy allkeys-lru) → set maxmemory-policy noeviction" in said


def test_one_that_is_not_there_is_missing(doctor, tmp_path):
    code, said = doctor(everything(f"unix://{tmp_path}/nothing.sock"))
    assert code == 1
    for what, section in (("ledger", "budgets"), ("remembered answers", "recall"), ("questions to people", "review")):
        assert f"missing {what}: Redis at {tmp_path}/nothing.sock: " in said
        assert f"→ start it, or correct {section}.redis_url" in said


def test_one_that_may_not_be_reached_so_is_missing_and_not_asked(doctor):
    code, said = doctor('[review]\nredis_url = "redis://:secret@reviews.example.com"\n')
    assert code == 1
    assert "missing questions to people: moslm.toml: review.redis_url = " in said
    assert "secret" not in said


def test_a_postgres_is_asked_for_its_version(doctor):
    server = PostgresServer()
    server.start()
    try:
        code, said = doctor(f'[checkpoints]\npostgres_url = "{server.url}"\n')
        assert code == 0
        assert "ok checkpoints: Postgres 1" in said
        assert "threads are kept in clear, as at_rest.seal is not set" in said
        server.kill()
        code, said = doctor(f'[checkpoints]\npostgres_url = "{server.url}"\n')
        assert code == 1
        assert "missing checkpoints: Postgres: " in said
    finally:
        server.remove()


def test_what_is_not_configured_is_not_mentioned(doctor):
    assert "Redis" not in doctor("")[1]
