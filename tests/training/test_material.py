from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "training"))

from tuning import material  # noqa: E402
from tuning.material import Example  # noqa: E402

SHARED = ROOT.parent / "shared" / "data"


def domain(text: str, label: str, source: str) -> Example:
    return Example(material.DOMAIN, text, label, source, "MIT")


EXAMPLES = [
    domain("a", "finance", "bank"),
    domain("b", "finance", "fund"),
    domain("c", "it_support", "irc"),
    domain("d", "it_support", "tickets"),
    domain("e", "finance", material.WRITTEN),
    domain("f", material.NOWHERE, "bank"),
    Example(material.PARTS, "g", ["finance", "it_support"], "bank+irc", "MIT"),
    Example(material.PARTS, "h", ["finance"], material.WRITTEN, "MIT"),
    Example("fine/bank", "i", "card", "bank", "MIT"),
    Example("fine/topics", "j", "cards", material.WRITTEN, "MIT"),
]


def texts(examples: list[Example]) -> str:
    return "".join(each.text for each in examples)


def test_every_source_is_left_out_once_and_what_was_written_never():
    folds = [material.left_out(EXAMPLES, number, 2) for number in range(2)]
    assert sorted(pair for fold in folds for pair in fold) == [
        ("finance", "bank"),
        ("finance", "fund"),
        ("it_support", "irc"),
        ("it_support", "tickets"),
    ]
    assert all(len({label for label, _ in fold}) == 2 for fold in folds)


def test_a_fold_sees_nothing_of_what_it_leaves_out_not_even_in_pairs_or_intents():
    assert texts(material.without(EXAMPLES, {("finance", "bank")})) == "bcdefhj"


def test_without_anything_left_out_all_is_there():
    assert material.without(EXAMPLES, set()) == EXAMPLES


def test_what_was_gathered_is_read_as_it_was_written(tmp_path: Path):
    material.write(tmp_path / "some" / "material.jsonl", EXAMPLES)
    assert material.read(tmp_path / "some" / "material.jsonl") == EXAMPLES


def test_a_text_that_says_the_same_as_a_measured_one_is_not_gathered(tmp_path: Path):
    rows, measured = tmp_path / "rows.jsonl", tmp_path / "dev.jsonl"
    row = {"domain": "finance", "source": "bank", "license": "MIT"}
    rows.write_text(
        "".join(json.dumps({"text": text, **row}) + "\n" for text in ("Where is my card?", "Block my card"))
    )
    measured.write_text(json.dumps({"text": "where is MY card"}) + "\n")
    found = material.gather([rows], ROOT / "corpus", None, [measured])
    assert [each.text for each in found if each.source == "bank"] == ["Block my card"]


@pytest.mark.data
def test_the_tickets_that_try_a_new_domain_teach_nothing():
    if not SHARED.is_dir():
        pytest.skip("needs ../shared/data")
    probes = SHARED / "probes" / "hr_tickets_near_ood.jsonl"
    found = material.gather([], ROOT / "corpus", SHARED, [probes])
    with probes.open(encoding="utf-8") as lines:
        tried = {json.loads(line)["text"] for line in lines}
    assert {"fine/clinc150", "fine/banking77", "fine/it_tickets", "fine/topics"} <= {each.task for each in found}
    assert not [each for each in found if each.text in tried]
    assert "HR Support" not in material.finer_labels(found)["fine/it_tickets"]
