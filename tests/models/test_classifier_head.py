import json
import shutil
from dataclasses import dataclass, replace

import numpy as np
import pytest

from moslm import Config, ConfigError, Turn
from moslm.config import ClassifierSettings
from moslm.domains import load_domains
from moslm.models.classifiers import artefact, build_classifier
from moslm.models.classifiers.banking import make_bank
from moslm.models.classifiers.fitting import _alike, fit_head
from moslm.models.classifiers.judging import auroc, calibration_error, judged
from moslm.models.classifiers.rows import EXAMPLES, Row
from moslm.models.encoders import load_encoder

HOLIDAYS = """
How many days of annual leave do I have left?
I want to take parental leave from May
Where do I hand in a sick note?
Can I carry my holiday over to next year?
When is my probation period over?
I need a letter of employment
Who approves my leave request?
How do I apply for unpaid leave?
What is the notice period in my contract?
My payslip shows the wrong number of vacation days
Is there a bonus for referring a candidate?
I want to apply for the open position in the warehouse team
Can I work four days a week?
When is the next appraisal interview?
Does the company pay for my pension?
How do I report a sick day?
I am getting married, do I get a day off?
Please update my surname in the personnel file
Can I take a sabbatical?
Who is my contact in human resources?
""".strip().splitlines()


@dataclass(frozen=True)
class Folder:
    name: str
    examples: tuple[str, ...] = ()
    title: str = "A domain"
    description: str = "What it is about."


def shipped():
    return list(load_domains(Config()).values())


@pytest.fixture
def copied(tmp_path):
    folder = tmp_path / "head"
    shutil.copytree(artefact.SHIPPED, folder)
    return folder


@pytest.fixture(scope="module")
def small():
    """A head fitted on the shipped examples alone, with the rows it was and was not fitted on."""
    rows = [
        Row(text, name, EXAMPLES, "own") for name, domain in load_domains(Config()).items() for text in domain.examples
    ]
    kept, held = [row for n, row in enumerate(rows) if n % 4], rows[::4]
    head = fit_head(kept, held, tuple(load_domains(Config())), load_encoder("wordllama-l2-supercat-256"))
    return head, kept, held


def test_the_shipped_head_is_what_its_card_says():
    card = artefact.read_card(artefact.SHIPPED)
    head = artefact.read(artefact.SHIPPED)
    assert card["files"] == {name: artefact.file_sha256(artefact.SHIPPED / name) for name in ("head.npz", "bank.npz")}
    assert set(card["labels"]) == {domain.name for domain in shipped()}
    assert len(head.calibration) == card["calibration_rows"] > 1000
    assert np.all(np.diff(head.calibration) >= 0)


def test_the_card_names_sources_licences_and_what_the_head_was_accepted_on():
    card = artefact.read_card(artefact.SHIPPED)
    assert all(source["license"] and source["rows"] > 0 for source in card["fitted_on"]["sources"])
    assert card["held_out"]["figures"]["accuracy"] >= 0.95
    assert {"sgd", "it_tickets"} <= set(card["bank"]["left_out_sources"])


def test_the_report_beside_the_shipped_head_is_about_that_head():
    report = json.loads((artefact.SHIPPED / "report.json").read_text())
    assert report["head"] == artefact.read(artefact.SHIPPED).version
    assert {"accuracy", "left_out", "novelty", "several_domains", "wishes", "ms"} <= set(report)


def test_a_text_is_scored_to_the_same_bit_in_any_company():
    head = artefact.read(artefact.SHIPPED)
    texts = ["How much of the travel budget is left for Q3?", "and for Q2?", "", "Where is my order?", *HOLIDAYS]
    together = head.scores(texts)
    for number, text in enumerate(texts):
        assert (head.scores([text])[0] == together[number]).all()


def test_each_kind_of_familiar_request_counts_alike_in_the_yardstick():
    many, few = np.zeros(1000, np.float32), np.array([7.0, 9.0], np.float32)
    yardstick = _alike([many, few, np.zeros(0, np.float32)])
    assert len(yardstick) == 2000
    assert (yardstick > 0).mean() == 0.5
    assert set(yardstick.tolist()) == {0.0, 7.0, 9.0}


def test_where_distance_counts_a_text_far_from_everything_is_read_twice_however_sure_its_words_are():
    head = artefact.read(artefact.SHIPPED)
    first = head.first_reading(["Where is my order?"])
    sure = np.array([[30.0, 0, 0, 0, 0]], np.float32)
    assert head.prototypes is not None
    for typical, far_off in ((10.0, False), (-10.0, True)):
        moved = replace(head, prototypes=replace(head.prototypes, typical=typical))
        assert replace(moved, far=2.0).doubts(sure, first).tolist() == [far_off]
        assert not replace(moved, far=0.0).doubts(sure, first).any()


