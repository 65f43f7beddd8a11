import contextlib
import csv
import io
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from moslm.cli import main
from moslm.escalation.calibration.outcomes import hints, learner, reporting

MODELS = ("small-a", "small-b", "small-c", "large")
SKILL = {"small-a": 0.45, "small-b": 0.4, "small-c": 0.3, "large": 0.75}


def write_folder(folder: Path, count: int = 160, seed: int = 1, prefix: str = "q") -> Path:
    """Questions whose difficulty shows in their wording, and models that differ in skill."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    predictions, lengths = [["id", "answer", *MODELS]], [["id", *MODELS]]
    with (folder / "questions.jsonl").open("w") as lines:
        for i in range(count):
            hard = bool(rng.random() < 0.5)
            options = [f"{'about ' if rng.random() < 0.5 else ''}{int(rng.integers(2, 900))} units" for _ in range(6)]
            answer = int(rng.integers(6))
            text = f"How many {'tensors of the manifold' if hard else 'apples of the basket'} number {i} are {seed}?"
            record = {
                "id": f"{prefix}{i}",
                "category": "maths" if hard else "shop",
                "group": f"{prefix}{i // 2}",
                "question": text,
                "options": options,
                "answer": "ABCDEF"[answer],
            }
            lines.write(json.dumps(record) + "\n")
            chosen, sizes = [], []
            for model in MODELS:
                right = rng.random() < SKILL[model] + (-0.25 if hard else 0.2)
                place = answer if right else int(rng.integers(6))
                chosen.append("" if rng.random() < 0.05 else "ABCDEF"[place])
                sizes.append(str(int(rng.normal(300, 40) + (0 if right else 90))))
            predictions.append([f"{prefix}{i}", "ABCDEF"[answer], *chosen])
            lengths.append([f"{prefix}{i}", *sizes])
    write_csv(folder / "predictions.csv", predictions)
    write_csv(folder / "output_chars.csv", lengths)
    return folder


def write_csv(file: Path, rows: list[list[str]]) -> None:
    with file.open("w", newline="") as handle:
        csv.writer(handle).writerows(rows)


def read_csv(file: Path) -> list[list[str]]:
    with file.open(newline="") as handle:
        return list(csv.reader(handle))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("outcomes") / "one")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("outcomes") / "two", count=80, seed=2, prefix="z")


@pytest.fixture
def changed(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "changed"))


def calibrate(folder: Path, *more: str, small: str = "small-a") -> int:
    return main(["calibrate", "--outcomes", str(folder), "--small", small, "--large", "large", *more])


Refused = Callable[..., str]


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Refused:
    def asked(folder: Path, *more: str, small: str = "small-a") -> str:
        assert calibrate(folder, *more, small=small) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.count("\n") == 1
        return said.err

    return asked


def printed(folder: Path, *more: str, small: str = "small-a") -> Any:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert calibrate(folder, *more, "--json", small=small) == 0
    return json.loads(out.getvalue())


@pytest.fixture(scope="module")
def document(folder: Path) -> Any:
    """A report that was learned with as much care as any user's."""
    return printed(folder, "--risk", "0.4", small="small-a,small-b")


