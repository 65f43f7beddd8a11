import pytest


@pytest.mark.parametrize(
    "address",
    [
        "j.okafor@contoso.example",
        "x@corp.local",
        "y@mail.internal",
        "root@mailhost",
        "jörg.müller@firma.de",
        "o'neil+tag@sub.dept.example.co.uk",
        "admin@[192.168.7.4]",
        "maria [at] contoso [dot] example",
        "maria(at)contoso.example",
        "maria.keller at contoso dot example",
        "maria dot keller at contoso dot local",
        "maria.keller arroba empresa punto local",
        "jörg ät firma punkt de",
        "maria.keller @ contoso.example",
    ],
)
def test_an_address_is_found_at_any_host_and_however_it_is_spelled(found, address):
    assert found(f"please write to {address}, thanks") == [("EMAIL_ADDRESS", address)]


@pytest.mark.parametrize(
    "text",
    ["meet me @ five", "react@18.2.0 is installed", "look at antidote", "look at a point some", "@channel please read"],
)
def test_what_only_looks_like_an_address_is_left(found, text):
    assert found(text) == []


@pytest.mark.parametrize(
    "number",
    [
        "+49 170 2345678",
        "+49 (0)30 1234-567",
        "0049 170 2345678",
        "030 / 123 456 78",
        "0171-2345678",
        "(415) 555-2671",
        "415-555-2671 x12",
        "+1.415.555.2671",
        "020 7946 0958",
        "07700 900123",
        "01 42 68 53 00",
        "612 345 678",
        "91 234 56 78",
        "+33 1 42 68 53 00",
        "+34 612 34 56 78",
    ],
)
def test_phone_numbers_of_several_countries_are_found(found, number):
    assert found(f"you find me under {number} all day") == [("PHONE_NUMBER", number)]


def test_any_number_behind_a_word_that_names_it_is_a_phone_number(found):
    assert found("Phone: 467 3395") == [("PHONE_NUMBER", "467 3395")]
    assert found("my Handynummer ist 1702345678.") == [("PHONE_NUMBER", "1702345678")]


@pytest.mark.parametrize(
    "text",
    [
        "on 2026-11-23 at 10:30",
        "on 23.11.2026 it was 01.02.2026",
        "order 10234567 of 1,234.56 EUR",
        "version 3.11.7 build 20261123",
        "between 1,000 and 2,000 units, 15 % off, 3 x 400 ml",
    ],
)
def test_dates_amounts_and_versions_are_no_phone_numbers(found, text):
    assert found(text) == []