def test_distance_is_a_doubt_only_as_far_as_it_counts():
    head = artefact.read(artefact.SHIPPED)
    first, sure = head.first_reading(["Where is my order?"]), np.array([[30.0, 0, 0, 0, 0]], np.float32)
    apart = float(head.prototypes.distances(first.vectors)[0])
    moved = replace(
        head,
        prototypes=replace(head.prototypes, typical=head.prototypes.typical + head.prototypes.spread * (apart - 2)),
    )
    assert moved.prototypes.distances(first.vectors)[0] == pytest.approx(2, abs=1e-3)
    assert replace(moved, far=1.0).doubts(sure, first).all()
    assert not replace(moved, far=0.25).doubts(sure, first).any()


def test_only_the_rows_that_are_named_are_read_again():
    head = artefact.read(artefact.SHIPPED)
    texts = ["hmm, the thing is odd", "it is odd, the thing"]
    first = head.first_reading(texts)
    scores, both = head.first_scores(first), head.scores(texts)
    before = scores.copy()
    assert set(head.read_again(texts, first, scores, [1])) == {1}
    assert np.array_equal(scores[0], before[0])
    assert np.array_equal(scores[1], both[1])


def test_the_artefact_stays_small():
    assert sum(file.stat().st_size for file in artefact.SHIPPED.iterdir()) < 8_000_000


def test_a_head_read_back_scores_as_it_did_before(small, tmp_path):
    head, kept, held = small
    texts = [row.text for row in held]
    written = artefact.write(tmp_path, head, make_bank(head, kept), {})
    again = artefact.read(tmp_path)
    assert again.version == written.version
    assert np.array_equal(again.scores(texts), head.scores(texts))
    assert again.temperature == head.temperature


def test_equal_heads_make_equal_files(small, tmp_path):
    head, kept, _ = small
    for name in ("a", "b"):
        artefact.write(tmp_path / name, head, make_bank(head, kept), {})
    assert (tmp_path / "a/head.npz").read_bytes() == (tmp_path / "b/head.npz").read_bytes()


def test_a_bank_leaves_out_the_sources_it_is_told_to(small):
    head, kept, _ = small
    bank = make_bank(
        head, [*kept, Row("secret text", "finance", "share-alike", "CC-BY-SA-4.0")], without=["share-alike"]
    )
    assert len(bank.vectors) == len(kept)


def test_stand_ins_take_the_place_of_a_source_that_leaves_no_row(small):
    head, kept, _ = small
    texts = [f"ticket {n} about the {thing}" for n in range(12) for thing in ("server", "printer", "mailbox", "laptop")]
    bank = make_bank(
        head, [*kept, *(Row(t, "it_support", "theirs", "CC-BY-SA-4.0") for t in texts)], without=["theirs"]
    )
    nearest = (bank.vectors @ head.encoder.encode(texts).T).max(axis=0)
    assert len(bank.vectors) == len(kept) + len(texts)
    assert nearest.max() < 0.99


@pytest.mark.parametrize("name", ["head.npz", "bank.npz"])
def test_a_truncated_file_is_refused_by_name(copied, name):
    file = copied / name
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ConfigError, match=rf"{name}: classifier\.head: is truncated or not the file.*run: moslm fit"):
        artefact.read(copied) if name == "head.npz" else artefact.read_bank(copied)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{", "truncated or no JSON"),
        (b"[]", "no card of format|is not a card"),
        (b'{"format": 99, "files": {}}', "is not a card"),
    ],
)
def test_a_broken_card_is_refused_by_name(copied, content, says):
    (copied / "card.json").write_bytes(content)
    with pytest.raises(ConfigError, match=says):
        artefact.read(copied)


def test_a_head_that_is_not_there_is_refused_by_name(tmp_path):
    with pytest.raises(ConfigError, match=r"card\.json: classifier\.head: cannot be read"):
        build_classifier(ClassifierSettings(head=tmp_path), shipped())


def test_a_head_for_another_encoder_is_refused(copied):
    card = json.loads((copied / "card.json").read_text())
    (copied / "card.json").write_text(json.dumps(card | {"encoder": "something-else"}))
    with pytest.raises(ConfigError, match="an encoder or n-grams this version does not have"):
        artefact.read(copied)


def test_a_new_domain_is_learnt_from_twenty_examples_and_the_old_ones_stay():
    plain, _ = build_classifier(ClassifierSettings(), shipped())
    grown, yardstick = build_classifier(ClassifierSettings(), [*shipped(), Folder("human_resources", tuple(HOLIDAYS))])
    assert set(grown.labels) == {*plain.labels, "human_resources"}
    asked = ["How much vacation do I still have this year?", "I need to report sick today"]
    for text in asked:
        ranking = grown.rank([Turn("user", text)])
        assert max(ranking.probabilities, key=ranking.probabilities.get) == "human_resources"
    old = ["My VPN drops every hour", "Where is my order 10482?", "How much of the travel budget is left?"]
    for text in old:
        before, after = (which.rank([Turn("user", text)]).probabilities for which in (plain, grown))
        assert max(before, key=before.get) == max(after, key=after.get)
    assert len(yardstick.strangeness) > 1000


