import pytest

from moslm.config import Config, load
from moslm.errors import ConfigError


def complaint(tmp_path, text):
    (tmp_path / "moslm.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "moslm.toml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('engine = "gliner"', "privacy.engine"),
        ("patterns = { EMPLOYEE_ID = '(' }", "is no regular expression"),
        ("patterns = { EMPLOYEE_ID = 'x*' }", "matches nothing at all"),
        ("patterns = { employee = 'x' }", "privacy.patterns"),
        ("patterns = { LITERAL = 'x' }", "is a name that placeholders have for themselves"),
        ('entities = ["AGE"]', "privacy.entities"),
        ('vault = "v.sqlite"', "a vault needs a key; name it in key_env or key_file"),
        ('key_env = "K"', "a key without a vault encrypts nothing"),
        ('vault = "v.sqlite"\nkey_env = "K"\nkey_file = "k"', "keep one"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_key_and_the_mend(tmp_path, text, expected):
    said = complaint(tmp_path, f"[privacy]\n{text}\n")
    assert expected in said
    assert "\n" not in said


def test_files_are_relative_to_the_configuration(tmp_path):
    (tmp_path / "moslm.toml").write_text('[privacy]\nvault = "v.sqlite"\nkey_file = "k"\n')
    privacy = load(tmp_path / "moslm.toml").privacy
    assert (privacy.vault, privacy.key_file) == (tmp_path / "v.sqlite", tmp_path / "k")


def test_by_default_nothing_needs_an_extra_and_nothing_is_kept_on_disk():
    assert Config().privacy.engine == "ner"
    assert Config().privacy.vault is None
