import base64
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from moslm.config import PrivacySettings
from moslm.errors import ConfigError, MissingExtraError, VaultError
from moslm.privacy.keys import DerivedKeys, configured_keys
from moslm.privacy.sealed_vault import SealedVault
from moslm.privacy.vault import Kept, MemoryVault, Value

KEY = bytes(range(32))
CANARY = "maria.keller-canary@corp.local"


def value(text, kind="EMAIL_ADDRESS"):
    return Value(kind, text, text.casefold())


@pytest.fixture
def file(tmp_path):
    return tmp_path / "kept" / "vault.sqlite"


@pytest.fixture
def sealed(file):
    vault = SealedVault(file, DerivedKeys(KEY))
    yield vault
    vault.close()


@pytest.fixture(params=["memory", "sealed"])
def vault(request):
    return MemoryVault() if request.param == "memory" else request.getfixturevalue("sealed")


def test_one_value_has_one_number_and_each_kind_counts_for_itself(vault):
    assert vault.keep("a", "1", [value("x"), value("y"), value("X"), value("x", "PERSON")]) == [1, 2, 1, 1]
    assert vault.keep("a", "1", [value("z"), value("y")]) == [3, 2]
    assert vault.value("a", "1", "EMAIL_ADDRESS", 1) == "x"
    assert vault.value("a", "1", "EMAIL_ADDRESS", 4) is None
    assert Kept("PERSON", 1, "x") in vault.kept("a", "1")


def test_tenants_and_conversations_never_see_each_others(vault):
    vault.keep("a", "1", [value("x")])
    for tenant, conversation in (("b", "1"), ("a", "2"), ("", "a1"), ("a1", "")):
        assert vault.value(tenant, conversation, "EMAIL_ADDRESS", 1) is None
        assert vault.kept(tenant, conversation) == []


def test_forgetting_takes_a_conversation_or_a_tenant_and_leaves_the_others(vault):
    for tenant, conversation in (("a", "1"), ("a", "2"), ("b", "1")):
        vault.keep(tenant, conversation, [value("x")])
    vault.forget("a", "1")
    assert (vault.kept("a", "1"), len(vault.kept("a", "2")), len(vault.kept("b", "1"))) == ([], 1, 1)
    vault.forget("a")
    assert (vault.kept("a", "2"), len(vault.kept("b", "1"))) == ([], 1)


def test_values_kept_at_once_by_many_get_numbers_of_their_own(vault):
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda i: vault.keep("a", "1", [value(f"v{i % 10}")])[0], range(80)))
    assert set(numbers) == set(range(1, 11))
    assert len({(i % 10, number) for i, number in enumerate(numbers)}) == 10


def test_memory_forgets_the_conversation_that_was_unused_for_longest():
    vault = MemoryVault(most_conversations=2)
    for conversation in "121":
        vault.keep("a", conversation, [value("x")])
    vault.keep("a", "3", [value("x")])
    assert [len(vault.kept("a", each)) for each in "123"] == [1, 0, 1]


def test_a_sealed_vault_outlives_its_process(file, sealed):
    sealed.keep("a", "1", [value(CANARY)])
    sealed.close()
    assert SealedVault(file, DerivedKeys(KEY)).value("a", "1", "EMAIL_ADDRESS", 1) == CANARY


def test_two_processes_share_the_numbers_of_one_file(file, sealed):
    other = SealedVault(file, DerivedKeys(KEY))
    assert sealed.keep("a", "1", [value("x")]) == other.keep("a", "1", [value("x")]) == [1]
    assert other.keep("a", "1", [value("y")]) == sealed.keep("a", "1", [value("y")]) == [2]
    other.close()


