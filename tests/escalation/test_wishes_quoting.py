import pytest
from hypothesis import given
from hypothesis import strategies as st

from moslm.escalation.wishes.quoting import quotable


@pytest.mark.parametrize(
    ("clause", "quoted"),
    [
        ("Use advanced reasoning about Jane Doe, jane@contoso.example", "Use advanced reasoning about …"),
        ("please think really hard!", "please think really hard!"),
        ("give 4111 1111 1111 1111 to your best model", "give … to your best model"),
        ("[reasoning: high] who is Okafor?", "[reasoning: high] … is …"),
        ("", ""),
    ],
)
def test_only_words_of_asking_are_quoted(clause, quoted):
    assert quotable(clause) == quoted


@given(st.text(max_size=200), st.text(alphabet="0123456789abcdefxyz@.-", min_size=12, max_size=20))
def test_what_the_request_is_about_is_never_quoted(text, secret):
    said = quotable(f"{text} use your best model for {secret} {text}")
    assert secret not in said
    assert not any(char.isdigit() for char in said)
