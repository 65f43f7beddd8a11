import pytest
from hypothesis import given
from hypothesis import strategies as st

from moslm.privacy.recognisers.accounts import Cards, Ibans


@pytest.mark.parametrize(
    "iban",
    [
        "DE89370400440532013000",
        "DE89 3704 0044 0532 0130 00",
        "GB29 NWBK 6016 1331 9268 19",
        "fr14 2004 1010 0505 0001 3m02 606",
        "ES91-2100-0418-4502-0005-1332",
        "NL91ABNA0417164300",
        "NO93 8601 1117 947",
    ],
)
def test_an_iban_ends_where_its_country_says(found, iban):
    assert found(f"transfer to {iban} please") == [("IBAN_CODE", iban)]


def test_a_mistyped_iban_is_found_where_the_word_stands_before_it(found):
    assert found("IBAN: DE89370400440532013001") == [("IBAN_CODE", "DE89370400440532013001")]
    assert ("IBAN_CODE", "DE89370400440532013001") not in found("part DE89370400440532013001")


@pytest.mark.parametrize(
    "card",
    [
        "4111111111111111",
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "4111.1111.1111.1111",
        "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
        "5555555555554444",
        "378282246310005",
        "3782 822463 10005",
        "30569309025904",
        "3530111333300000",
        "6011 0009 9013 9424",
    ],
)
def test_a_card_is_found_however_its_digits_are_grouped(found, card):
    assert found(f"it is {card} ok") == [("CREDIT_CARD", card)]


def test_a_card_is_found_beside_other_digits(found):
    assert ("CREDIT_CARD", "4111 1111 1111 1111") in found("12/27 4111 1111 1111 1111 123")


def test_digits_that_are_no_card_are_left(found):
    assert found("tracking 4111111111111112") == []
    assert found("serial 9999999999999995") == []


def test_a_mistyped_card_is_found_where_the_word_stands_before_it(found):
    assert found("my card 4111111111111112 was refused") == [("CREDIT_CARD", "4111111111111112")]


def luhn(digits: str) -> str:
    total = sum(sum(divmod(int(each) * (2 - i % 2), 10)) for i, each in enumerate(reversed(digits)))
    return digits + str(-total % 10)


digits = st.text(alphabet="0123456789", min_size=18, max_size=18)


@given(
    st.sampled_from(["4", "51", "55", "2221", "2719", "6011", "65"]),
    digits,
    st.lists(st.sampled_from(["", "", " ", "-", ".", "\u00a0"]), min_size=15, max_size=15),
    st.sampled_from(["", "a ", "my card: ", "x_", "(", '"']),
)
def test_no_card_of_an_issuer_goes_unseen(issuer, rest, separators, before):
    card = luhn((issuer + rest)[:15])
    written = card[0] + "".join(a + b for a, b in zip(separators, card[1:], strict=True))
    text = f"{before}{written} and more"
    covered = {at for each in Cards().find(text) for at in range(each.start, each.end)}
    assert set(range(len(before), len(before) + len(written))) <= covered


@given(digits, st.lists(st.sampled_from(["", " ", "-"]), min_size=21))
def test_no_german_iban_goes_unseen(account, separators):
    check = 98 - int(account + "131400") % 97
    iban = f"DE{check:02}{account}"
    written = iban[:4] + "".join(a + b for a, b in zip(separators, iban[4:], strict=False))
    assert [(each.start, each.end) for each in Ibans().find(f"to {written} now")] == [(3, 3 + len(written))]


def test_other_accounts_are_found_behind_a_word_that_names_them(found):
    assert found("account number 12345678, sort code 12-34-56") == [
        ("BANK_ACCOUNT", "12345678"),
        ("BANK_ACCOUNT", "12-34-56"),
    ]
