import pytest

from moslm.config import PrivacySettings
from moslm.privacy.recognisers import recogniser


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("my number is 123-45-6789 ok", "US_SSN", "123-45-6789"),
        ("SSN 123456789", "US_SSN", "123456789"),
        ("social security number: 123 45 6789", "US_SSN", "123 45 6789"),
        ("passport number X1234567", "PASSPORT", "X1234567"),
        ("Reisepass Nr. C01X00T47", "PASSPORT", "C01X00T47"),
        ("my driver's license number is F162823540116", "DRIVER_LICENSE", "F162823540116"),
        ("her driving licence is MORGA657054SM9IJ", "DRIVER_LICENSE", "MORGA657054SM9IJ"),
        ("NI is QQ123456C", "NATIONAL_ID", None),
        ("NI is AB 12 34 56 C", "NATIONAL_ID", "AB 12 34 56 C"),
        ("mi DNI: 12345678Z", "NATIONAL_ID", "12345678Z"),
        ("con 12345678Z entra", "NATIONAL_ID", "12345678Z"),
        ("numéro 1 84 12 76 451 089 46 merci", "NATIONAL_ID", "1 84 12 76 451 089 46"),
        ("CF RSSMRA85T10A562S", "NATIONAL_ID", "RSSMRA85T10A562S"),
        ("born on 12 March 1985", "DATE_OF_BIRTH", "12 March 1985"),
        ("DOB: 03/12/1985", "DATE_OF_BIRTH", "03/12/1985"),
        ("geboren am 12.03.1985", "DATE_OF_BIRTH", "12.03.1985"),
        ("née le 12 mars 1985", "DATE_OF_BIRTH", "12 mars 1985"),
        ("nacida el 12 de marzo de 1985", "DATE_OF_BIRTH", "12 de marzo de 1985"),
        ("license plate B-MW 1234", "LICENSE_PLATE", "B-MW 1234"),
        ("username: mkeller85", "USERNAME", "mkeller85"),
        ("employee id 48291", "EMPLOYEE_ID", "48291"),
        ('"employee_id": "E-48291"', "EMPLOYEE_ID", "E-48291"),
        ("Mitarbeiternummer: 48291", "EMPLOYEE_ID", "48291"),
        ("EMP-004829 cannot log in", "EMPLOYEE_ID", "EMP-004829"),
        ("customer number C-88123", "CUSTOMER_ID", "C-88123"),
        ("Kundennummer 8812345", "CUSTOMER_ID", "8812345"),
        ("CUST_88123 complains", "CUSTOMER_ID", "CUST_88123"),
    ],
)
def test_what_identifies_somebody_is_found(found, text, kind, value):
    assert found(text) == ([(kind, value)] if value else [])


@pytest.mark.parametrize(
    "text",
    [
        "she was born in Berlin and the meeting is on 12 March 2026",
        "a chef puts 1 sprig on every plate, so she needs 12",
        "the employee handbook has 48 pages",
        "which customers bought 12345 units?",
    ],
)
def test_dates_and_numbers_of_nobody_are_left(found, text):
    assert found(text) == []


def test_patterns_of_your_own_add_kinds_and_take_the_place_of_the_default_ones():
    own = {"EMPLOYEE_ID": r"LM-\d{6}", "CONTRACT": r"contract (?P<value>V\d{4})"}
    find = recogniser(PrivacySettings(patterns=own)).find
    text = "LM-004711 signed contract V1234; employee id 48291"
    assert [(each.kind, text[each.start : each.end]) for each in find(text)] == [
        ("EMPLOYEE_ID", "LM-004711"),
        ("CONTRACT", "V1234"),
    ]
