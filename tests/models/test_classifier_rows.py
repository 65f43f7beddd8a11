import random

from moslm.models.classifiers.rows import Row, drawn, row_weights, with_asides
from moslm.models.classifiers.surroundings import Aside, read_asides, surrounded


def rows(label, source, count):
    return [Row(f"{label} {source} {number}", label, source, "Apache-2.0") for number in range(count)]


def test_labels_count_alike_whatever_their_number_of_rows():
    given = rows("a", "x", 90) + rows("b", "x", 10)
    weights = row_weights(given)
    assert abs(weights[:90].sum() - weights[90:].sum()) < 1e-5


def test_a_source_counts_by_the_square_root_of_its_size():
    given = rows("a", "big", 100) + rows("a", "small", 25)
    weights = row_weights(given)
    assert abs(weights[:100].sum() / weights[100:].sum() - 2) < 1e-4


def test_a_draw_is_the_same_every_time_and_keeps_small_sources():
    given = rows("a", "big", 500) + rows("a", "small", 20)
    assert drawn(given, 100) == drawn(given, 100)
    assert any(row.source == "small" for row in drawn(given, 100))


def test_rows_among_asides_keep_label_and_source_and_say_what_they_said():
    given = rows("a", "x", 40)
    more = with_asides(given)[len(given) :]
    assert len(more) == 10
    for plain, among in zip(given[::4], more, strict=True):
        assert plain.text in among.text
        assert (plain.label, plain.source) == (among.label, among.source)


def test_an_aside_stands_where_it_may():
    for seed in range(50):
        chance = random.Random(seed)
        assert surrounded("ask", [Aside("Hello", "before")] * 2, chance).endswith("ask")
        assert surrounded("ask", [Aside("Bye", "after")] * 2, chance).startswith("ask")


def test_the_shipped_asides_have_a_place_and_a_text():
    assert all(aside.text.strip() and aside.place in ("before", "after", "either") for aside in read_asides())
