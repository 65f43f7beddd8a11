import pytest


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("203.0.113.77", "IP_ADDRESS"),
        ("10.20.30.40", "IP_ADDRESS"),
        ("2001:db8::8a2e:370:7334", "IP_ADDRESS"),
        ("fe80::1ff:fe23:4567:890a", "IP_ADDRESS"),
        ("00:1B:44:11:3A:B7", "MAC_ADDRESS"),
        ("00-1b-44-11-3a-b7", "MAC_ADDRESS"),
        ("001b.4411.3ab7", "MAC_ADDRESS"),
        ("postgres://admin:pw@db.internal:5432/hr", "URL"),
        ("https://maria@files.corp.local/cv", "URL"),
        ("linkedin.com/in/maria-keller", "URL"),
    ],
)
def test_addresses_of_machines_and_of_people_are_found(found, value, kind):
    assert found(f"from {value} again") == [(kind, value)]


@pytest.mark.parametrize(
    "text",
    [
        "listens on 127.0.0.1 and ::1",
        "version 1.2.3",
        "at 10:30:15 sharp",
        "see https://docs.python.org/3/library",
        "a::b",
    ],
)
def test_machines_of_nobody_are_left(found, text):
    assert found(text) == []
