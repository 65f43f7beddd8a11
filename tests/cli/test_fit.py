import json

import pytest

from moslm import Config, Turn
from moslm.cli import main
from moslm.config import ClassifierSettings
from moslm.domains import load_domains
from moslm.models.classifiers import artefact, build_classifier


def write(file, *records):
    file.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return str(file)


def test_it_fits_the_examples_and_the_rows_and_says_how_good_it_is(tmp_path, capsys):
    rows = write(
        tmp_path / "rows.jsonl",
        {"text": "Grindle flumps on the woxer", "domain": "it_support", "source": "ours", "license": "MIT"},
        {"text": "Tell me about the stars", "novel": True},
        {"text": "made up", "domain": "finance", "constructed": "pair"},
    )
    out = tmp_path / "head"
    assert main(["fit", "--rows", rows, "--out", str(out)]) == 0
    told = capsys.readouterr().out
    assert "accuracy" in told
    assert f'head = "{out}"' in told
    card = artefact.read_card(out)
    assert {"source": "ours", "license": "MIT", "rows": 1} in card["fitted_on"]["sources"]
    classifier, yardstick = build_classifier(ClassifierSettings(head=out), list(load_domains(Config()).values()))
    assert classifier.rank([Turn("user", "Where is my order 10482?")]).probabilities["customer_service"] > 0.5
    assert len(yardstick.strangeness) > 100
    assert len(yardstick.several) > 20


def test_a_users_own_domain_is_fitted_with_the_others(tmp_path, capsys):
    folder = tmp_path / "domains" / "facilities"
    folder.mkdir(parents=True)
    (folder / "domain.toml").write_text('title = "Facilities"\ndescription = "Rooms, desks, doors and coffee."\n')
    (folder / "prompt.md").write_text("You look after the building.\n")
    asked = [
        "Book a meeting room for",
        "The desk is broken in",
        "The coffee machine leaks in",
        "Who cleans the floor of",
    ]
    places = ["room 12", "the east wing", "the canteen", "the third floor", "the lobby", "the annex", "building C"]
    write(folder / "examples.jsonl", *({"text": f"{what} {where}"} for what in asked for where in places))
    (tmp_path / "moslm.toml").write_text('domain_folders = ["domains"]\n')
    assert main(["fit", "--config", str(tmp_path / "moslm.toml"), "--out", str(tmp_path / "head")]) == 0
    assert "facilities" in capsys.readouterr().out
    assert "facilities" in artefact.read(tmp_path / "head").labels


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"text": "x", "domain": "nowhere"}', "rows.jsonl:1: domain = 'nowhere': no such domain; one of:"),
        ('{"text": "x"}', 'rows.jsonl:1: has no domain; name one, or write "novel": true'),
        ('{"domain": "finance"}', "rows.jsonl:1: text: has no text"),
        ("[]", "rows.jsonl:1: is no JSON object"),
        ("{", "rows.jsonl:1: is no JSON"),
    ],
)
def test_a_row_that_cannot_stand_is_named_with_its_line(tmp_path, capsys, line, says):
    file = tmp_path / "rows.jsonl"
    file.write_text(line + "\n")
    assert main(["fit", "--rows", str(file), "--out", str(tmp_path / "head")]) == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "head").exists()


def test_the_configuration_in_this_folder_holds_as_for_every_command(folder, moslm_command):
    (folder / "moslm.toml").write_text('only_domains = ["finanze"]')
    code, _, err = moslm_command("fit", "--out", "head")
    assert code == 2
    assert err.startswith("moslm: moslm.toml: only_domains = 'finanze'")


def test_a_file_that_is_not_there_is_named(tmp_path, capsys):
    assert main(["fit", "--rows", str(tmp_path / "none.jsonl")]) == 2
    assert "none.jsonl: --rows: cannot be read" in capsys.readouterr().err