def test_no_value_tenant_or_conversation_stands_in_the_file(file, sealed):
    sealed.keep("tenant-canary", "thread-canary", [Value("EMAIL_ADDRESS", CANARY, CANARY)])
    for each in file.parent.iterdir():
        raw = each.read_bytes()
        assert b"canary" not in raw
        assert base64.b64encode(CANARY.encode())[4:20] not in raw
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_what_is_forgotten_leaves_no_bytes(file, sealed):
    sealed.keep("a", "1", [value("x")])
    with sqlite3.connect(file) as connection:
        ((bytes_,),) = connection.execute("SELECT sealed FROM placeholders").fetchall()
    sealed.forget("a", "1")
    sealed.close()
    assert all(bytes_ not in each.read_bytes() for each in file.parent.iterdir())


def test_what_is_too_old_goes(sealed):
    sealed.keep("a", "1", [value("x")])
    assert sealed.forget_older(60) == 0
    assert sealed.forget_older(-1) == 1
    assert sealed.kept("a", "1") == []


def moved(file, statement, values=()):
    with sqlite3.connect(file) as connection:
        assert connection.execute(statement, values).rowcount > 0


def scope(file, row):
    with sqlite3.connect(file) as connection:
        return connection.execute("SELECT scope FROM placeholders ORDER BY kept_at").fetchall()[row][0]


@pytest.mark.parametrize("other", [("b", "1"), ("a", "2")], ids=["tenant", "conversation"])
def test_a_row_that_was_moved_does_not_decrypt(file, sealed, other):
    sealed.keep("a", "1", [value("x")])
    sealed.keep(*other, [value("y", "PERSON")])
    moved(file, "UPDATE placeholders SET scope = ? WHERE scope = ?", (scope(file, 1), scope(file, 0)))
    with pytest.raises(VaultError, match="altered, or moved"):
        sealed.value(*other, "EMAIL_ADDRESS", 1)
    with pytest.raises(VaultError, match="altered, or moved"):
        sealed.kept(*other)


@pytest.mark.parametrize(
    "change",
    [
        "sealed = sealed || x'00'",
        "sealed = x''",
        "sealed = x'00' || substr(sealed, 2)",
        "number = 2",
        "kind = 'PERSON'",
        "sealed = 'text'",
    ],
)
def test_a_row_that_was_altered_is_an_error(file, sealed, change):
    sealed.keep("a", "1", [value("x")])
    moved(file, f"UPDATE placeholders SET {change}")
    with pytest.raises(VaultError):
        sealed.kept("a", "1")


OLD, NEW = DerivedKeys(bytes(range(1, 33))), DerivedKeys(bytes(range(2, 34)))


