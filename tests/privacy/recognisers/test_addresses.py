import pytest


@pytest.mark.parametrize(
    "address",
    [
        "12 Maple Street",
        "12 Maple Street, Springfield, IL 62704",
        "1600 N. Pennsylvania Avenue Apt 4B",
        "221B Baker Street, London NW1 6XE",
        "PO Box 1234",
        "Hauptstraße 12a",
        "Hauptstr. 12, 10115 Berlin",
        "Unter den Eichen 5, 12203 Berlin",
        "Alte Potsdamer Straße 7",
        "12 rue de la Paix, 75002 Paris",
        "3 bis, avenue du Général Leclerc",
        "Calle Mayor 5, 28013 Madrid",
        "Avda. de la Constitución, nº 20",
        "Via Giuseppe Verdi 9, 20121 Milano",
        "Keizersgracht 123, 1015 CJ Amsterdam",
        "Storgatan 14",
    ],
)
def test_street_addresses_are_found_as_several_countries_write_them(found, address):
    assert found(f"- {address}") == [("STREET_ADDRESS", address)]


@pytest.mark.parametrize(
    "text", ["go 12 miles down the road", "a 5 star place", "Wall Street fell by 12 %", "in 12 weeks"]
)
def test_places_of_nobody_are_left(found, text):
    assert found(text) == []
