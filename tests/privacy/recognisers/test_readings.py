import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moslm.privacy.recognisers import Finding
from moslm.privacy.recognisers.readings import EveryReading, decoded

MAIL = "maria.keller@corp.local"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "written",
    [
        "ｍａｒｉａ＠ｃｏｒｐ．ｌｏｃａｌ",
        "maria\u200b@corp\u200d.local",
        "maria\u00ad@corp.local",
        "maria%40corp.local",
        "maria%2540corp.local",
        "maria&#64;corp.local",
        "maria&commat;corp.local",
        r"maria\u0040corp.local",
    ],
)
def test_an_address_is_found_behind_what_only_hides_it(found, written):
    assert found(f"it is {written} ok") == [("EMAIL_ADDRESS", written)]


def test_a_card_is_found_in_digits_of_other_scripts(found):
    assert found("٤١١١ ١١١١ ١١١١ ١١١١") == [("CREDIT_CARD", "٤١١١ ١١١١ ١١١١ ١١١١")]


@pytest.mark.parametrize(
    "run",
    [
        encoded(MAIL),
        encoded(f'{{"mail": "{MAIL}"}}').rstrip("="),
        base64.urlsafe_b64encode(f"Grüße???>>> {MAIL}".encode()).decode(),
        encoded(encoded(MAIL)),
        MAIL.encode().hex(),
    ],
)
def test_an_encoded_run_is_opened_and_hidden_whole(found, run):
    assert found(f"data={run};") == [("ENCODED", run)]


def test_a_run_over_several_lines_is_opened(found):
    run = base64.encodebytes(b"nothing of note stands here at all. " * 4 + MAIL.encode()).decode().strip()
    assert found(run) == [("ENCODED", run)]


def test_an_encoded_run_that_holds_nothing_personal_is_left(found):
    assert found(encoded("nothing to see here, move along")) == []
    assert found("sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855") == []


def test_personal_data_is_found_in_json_in_links_and_in_file_names(found):
    assert [each for each, _ in found(json.dumps({"a": [{"to": "4111111111111111"}], "b": MAIL}))] == [
        "CREDIT_CARD",
        "EMAIL_ADDRESS",
    ]
    assert found(f"https://x.example/search?q={quote(MAIL)}&n=1")[0][0] == "EMAIL_ADDRESS"
    assert found("statement_DE89370400440532013000.pdf") == [("IBAN_CODE", "DE89370400440532013000")]
    assert found("/home/x/4111111111111111_final.csv") == [("CREDIT_CARD", "4111111111111111")]


class Letters:
    """Finds every x."""

    def find(self, text: str) -> list[Finding]:
        return [Finding(i, i + 1, "X", 1.0) for i, letter in enumerate(text) if letter == "x"]


@given(st.text(alphabet="xａx%78\\u0&#;120a é\u200b４"))
def test_a_finding_in_any_reading_stands_inside_the_text(text):
    for each in EveryReading(Letters()).find(text):
        assert 0 <= each.start < each.end <= len(text)


@given(st.text(alphabet=st.characters(max_codepoint=127, exclude_characters="%\\&")))
def test_plain_text_has_no_other_reading(text):
    assert decoded(text) is None


@pytest.mark.parametrize(
    "formula", [r"\cos \theta", r"1.5 \times 10", r"x \to \nabla f", r"\text{mass}", r"\rho\neq\nu"]
)
def test_a_command_of_a_formula_is_no_escape(formula):
    assert decoded(formula) is None


@pytest.mark.parametrize("text", [r"a\nuser@contoso.example", r"\tcall", r"x\rightful"])
def test_an_escape_before_a_word_is_still_read_as_one(text):
    reading = decoded(text)
    assert reading is not None
    assert "\\" not in reading.text