@contextlib.contextmanager
def in_haste() -> Iterator[None]:
    """Learn with few trees and folds: for what does not depend on how well is learned."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hints, "ROUNDS", 12)
        patch.setattr(learner, "ROUNDS", 25)
        patch.setattr(reporting, "OUTER_FOLDS", 2)
        yield


@pytest.fixture
def hasty() -> Iterator[None]:
    with in_haste():
        yield


@pytest.fixture(scope="module")
def taught(folder: Path, other: Path) -> Any:
    """The report on one folder with what the other taught, in haste."""
    with in_haste():
        return printed(other, "--fit-on", str(folder))


def test_the_report_names_every_figure(document: Any) -> None:
    assert {"auroc", "ece", "aurc", "brier", "routing", "guarantee", "accuracy", "best_single"} <= set(document)
    assert set(document["routing"]["escalations"]) == {"0.90", "0.95", "0.99"}
    assert document["best_single"]["model"] == "large"
    assert document["fitted_on"]["cross_fitted"] is True
    assert set(document["accuracy"]) == set(MODELS)


def test_escalating_needs_more_calls_than_somebody_who_knows_who_is_right(document: Any) -> None:
    for share, escalations in document["routing"]["escalations"].items():
        assert document["oracle_escalations"][share] <= escalations
    assert document["oracle_escalations"]["0.95"] < 0.9 * document["routing"]["escalations"]["0.95"]


def test_wording_length_and_agreement_tell_right_from_wrong(document: Any) -> None:
    assert document["auroc"] > 0.75
    assert document["aurc"] < 1 - document["accuracy"]["small-a"]


def test_the_threshold_of_a_promise_is_checked_on_groups_it_was_not_chosen_on(document: Any) -> None:
    promise = document["guarantee"]
    assert promise["state"] == "certified"
    assert promise["answers"] == 160
    held = promise["held_out"]
    assert held["exceeded"] <= promise["delta"] * held["checks"]
    assert held["risk"] <= promise["risk"]
    assert promise["wrong"] / promise["kept"] < promise["risk"]


def test_one_folder_is_reported_on_with_what_another_taught(taught: Any) -> None:
    assert taught["outcomes"]["questions"] == 80
    assert taught["fitted_on"]["questions"] == 160
    assert taught["auroc"] > 0.7


@pytest.mark.usefixtures("hasty")
def test_columns_and_rows_may_come_in_any_order(
    folder: Path, other: Path, taught: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    turned = Path(shutil.copytree(other, tmp_path / "turned"))
    for name in ("predictions.csv", "output_chars.csv"):
        head, *rows = read_csv(turned / name)
        write_csv(turned / name, [head[::-1], *(row[::-1] for row in rows[::-1])])
    assert calibrate(turned, "--fit-on", str(folder), "--json") == 0
    assert json.loads(capsys.readouterr().out)["auroc"] == pytest.approx(taught["auroc"], abs=1e-9)


@pytest.mark.usefixtures("hasty")
def test_categories_may_be_unknown(
    folder: Path, other: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    turned = Path(shutil.copytree(other, tmp_path / "turned"))
    lines = [json.loads(line) for line in (turned / "questions.jsonl").read_text().splitlines()]
    text = "\n".join(json.dumps({**line, "category": "never seen"}) for line in lines)
    (turned / "questions.jsonl").write_text(text)
    assert calibrate(turned, "--fit-on", str(folder), "--json") == 0
    assert json.loads(capsys.readouterr().out)["auroc"] > 0.6


@pytest.mark.usefixtures("hasty")
def test_what_is_judged_is_never_learned_from(folder: Path, changed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = (changed / "questions.jsonl").read_text().splitlines()
    ids = {json.loads(line)["id"] for line in lines[:60]}
    (changed / "questions.jsonl").write_text("\n".join(lines[:60]))
    for name in ("predictions.csv", "output_chars.csv"):
        head, *rows = read_csv(changed / name)
        write_csv(changed / name, [head, *(row for row in rows if row[0] in ids)])
    assert calibrate(changed, "--fit-on", str(folder), "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["fitted_on"]["questions"] == 100
    assert any("60 questions to fit on were left out" in note for note in document["notes"])


@pytest.mark.usefixtures("hasty")
def test_output_lengths_and_groups_are_done_without(changed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (changed / "output_chars.csv").unlink()
    lines = [json.loads(line) for line in (changed / "questions.jsonl").read_text().splitlines()]
    kept = [{key: value for key, value in line.items() if key not in ("group", "category")} for line in lines]
    (changed / "questions.jsonl").write_text("\n".join(map(json.dumps, kept)))
    assert calibrate(changed) == 0
    shown = capsys.readouterr().out
    assert "There is no output_chars.csv" in shown
    assert "a group of their own" in shown
    assert "No question has a category" in shown


@pytest.mark.usefixtures("hasty")
def test_the_table_for_people_says_who_answers_and_what_is_promised(
    folder: Path, other: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plot = tmp_path / "reliability.png"
    assert calibrate(other, "--fit-on", str(folder), "--risk", "0.01", "--plot", str(plot)) == 0
    shown = capsys.readouterr().out
    assert "best single model" in shown
    assert "infeasible" in shown
    assert "CPT(50 %)" in shown
    assert "of the questions, the most to gain first (" in shown
    assert "knowing who is right)" in shown
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_an_unknown_model_is_answered_with_those_there_are(folder: Path, refused: Refused) -> None:
    assert "one of: small-a, small-b, small-c, large" in refused(folder, small="gpt-9")


@pytest.mark.parametrize("name", ["questions.jsonl", "predictions.csv"])
def test_a_missing_file_is_named(changed: Path, refused: Refused, name: str) -> None:
    (changed / name).unlink()
    assert name in refused(changed)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path, refused: Refused) -> None:
    assert "is no folder" in refused(tmp_path / "nowhere")


def test_ids_that_differ_are_named(changed: Path, refused: Refused) -> None:
    rows = read_csv(changed / "predictions.csv")
    write_csv(changed / "predictions.csv", rows[:-1])
    assert "lacks 1 of the questions, such as id q159" in refused(changed)
    write_csv(changed / "predictions.csv", [*rows, ["extra", *rows[-1][1:]]])
    assert "such as extra" in refused(changed)


@pytest.mark.parametrize("key", ["id", "question", "options", "answer"])
def test_a_missing_field_is_named(changed: Path, refused: Refused, key: str) -> None:
    lines = [json.loads(line) for line in (changed / "questions.jsonl").read_text().splitlines()]
    del lines[3][key]
    (changed / "questions.jsonl").write_text("\n".join(map(json.dumps, lines)))
    head, *rows = read_csv(changed / "predictions.csv")
    write_csv(changed / "predictions.csv", [[head[0], *head[2:]], *([row[0], *row[2:]] for row in rows)])
    said = refused(changed)
    assert "questions.jsonl:4" in said
    assert key in said


@pytest.mark.parametrize("letters", ["right", "wrong", "empty"])
def test_answers_all_of_one_kind_are_refused(changed: Path, refused: Refused, letters: str) -> None:
    head, *rows = read_csv(changed / "predictions.csv")
    for row in rows:
        wrong = "A" if row[1] != "A" else "B"
        row[2] = {"right": row[1], "wrong": wrong, "empty": "NaN"}[letters]
    write_csv(changed / "predictions.csv", [head, *rows])
    assert "nothing tells right from wrong" in refused(changed)


@pytest.mark.usefixtures("hasty")
def test_lengths_that_are_not_numbers_count_as_unknown_or_are_named(changed: Path, refused: Refused) -> None:
    head, *rows = read_csv(changed / "output_chars.csv")
    rows[0][1], rows[1][1] = "NaN", "inf"
    write_csv(changed / "output_chars.csv", [head, *rows])
    assert calibrate(changed, "--json") == 0


def test_a_length_that_is_a_word_is_named(changed: Path, refused: Refused) -> None:
    head, *rows = read_csv(changed / "output_chars.csv")
    rows[0][1] = "long"
    write_csv(changed / "output_chars.csv", [head, *rows])
    assert "'long'" in refused(changed)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--risk", "0"), "--risk = 0.0"),
        (("--delta", "1"), "--delta = 1.0"),
        (("--risk", "nan"), "--risk = nan"),
    ],
)
def test_promises_that_mean_nothing_are_refused(
    folder: Path, refused: Refused, more: tuple[str, ...], said: str
) -> None:
    assert said in refused(folder, *more)


def test_the_large_model_cannot_be_a_small_one(folder: Path, refused: Refused) -> None:
    assert "once only" in refused(folder, small="small-a,large")


def test_without_anything_to_calibrate_on_the_command_says_what_to_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calibrate"]) == 2
    assert "--outcomes" in capsys.readouterr().err


def test_a_folder_too_small_to_learn_from_is_refused(tmp_path: Path, refused: Refused) -> None:
    assert "30 are the fewest" in refused(write_folder(tmp_path / "tiny", count=20))


@pytest.mark.usefixtures("hasty")
def test_the_large_models_answers_change_no_probability(
    folder: Path, other: Path, taught: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    turned = Path(shutil.copytree(other, tmp_path / "turned"))
    head, *rows = read_csv(turned / "predictions.csv")
    write_csv(turned / "predictions.csv", [head, *([*row[:-1], "A"] for row in rows)])
    assert calibrate(turned, "--fit-on", str(folder), "--json") == 0
    after = json.loads(capsys.readouterr().out)
    assert after["reliability"] == taught["reliability"]
    assert after["accuracy"]["large"] != taught["accuracy"]["large"]


def test_without_scikit_learn_the_extra_is_named(
    folder: Path, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sklearn", None)
    assert "moslm[calibrate]" in refused(folder)


@pytest.mark.usefixtures("hasty")
def test_any_text_can_be_a_question(changed: Path) -> None:
    lines = [json.loads(line) for line in (changed / "questions.jsonl").read_text().splitlines()]
    strange = ["", " ", "\ud800 half", "\u202e\u0000", "9" * 400, "1e999", "x" * 100_000]
    for line, text in zip(lines, strange, strict=False):
        line["question"] = text
        line["options"] = [text, text, "1e400", "", "$\\frac{1}{2}$", "none of these"]
    (changed / "questions.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert calibrate(changed) == 0
