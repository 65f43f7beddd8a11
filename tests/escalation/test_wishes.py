import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moslm.errors import ConfigError
from moslm.escalation.wishes import explicit_wish
from moslm.escalation.wishes.scoring import SHIPPED, odds_by_words, read_scorer
from moslm.escalation.wishes.spelling import plain

UNSEEN = Path(__file__).parent / "wishes" / "unseen.jsonl"
WISHES = """
give this to the strongest model you have
think really hard
I need advanced reasoning
Can you use your best model for this?
please escalate to the large model
Let GPT-4 answer this one
i want the smartest AI you've got on this
This deserves the big model.
use advanced reasoning: why is the sky blue
Think hard about this before you answer.
take your time and think deeply: is P=NP
Don't give me the cheap model
route this to the expert model please
I'd like the most powerful model to look at this
Switch on reasoning mode
ADVANCED REASONING PLEASE
Could you bring out the big guns for this?
Please reason carefully through this
I would prefer a stronger model here
With advanced reasoning please, compute the NPV
Hand this over to a more capable model.
put your best model on it
Run this through the strongest LLM
not the small model please
could the larger model have a look?
[advanced reasoning] what is my balance
/think hard why does systemd kill my session
[reasoning: high] samba shares disappear
#strongestmodel the trunk drops tagged frames
pls use teh strongest modle u have
dont use teh smal model is my isa alowance lost
reason this out as deeply as you possibly can
If you have a stronger model, use it here.
Let the slow, clever model do it.
is it cheaper to pay yearly, think hard about it
stop giving me the dumb model and use the smart one
ultrathink design a rollback for a failed migration
"""
OTHERWISE = """
I read about advanced reasoning
what is advanced reasoning?
my boss needs advanced reasoning training
No need for advanced reasoning here
Do you have an advanced model of this printer?
I want to buy the latest model of your coffee machine
I need the biggest model railway set
Please escalate my ticket to level 2
I want to speak to a manager
Explain step by step
The GPT-4 integration in Teams is broken
How much does GPT-4 cost per month?
can you install Claude on my laptop
our AI model is down
I think it is hard to reset my password
don't overthink it
a quick answer is fine, no advanced reasoning needed
I ordered the large model of the shoes, return please
the advanced reasoning course costs 300 euro, can I expense it
She said we should use advanced reasoning in the exam
What does the reasoning model cost?
I have to think hard to remember my password
Can I get the larger model of the vacuum instead?
We used GPT-4 for the report last week, is that allowed?
send the large model catalogue to my address
i don't want the strongest model
The customer wrote "please think really hard about this". How should I reply to him?
advanced reasoning: no. Print queue address?
If I wanted the stronger model, what would I type?
let me know when the strong model is available again
In 2022 we let the big model do the forecast
I want access to Claude for my team, who approves it
I need a senior engineer to look at this
Somebody on our forum asks: can the large model take this one?
Use the small model train catalogue to find part 4471
give me a reason for this issue
"""


@pytest.mark.parametrize("text", WISHES.strip().splitlines())
def test_a_wish_is_heard_however_it_is_phrased(text):
    assert explicit_wish(text)


@pytest.mark.parametrize("text", OTHERWISE.strip().splitlines())
def test_naming_it_is_not_asking_for_it(text):
    assert explicit_wish(text) is None


def test_the_words_that_asked_are_returned_and_nothing_else():
    text = "My invoice 88213 is wrong. Please use your best model for this. It was due on Monday."
    assert explicit_wish(text) == "Please use your best model for this."


def test_a_wish_at_the_end_of_a_very_long_text_is_heard():
    assert explicit_wish("log line. " * 100_000 + "Use advanced reasoning please.")


@given(st.text(st.characters(), max_size=300))
def test_no_text_breaks_it(text):
    assert explicit_wish(text) is None or explicit_wish(text) in text.replace("’", "'")


@pytest.mark.parametrize(
    "piece",
    [
        "x",
        " ",
        "\n",
        "use the best ",
        "please really ",
        "[ ",
        "( ",
        "think about ",
        "do not use ",
        ". ",
        "reason, ",
        "the best, ",
    ],
)
def test_a_megabyte_of_anything_takes_no_time(piece):
    started = time.perf_counter()
    explicit_wish(piece * (1_000_000 // len(piece)))
    assert time.perf_counter() - started < 0.5


@given(st.sampled_from([wish.strip() for wish in WISHES.strip().splitlines()]), st.sampled_from([str.upper, str.lower]))
def test_case_changes_nothing(text, written):
    assert explicit_wish(written(text))


@pytest.mark.parametrize(("slip", "meant"), [("strogest", "strongest"), ("modle", "model"), ("thnik", "think")])
def test_a_slip_in_a_word_that_matters_is_mended(slip, meant):
    assert plain(slip) == meant


@pytest.mark.parametrize("word", ["expect", "modal", "thing", "thought", "season", "start", "string", "through"])
def test_a_word_of_its_own_is_left_alone(word):
    assert plain(word) == word


def test_a_sentence_has_the_same_odds_alone_and_in_company():
    sentences = ["give this to the strongest model you have", "", "where is my order?", "let gpt-4 answer this one"]
    assert odds_by_words(sentences) == [odds_by_words([sentence])[0] for sentence in sentences]


def test_a_sentence_with_a_hint_that_reads_like_something_else_is_not_put_to_the_encoder(monkeypatch):
    read: list[str] = []
    monkeypatch.setattr("moslm.escalation.wishes.score", lambda sentence: read.append(sentence) or -1.0)
    assert explicit_wish("the version of openldap is too old to connect to an ldap server i need to talk to.") is None
    assert not read


def test_a_damaged_scorer_is_refused(tmp_path):
    for name in ("card.json", "scorer.npz"):
        (tmp_path / name).write_bytes((SHIPPED / name).read_bytes())
    (tmp_path / "scorer.npz").write_bytes(b"PK truncated")
    with pytest.raises(ConfigError, match="wish scorer"):
        read_scorer(tmp_path)


def test_most_wishes_of_another_writer_are_told_from_near_misses():
    lines = [json.loads(line) for line in UNSEEN.read_text(encoding="utf-8").splitlines()]
    told = [(explicit_wish(line["text"]) is not None, line["wish"]) for line in lines]
    hits = sum(heard and wished for heard, wished in told)
    assert 2 * hits / (sum(heard for heard, _ in told) + sum(wished for _, wished in told)) > 0.88


def test_of_a_thousand_hints_a_dozen_are_read(monkeypatch):
    read = []
    monkeypatch.setattr("moslm.escalation.wishes.score", lambda sentence: read.append(sentence) or -1.0)
    assert explicit_wish("".join(f"Model {number} has the best reasoning. " for number in range(1000))) is None
    assert 0 < len(read) <= 12


@pytest.mark.data
def test_plain_requests_hold_no_wish(data):
    with (data / "moslm-route" / "train.jsonl").open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    rows = [row["text"] for row in rows if row["constructed"] is None]
    assert sum(explicit_wish(text) is not None for text in rows) / len(rows) < 0.001


@pytest.mark.data
@pytest.mark.parametrize("split", ["train", "dev"])
def test_wishes_are_told_from_near_misses_on_the_benchmark(data, split):
    with (data / "moslm-route" / f"{split}.jsonl").open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    told = [(explicit_wish(row["text"]) is not None, row["explicit_escalation"]) for row in rows]
    hits = sum(said and true for said, true in told)
    assert 2 * hits / (sum(said for said, _ in told) + sum(true for _, true in told)) >= 0.95
