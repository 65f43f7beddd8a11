from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"
sys.path.insert(0, str(BENCH))

from contenders import CONTENDERS, Answer, Contender, figures, lemony, plans, readme, rows, stages  # noqa: E402
from contenders.rows import EXAMPLES, WRITTEN, Data, LeftOut, Row  # noqa: E402

DOMAINS = {"finance", "it_support", "customer_service", "complex_reasoning"}
MONEY, LAPTOP, ODD = (
    Row("my card", "finance", "bank", ""),
    Row("my laptop", "it_support", "desk", ""),
    Row("a song", None, "oos", ""),
)


def test_every_domain_of_cascadeflow_is_read_as_one_of_ours_and_general_as_no_decision():
    assert set(lemony.MAPPING.values()) == DOMAINS
    assert lemony.read_as_ours("financial") == "finance"
    assert lemony.read_as_ours("general") is None


def test_no_decision_is_wrong_for_accuracy_and_counts_against_coverage():
    answers = [Answer("finance", 0.1, True), Answer(None, 0.5, False)]
    found = figures.of_answers([MONEY, LAPTOP], answers)
    assert (found["accuracy"], found["coverage"], found["accuracy_kept"]) == (0.5, 0.5, 1.0)


def test_novel_rows_score_novelty_and_never_accuracy():
    found = figures.of_answers([MONEY, ODD], [Answer("finance", 0.1, True), Answer("finance", 0.9, True)])
    assert (found["rows"], found["accuracy"], found["novelty_auroc"]) == (1, 1.0, 1.0)
    assert found["novel_answered"] == 1.0


def test_novelty_without_a_novel_row_is_not_a_number():
    assert math.isnan(figures.of_answers([MONEY], [Answer("finance", 0.1, True)])["novelty_auroc"])


def test_a_large_left_out_source_counts_no_more_than_a_small_one_and_the_worst_is_named():
    right, wrong, novel = Answer("finance", 0.2, True), Answer("it_support", 0.6, True), Answer("finance", 0.4, False)
    found = figures.of_left_out(
        [
            (("finance", "bank"), [MONEY] * 3, [right, right, right, novel]),
            (("it_support", "desk"), [LAPTOP], [right, novel]),
            (("finance", "broker"), [MONEY], [wrong, novel]),
        ],
        [ODD],
    )
    assert found["mean_recall"] == pytest.approx(1 / 3)
    assert found["worst"]["recall"] == 0
    assert found["novelty_auroc"] == pytest.approx(2 / 3)
    assert found["coverage"] == 1.0
    assert found["accuracy_kept"] == pytest.approx(3 / 5)


def test_a_left_out_source_is_gone_from_train_and_dev_and_what_was_written_here_is_never_left_out():
    own, written = Row("my invoice", "finance", EXAMPLES, ""), Row("my bill", "finance", WRITTEN, "")
    data = Data((own, written, MONEY, LAPTOP), (MONEY, ODD), (MONEY,))
    assert data.pairs == [("finance", "bank"), ("it_support", "desk")]
    left = data.without([("finance", "bank")])
    assert (left.train, left.dev, left.test) == ((own, written, LAPTOP), (ODD,), (MONEY,))
    assert data.asked_of(("finance", "bank"), 250) == (MONEY,)


def test_rows_are_the_same_in_the_process_that_learns(tmp_path):
    data = Data((MONEY, LAPTOP), (ODD,), (MONEY,))
    rows.write(data, tmp_path / "data.json")
    assert rows.kept(tmp_path / "data.json") == data


@dataclass
class Parrot:
    known: set[str]

    def answer(self, text):
        return Answer("finance", float(text not in self.known), True)

    def answer_all(self, texts):
        return [self.answer(text) for text in texts]


def _parrot_fit(data, folder):
    (folder / "known").write_text("\n".join(row.text for row in data.train))


PARROT = Contender(
    "none",
    {},
    _parrot_fit,
    lambda folder: Parrot(set((folder / "known").read_text().splitlines())),
    lambda data, out, folder: Parrot({row.text for row in data.without(out.pairs).train}),
)