def test_what_was_fitted_for_a_users_domains_is_kept(home):
    domains = [*shipped(), Folder("human_resources", tuple(HOLIDAYS))]
    first, _ = build_classifier(ClassifierSettings(), domains)
    kept = list((home / "heads").iterdir())
    again, _ = build_classifier(ClassifierSettings(), domains)
    assert len(kept) == 1
    assert again.name == first.name
    assert list((home / "heads").iterdir()) == kept


def test_a_kept_head_that_is_damaged_is_fitted_anew(home, caplog):
    domains = [*shipped(), Folder("human_resources", tuple(HOLIDAYS))]
    first, _ = build_classifier(ClassifierSettings(), domains)
    (next((home / "heads").iterdir()) / "head.npz").write_bytes(b"rubbish")
    again, _ = build_classifier(ClassifierSettings(), domains)
    assert again.name == first.name
    assert "is fitted anew" in caplog.text


def test_a_home_that_cannot_be_written_does_not_stop_it(home, monkeypatch, caplog):
    blocked = home / "file"
    blocked.write_text("")
    monkeypatch.setenv("MOSLM_HOME", str(blocked))
    found, _ = build_classifier(ClassifierSettings(), [*shipped(), Folder("human_resources", tuple(HOLIDAYS))])
    assert "human_resources" in found.labels
    assert "not kept" in caplog.text


def test_requests_of_a_domain_that_is_not_served_become_strange():
    full, _ = build_classifier(ClassifierSettings(), shipped())
    fewer, _ = build_classifier(ClassifierSettings(), [domain for domain in shipped() if domain.name != "finance"])
    turns = [Turn("user", "How much of the marketing budget is left for Q3?")]
    assert "finance" not in fewer.labels
    assert fewer.rank(turns).strangeness > full.rank(turns).strangeness + 3


def test_a_single_domain_is_enough():
    one, _ = build_classifier(ClassifierSettings(), [domain for domain in shipped() if domain.name == "finance"])
    assert one.rank([Turn("user", "Is the invoice paid?")]).probabilities == {"finance": 1.0}


def test_an_unknown_domain_without_examples_is_named_with_the_mend():
    with pytest.raises(ConfigError, match=r"domains\.legal: .* no examples; write 20 requests or more"):
        build_classifier(ClassifierSettings(), [*shipped(), Folder("legal", ("  ",))])


def test_no_domain_at_all_is_a_mistake():
    with pytest.raises(ConfigError, match="there is no domain"):
        build_classifier(ClassifierSettings(), [])


def test_a_head_without_a_bank_says_that_it_cannot_grow(copied):
    card = json.loads((copied / "card.json").read_text())
    del card["files"]["bank.npz"]
    (copied / "card.json").write_text(json.dumps(card))
    with pytest.raises(ConfigError, match="carries no bank"):
        build_classifier(ClassifierSettings(head=copied), [*shipped(), Folder("human_resources", tuple(HOLIDAYS))])


def test_held_out_rows_make_the_confidence_honest(small):
    head, _, held = small
    sharp = judged(replace(head, temperature=head.temperature / 20), held).calibration_error
    assert judged(head, held).calibration_error < sharp


def test_auroc_counts_pairs_and_ties():
    assert auroc(np.array([3.0, 2.0]), np.array([1.0, 0.0])) == 1
    assert auroc(np.array([1.0]), np.array([1.0])) == 0.5
    assert auroc(np.array([1.0, 0.0]), np.array([2.0, 0.5])) == 0.25


def test_calibration_error_is_the_gap_between_confidence_and_truth():
    assert calibration_error(np.array([0.75] * 4), np.array([True, True, True, False])) == 0
    assert calibration_error(np.array([1.0, 1.0]), np.array([True, False])) == 0.5


@pytest.mark.data
def test_the_shipped_head_is_as_good_on_held_out_rows_as_its_card_says(data):
    with (data / "moslm-route" / "dev.jsonl").open(encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines]
    rows = [Row(r["text"], r["domain"], r["source"], "") for r in records if not r["constructed"]]
    told = artefact.read_card(artefact.SHIPPED)["held_out"]["figures"]
    found = judged(artefact.read(artefact.SHIPPED), rows)
    assert found.accuracy == pytest.approx(told["accuracy"], abs=0.002)
    assert found.novelty_auroc == pytest.approx(told["novelty_auroc"], abs=0.002)
