from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from moslm.cli.layout import Link, Rect, lay_out

NAMES = [f"step{i}" for i in range(9)]
_pairs = st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)).filter(lambda pair: pair[0] != pair[1])
graphs = st.dictionaries(_pairs, st.sampled_from(["", "yes", "a rather long label"]), max_size=18)


def width(text):
    return 7.0 * len(text) + 10


def placed(graph):
    return lay_out(NAMES, [Link(a, b, label) for (a, b), label in graph.items()], width)


def segments(line):
    """The straight pieces of a line, as rectangles without thickness."""
    for (x1, y1), (x2, y2) in zip(line.corners, line.corners[1:], strict=False):
        yield Rect((x1 + x2) / 2, (y1 + y2) / 2, abs(x1 - x2), abs(y1 - y2))


@given(graphs)
def test_boxes_and_labels_never_overlap(graph):
    layout = placed(graph)
    things = [*layout.boxes.values(), *(line.label for line in layout.lines if line.label)]
    assert not [pair for pair in combinations(things, 2) if pair[0].overlaps(pair[1])]


@given(graphs)
def test_no_line_runs_through_a_box_or_anothers_label(graph):
    layout = placed(graph)
    for line in layout.lines:
        for segment in segments(line):
            assert not [name for name, box in layout.boxes.items() if box.overlaps(segment)]
            assert not [
                other for other in layout.lines if other != line and other.label and other.label.overlaps(segment)
            ]


@given(graphs)
def test_no_two_lines_run_on_top_of_each_other(graph):
    layout = placed(graph)
    for one, other in combinations(layout.lines, 2):
        for a in segments(one):
            for b in segments(other):
                lie_along = (a.width == 0) == (b.width == 0)
                thick = [Rect(r.x, r.y, max(r.width, 0.5), max(r.height, 0.5)) for r in (a, b)]
                assert not (lie_along and thick[0].overlaps(thick[1]))


@given(graphs)
def test_everything_is_within_the_picture(graph):
    layout = placed(graph)
    rects = [*layout.boxes.values(), *(line.label for line in layout.lines if line.label)]
    assert all(r.x - r.width / 2 > 0 and r.x + r.width / 2 < layout.width for r in rects)
    points = [point for line in layout.lines for point in line.corners]
    assert all(0 < x < layout.width and 0 < y < layout.height for x, y in points)


@given(graphs)
def test_every_edge_begins_at_its_source_and_ends_at_its_target(graph):
    layout = placed(graph)
    assert {(line.link.source, line.link.target) for line in layout.lines} == set(graph)
    for line in layout.lines:
        for name, (x, y) in ((line.link.source, line.corners[0]), (line.link.target, line.corners[-1])):
            box = layout.boxes[name]
            assert abs(x - box.x) * 2 <= box.width + 1e-6
            assert abs(y - box.y) * 2 <= box.height + 1e-6