class TestANewKey:
    @pytest.fixture
    def under_the_old(self, file):
        vault = SealedVault(file, OLD)
        for tenant, conversation in (("a", "1"), ("a", "2"), ("b", "1")):
            vault.keep(tenant, conversation, [value("x"), value(f"y{conversation}", "PERSON"), value("z")])
        vault.close()
        return file

    def test_opens_what_lies_under_the_old_one_and_goes_on_counting(self, under_the_old):
        vault = SealedVault(under_the_old, NEW, [OLD])
        assert vault.value("a", "1", "PERSON", 1) == "y1"
        assert vault.keep("a", "1", [value("z"), value("new")]) == [2, 3]
        assert len(vault.kept("a", "2")) == 3
        vault.close()

    def test_and_everything_is_rotated_to_it(self, under_the_old):
        vault = SealedVault(under_the_old, NEW, [OLD])
        vault.kept("a", "1")  # sealed anew by being used
        assert vault.rotate() == 6
        assert vault.rotate() == 0
        vault.close()
        alone = SealedVault(under_the_old, NEW)
        for tenant, conversation in (("a", "1"), ("a", "2"), ("b", "1")):
            assert {each.text for each in alone.kept(tenant, conversation)} == {"x", f"y{conversation}", "z"}
        assert alone.keep("b", "1", [value("z"), value("new")]) == [2, 3]
        alone.close()
        with pytest.raises(ConfigError, match="was written under another key"):
            SealedVault(under_the_old, OLD)

    def test_leaves_no_bytes_that_the_old_one_opens(self, under_the_old):
        with sqlite3.connect(under_the_old) as connection:
            before = [each for (each,) in connection.execute("SELECT sealed FROM placeholders")]
        vault = SealedVault(under_the_old, NEW, [OLD])
        vault.rotate()
        vault.close()
        after = b"".join(each.read_bytes() for each in under_the_old.parent.iterdir())
        assert len(before) == 9
        assert not any(each in after for each in before)

    def test_alone_is_refused_until_all_is_rotated(self, under_the_old):
        with pytest.raises(ConfigError, match=r"privacy\.vault = .*earlier_keys"):
            SealedVault(under_the_old, NEW)

    def test_forgets_what_lies_under_the_old_one(self, under_the_old):
        vault = SealedVault(under_the_old, NEW, [OLD])
        vault.forget("a", "2")
        vault.forget("b")
        assert vault.rotate() == 3
        assert (vault.kept("a", "2"), vault.kept("b", "1")) == ([], [])
        vault.close()

    def test_rotates_nothing_that_was_altered(self, under_the_old):
        moved(under_the_old, "UPDATE placeholders SET sealed = x'00' || substr(sealed, 2) WHERE number = 2")
        vault = SealedVault(under_the_old, NEW, [OLD])
        with pytest.raises(VaultError):
            vault.rotate()
        vault.close()
        with sqlite3.connect(under_the_old) as connection:
            assert connection.execute("SELECT count(*) FROM placeholders").fetchone() == (9,)


class TestKeepDays:
    def clock(self, at):
        return lambda anchor: type("Clock", (), {"now": lambda self: at[0]})()

    def test_lets_what_is_older_go_when_the_file_is_opened_and_daily(self, file):
        at = [1_000_000.0]
        vault = SealedVault(file, DerivedKeys(KEY), keep_s=3 * 86_400, clock=self.clock(at))
        vault.keep("a", "1", [value("x")])
        at[0] += 2 * 86_400
        vault.keep("a", "1", [value("y")])
        assert len(vault.kept("a", "1")) == 2
        at[0] += 1.5 * 86_400
        assert [each.text for each in vault.kept("a", "1")] == ["y"]
        vault.close()
        at[0] += 3 * 86_400
        again = SealedVault(file, DerivedKeys(KEY), keep_s=3 * 86_400, clock=self.clock(at))
        with sqlite3.connect(file) as connection:
            for table in ("placeholders", "conversations"):
                assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
        again.close()

    def test_is_not_hastened_by_a_clock_that_is_set(self, file, monkeypatch):
        import time

        SealedVault(file, DerivedKeys(KEY)).keep("a", "1", [value("x")])
        real = time.time
        monkeypatch.setattr(time, "time", lambda: real() + 400 * 86_400)
        vault = SealedVault(file, DerivedKeys(KEY), keep_s=86_400)
        assert len(vault.kept("a", "1")) == 1
        vault.close()


def test_a_vault_of_an_earlier_version_is_refused(file):
    file.parent.mkdir()
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE vault (format INTEGER NOT NULL, key_check BLOB NOT NULL)")
        connection.execute("INSERT INTO vault VALUES (1, x'00')")
    with pytest.raises(VaultError, match="is of format 1, this version reads 2"):
        SealedVault(file, DerivedKeys(KEY))


def test_a_disk_that_is_full_is_an_error_and_what_was_kept_stays(sealed):
    sealed.keep("a", "1", [value("x")])
    pages = sealed._connection.execute("PRAGMA page_count").fetchone()[0]
    sealed._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(VaultError, match="cannot be used: database or disk is full"):
        sealed.keep("a", "2", [value("y" * 50_000)])
    assert sealed.value("a", "1", "EMAIL_ADDRESS", 1) == "x"
    assert sealed.kept("a", "2") == []


