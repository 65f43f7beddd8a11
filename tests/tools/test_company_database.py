from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, select, text

from moslm.config import Config
from moslm.errors import BackendDown, ConfigError, MissingExtraError
from moslm.tools.company import open_company
from moslm.tools.sample import SAMPLE_ROWS
from moslm.tools.schema import metadata, orders

OPEN = "from moslm.config import Config; from moslm.tools.company import open_company; "
OPEN += "open_company(Config()).engine.connect().close()"


@pytest.fixture
def own(tmp_path: Path) -> str:
    address = f"sqlite:///{tmp_path / 'own.sqlite'}"
    engine = create_engine(address)
    metadata.create_all(engine)
    engine.dispose()
    return address


def refusal(error: type[Exception] = ConfigError, **settings: object) -> str:
    with pytest.raises(error) as refused:
        open_company(Config.model_validate(settings), file="moslm.toml")
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_the_sample_is_made_on_first_use_and_kept(company, tmp_path):
    file = tmp_path / "company-home" / "company.sqlite"
    assert not file.exists()
    company.engine.connect().close()
    made = file.stat().st_ino
    again = open_company(Config())
    with again.engine.connect() as connection:
        assert len(connection.execute(select(orders)).all()) == len(SAMPLE_ROWS[orders])
    again.engine.dispose()
    assert file.stat().st_ino == made
    assert [each.name for each in file.parent.iterdir()] == ["company.sqlite"]


def test_processes_that_start_at_once_make_one_sample(tmp_path, monkeypatch):
    monkeypatch.setenv("MOSLM_HOME", str(tmp_path / "fresh"))
    running = [subprocess.Popen([sys.executable, "-c", OPEN]) for _ in range(3)]
    assert [process.wait(timeout=60) for process in running] == [0, 0, 0]
    assert [each.name for each in (tmp_path / "fresh").iterdir()] == ["company.sqlite"]


def test_the_users_own_database_lives_today(own, monkeypatch):
    from datetime import date

    company = open_company(Config(database_url=own))
    assert company.today() == date.today()
    company.engine.dispose()
    monkeypatch.setenv("COMPANY_DB", own)
    company = open_company(Config(database_url_env="COMPANY_DB"))
    assert company.engine.url.database == own.removeprefix("sqlite:///")
    company.engine.dispose()


def test_a_missing_table_is_named(own):
    engine = create_engine(own)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE refunds"))
    engine.dispose()
    said = refusal(database_url=own)
    assert said.startswith("moslm.toml: database_url = 'sqlite:///")
    assert "has no table refunds; add it as" in said


def test_a_missing_column_is_named(own):
    engine = create_engine(own)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE services DROP COLUMN note"))
    engine.dispose()
    assert "has no column services.note" in refusal(database_url=own)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"database_url": "not an address"}, "moslm.toml: database_url: is not an address of a database; write"),
        ({"database_url": "sqlite:////nowhere/x.sqlite"}, "database_url = 'sqlite:////nowhere/x.sqlite': no such file"),
        ({"database_url": "oracul://h/x"}, "database_url = 'oracul://h/x': SQLAlchemy knows no such database"),
        ({"database_url": "postgresql+psycopg2://u:secret@h/x"}, "its driver is not installed (psycopg2); run: "),
        ({"database_url_env": "NO_SUCH_DB"}, "'NO_SUCH_DB': no such environment variable; set NO_SUCH_DB"),
    ],
)  # fmt: skip
def test_an_address_that_cannot_stand_is_refused_in_one_line(settings, said):
    found = refusal(**settings)
    assert said in found
    assert "secret" not in found


def test_a_file_that_is_no_database_does_not_answer(tmp_path):
    (tmp_path / "x.sqlite").write_bytes(b"no database at all, but long enough to be read as one" * 100)
    said = refusal(BackendDown, database_url=f"sqlite:///{tmp_path / 'x.sqlite'}")
    assert said == "The company database does not answer."


def test_an_old_sample_says_how_to_make_it_afresh(company, tmp_path):
    with company.engine.begin() as connection:
        connection.execute(text("DROP TABLE refunds"))
    said = refusal()
    assert said.endswith(
        "the sample company has no table refunds; delete the file; it is made afresh on the next start"
    )


def test_a_home_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MOSLM_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(ConfigError) as refused:
        open_company(Config()).engine.connect()
    said = str(refused.value)
    assert said.startswith(f"{tmp_path / 'file' / 'home' / 'company.sqlite'}: the sample company cannot be written: ")
    assert said.endswith("; make room, or set MOSLM_HOME to a folder that can be written")


def test_a_disk_that_is_full_is_named_and_nothing_is_left_of_the_attempt(tmp_path, monkeypatch):
    monkeypatch.setenv("MOSLM_HOME", str(tmp_path / "full"))
    no_room = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192)); "
    ended = subprocess.run([sys.executable, "-c", no_room + OPEN], capture_output=True, text=True, timeout=60)
    last = ended.stderr.splitlines()[-1]
    assert last.startswith(f"moslm.errors.ConfigError: {tmp_path / 'full' / 'company.sqlite'}: the sample company ")
    assert last.endswith("; make room, or set MOSLM_HOME to a folder that can be written")
    assert list((tmp_path / "full").iterdir()) == []


def test_without_the_extra_its_name_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    assert refusal(MissingExtraError).endswith("run: pip install 'moslm[tools]'")