def test_a_system_learns_serves_and_learns_again_without_each_source(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(CONTENDERS, "parrot", lambda: PARROT)
    (tmp_path / "parrot").mkdir()
    rows.write(Data((MONEY, LAPTOP), (), (MONEY, ODD)), tmp_path / "data.json")
    (tmp_path / "test.json").write_text(json.dumps([MONEY.text, ODD.text]))
    plans.write(plans.one_by_one([("finance", "bank")], 5), tmp_path / "plan.json")
    assert stages.fit("parrot", tmp_path)["fit_seconds"] >= 0
    served = stages.serve("parrot", tmp_path)
    assert served["answers"] == [("finance", 0.0, True), ("finance", 1.0, True)]
    assert len(served["milliseconds"]) == 2
    assert served["peak_mb"] > 1
    assert stages.left_out("parrot", tmp_path) == {"finance/bank": [("finance", 1.0, True)] * 2}
    assert "without finance/bank (1 of 1)" in capsys.readouterr().err


KEPT = {"accuracy_kept": 0.9, "coverage": 0.6, "novel_answered": 0.2}
WORST = {"source": "finance/bank", "recall": 0.5}
FIGURES = {
    "ms": {"p50": 1.0, "p95": 2.0},
    "batch_per_second": 10.0,
    "start_seconds": 1.2,
    "peak_mb": 99.6,
    "left_out": {"mean_recall": 0.8, "worst": WORST, "novelty_auroc": 0.7, **KEPT},
    "test": {"accuracy": 0.984, "novelty_auroc": 0.95, **KEPT},
}
TOLD = {
    "quick": False,
    "learned_from": 26000,
    "asked": 3600,
    "left_out": [["finance/bank", "it_support/desk"], ["finance/broker"]],
    "encoders_tuned_without": True,
    "rows_a_source": 250,
    "packages": {"moslm": "0.1.0"},
}


def test_the_table_has_a_line_a_system():
    lines = figures.table({"one": FIGURES, "two": FIGURES}).splitlines()
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| one", "| two"]
    assert "98.4%" in lines[2]
    assert "50.0% (finance/bank)" in lines[2]
    assert "90.0% at 60%" in lines[2]


def test_a_system_that_does_not_exist_ends_the_bench_with_one_line():
    command = [sys.executable, str(BENCH / "routing.py"), "--only", "nobody"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == f"no system is called nobody: {', '.join(CONTENDERS)}\n"


def test_every_system_leaves_out_together_what_an_encoder_was_tuned_without(tmp_path):
    for number, pair in enumerate((["finance", "bank"], ["it_support", "desk"])):
        (tmp_path / f"fold-{number}").mkdir()
        card = {"left_out": [pair, ["finance", "gone"]]}
        (tmp_path / f"fold-{number}" / "card.json").write_text(json.dumps(card))
    plan = plans.as_tuned(tmp_path, [("finance", "bank"), ("it_support", "desk"), ("it_support", "never")], 9)
    assert plan.pairs == [("finance", "bank"), ("it_support", "desk")]
    assert plan.groups[1] == LeftOut((("it_support", "desk"),), tmp_path / "fold-1")
    plans.write(plan, tmp_path / "plan.json")
    assert plans.kept(tmp_path / "plan.json") == plan


def test_a_written_request_that_says_what_is_asked_is_taught_to_nobody(tmp_path, monkeypatch):
    def line(text, **more):
        return json.dumps({"text": text, "domain": "finance", "source": "written", "license": "", **more}) + "\n"

    route = tmp_path / "moslm-route"
    route.mkdir()
    for name in ("train", "dev", "test"):
        (route / f"{name}.jsonl").write_text(line(f"in {name}", source="bank", novel=False, constructed=None))
    (tmp_path / "finance.jsonl").write_text(line("In test!") + line("elsewhere"))
    monkeypatch.setattr(rows, "_CORPUS", tmp_path)
    found = rows.read(tmp_path)
    assert [row.text for row in found.train if row.source != EXAMPLES] == ["elsewhere", "in train"]


def test_the_readme_gets_the_table_between_its_marks_and_keeps_the_rest(tmp_path):
    page = tmp_path / "README.md"
    page.write_text(f"above\n{readme.BEGIN}\nstale\n{readme.END}\nbelow\n")
    for _ in range(2):
        readme.put(page, {"one": FIGURES}, TOLD)
    text = page.read_text()
    assert text.startswith(f"above\n{readme.BEGIN}\n\n| | one |")
    assert text.endswith(f"moslm 0.1.0.\n\n{readme.END}\nbelow\n")
    assert "3 sources left out in 2 groups" in text
    assert "| accuracy, test | 98.4% |" in text
    assert "stale" not in text


def test_a_page_without_the_marks_stays_as_it_is(tmp_path):
    page = tmp_path / "README.md"
    page.write_text(f"only {readme.END}")
    with pytest.raises(SystemExit, match="needs one line"):
        readme.put(page, {"one": FIGURES}, TOLD)
    assert page.read_text() == f"only {readme.END}"


def test_a_small_part_is_shown_but_not_written_into_the_readme(tmp_path):
    kept, page = tmp_path / "kept.json", tmp_path / "README.md"
    kept.write_text(json.dumps({**TOLD, "quick": True, "systems": {"one": FIGURES}}))
    page.write_text(f"{readme.BEGIN}\n{readme.END}\n")
    command = [sys.executable, str(BENCH / "routing.py"), "--kept", str(kept), "--readme", str(page)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("| system |")
    assert done.returncode == 1
    assert "no evidence" in done.stderr
    assert page.read_text() == f"{readme.BEGIN}\n{readme.END}\n"


def test_the_readme_has_a_place_for_the_table():
    text = (BENCH.parent / "README.md").read_text(encoding="utf-8")
    assert text.count(readme.BEGIN) == text.count(readme.END) == 1