def test_two_rows_that_changed_places_are_an_error(file, sealed):
    sealed.keep("a", "1", [value("x"), value("y")])
    with sqlite3.connect(file) as connection:
        one, other = [each for (each,) in connection.execute("SELECT sealed FROM placeholders ORDER BY number")]
        connection.execute("UPDATE placeholders SET sealed = ? WHERE number = 1", (other,))
        connection.execute("UPDATE placeholders SET sealed = ? WHERE number = 2", (one,))
    with pytest.raises(VaultError):
        sealed.value("a", "1", "EMAIL_ADDRESS", 1)


def test_a_file_under_another_key_is_refused_before_anything_is_written(file, sealed):
    sealed.keep("a", "1", [value("x")])
    with pytest.raises(ConfigError, match=r"privacy\.vault = .*was written under another key"):
        SealedVault(file, DerivedKeys(bytes(range(1, 33))))


def test_a_file_that_is_none_is_an_error_in_one_line(file):
    file.parent.mkdir()
    file.write_text("no database, but long enough to be looked at as one, whatever it is. " * 20)
    with pytest.raises(VaultError, match="cannot be used"):
        SealedVault(file, DerivedKeys(KEY))


def test_a_key_source_of_ones_own_plugs_in(file):
    class Kms:
        def data_key(self, tenant):
            return DerivedKeys(KEY).data_key(tenant)

    class Broken:
        def data_key(self, tenant):
            return b"short"

    assert SealedVault(file, Kms()).keep("a", "1", [value("x")]) == [1]
    with pytest.raises(ConfigError, match="gave a key of 5 bytes"):
        SealedVault(file.with_name("other"), Broken()).keep("a", "1", [value("x")])


def test_tenants_have_keys_of_their_own():
    keys = DerivedKeys(KEY)
    assert len({keys.data_key(each) for each in ("", "a", "b", "ab")}) == 4
    assert keys.data_key("a") == DerivedKeys(KEY).data_key("a")


def settings(tmp_path, **given):
    return PrivacySettings(vault=tmp_path / "v", **given)


@pytest.mark.parametrize(
    "written",
    [base64.b64encode(KEY).decode(), base64.urlsafe_b64encode(KEY).decode() + "\n", KEY.hex(), KEY.hex().upper()],
)
def test_a_key_is_read_from_the_environment_or_a_file(tmp_path, monkeypatch, written):
    monkeypatch.setenv("VAULT_KEY", written)
    (tmp_path / "key").write_text(written)
    expected = DerivedKeys(KEY).data_key("a")
    assert configured_keys(settings(tmp_path, key_env="VAULT_KEY")).data_key("a") == expected
    assert configured_keys(settings(tmp_path, key_file=tmp_path / "key")).data_key("a") == expected


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        (None, "is not set or empty"),
        ("  ", "is not set or empty"),
        ("not base64!", "holds no base64"),
        (base64.b64encode(b"sixteen bytes ok").decode(), "holds 16 bytes"),
        ("00" * 32, "holds a key that is not random"),
    ],
)
def test_a_key_that_is_none_is_refused_without_being_shown(tmp_path, monkeypatch, written, complaint):
    monkeypatch.delenv("VAULT_KEY", raising=False)
    if written is not None:
        monkeypatch.setenv("VAULT_KEY", written)
    with pytest.raises(ConfigError) as caught:
        configured_keys(settings(tmp_path, key_env="VAULT_KEY"))
    said = str(caught.value)
    assert said.startswith("privacy.key_env = 'VAULT_KEY': the environment variable " + complaint)
    assert "openssl rand -base64 32" in said
    assert not written or not written.strip() or written not in said


def test_a_key_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"privacy\.key_file = .*cannot be read: No such file"):
        configured_keys(settings(tmp_path, key_file=tmp_path / "nowhere"))


def test_without_the_extra_the_error_names_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "cryptography.hazmat.primitives.kdf.hkdf", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'moslm\[encryption\]'"):
        DerivedKeys(KEY)
