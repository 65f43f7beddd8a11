import pytest
from PIL import Image

from moslm.cli.graph import LABELS, drawn


@pytest.fixture(scope="module")
def graph():
    return drawn()


def test_every_choice_is_labelled_and_every_label_is_a_choice(graph):
    assert {(edge.source, edge.target) for edge in graph.edges if edge.conditional} == set(LABELS)


def test_mermaid_is_printed_with_its_labels(moslm_command):
    code, out, _ = moslm_command("graph")
    assert code == 0
    assert "check_draft(check_draft" in out
    assert "recall -. &nbsp;remembered&nbsp; .-> respond;" in out


def test_drawing_needs_no_database(moslm_command, folder, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sqlalchemy", None)
    assert moslm_command("graph")[0] == 0
    assert not (folder.parent / "home" / "company.sqlite").exists()


def test_mermaid_and_picture_go_into_files(moslm_command, folder):
    code, out, _ = moslm_command("graph", "--png", "graph.png", "--mermaid", "graph.mmd")
    assert (code, out) == (0, "Drawn: graph.png\nWritten: graph.mmd\n")
    assert (folder / "graph.mmd").read_text().startswith("---\nconfig:")
    with Image.open(folder / "graph.png") as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 1000
        # paper, ink, lines and the colours of the rooms
        assert len(picture.convert("P", palette=Image.Palette.ADAPTIVE, colors=64).getcolors()) > 10


def test_without_pillow_the_extra_is_named(moslm_command, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    code, out, err = moslm_command("graph", "--png", "graph.png")
    assert (code, out) == (2, "")
    assert err == "moslm: moslm graph --png needs packages that are not installed; run: pip install 'moslm[draw]'\n"


@pytest.mark.parametrize("option", ["--png", "--mermaid"])
def test_a_file_that_cannot_be_written_is_one_line(moslm_command, option):
    code, _, err = moslm_command("graph", option, "no/such/folder")
    assert (code, err) == (2, "moslm: no/such/folder: cannot be written: No such file or directory\n")


def test_drawing_needs_no_weights_no_key_and_makes_no_record(moslm_command, log, config):
    config.write_text("this is no configuration")
    assert moslm_command("graph")[0] == 0
    assert not log.path.exists()
