"""What hiding personal data costs in answers: the same questions asked with and without, pair by pair.

``python bench/pseudonyms_quality.py [--engine patterns|ner|presidio] [--slots N --handbook N --written N] [--seed S]
[--ideal-only] [--kept FILE] [--json FILE]``. Three kinds of checkable questions that carry personal data:

* *slots*: rows of multidogo whose answer is a name, an address, a number ... in a customer's message (exact words);
* *handbook*: the questions of ``calibration/handbook``, asked by a made-up person who says who they are (graded by
  facts, as ``moslm calibrate`` does);
* *written*: tasks about made-up people whose answer follows from the words by a rule (greet them, the last four digits
  of a card, when an invoice is due, a sum ...).

Each is asked of the embedded model as it stands and hidden; of the second answer placeholders are restored before it is
graded. The *ideal* reader has no model: it reads the answer off whatever text it is given, so what it loses is lost by
hiding and restoring alone. Differences are paired: McNemar's exact test, and a bootstrap interval of the difference.

Reads ``--data`` (../shared/data), which is no part of the project.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from math import comb
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from langchain_core.messages import HumanMessage, SystemMessage
from leaks.identities import LOCALES, Identity
from tqdm import tqdm

from moslm.config import Config, EmbeddedModel, PrivacySettings
from moslm.domains import load_domains
from moslm.evals.questions import Question, is_right, read_questions
from moslm.models.chat import build_chat_model
from moslm.nodes.notes import with_notes
from moslm.privacy.pseudonyms import Conversation, Pseudonymiser, pseudonymiser
from moslm.tools.knowledge import Handbook

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
PERSONAL = {
    "name", "approver name", "username", "address", "email address", "phone number", "phonenumber", "account number",
    "target account number", "account id", "card number", "booking confirmation number", "claimid", "policyid",
    "current zipcode", "new zipcode",
}  # fmt: skip
PLACEHOLDER = re.compile(r"<[A-Z][A-Z0-9_]*_\d+>")
BRIEF = "You answer briefly and exactly, with words of the message where you can."
Right = Callable[[str], bool]
Ideal = Callable[[str, Conversation], str]


@dataclass(frozen=True, slots=True)
class Case:
    """A question with personal data in it.

    Attributes:
        kind: What it is counted under.
        system: What the model is told.
        text: What it is asked.
        right: Grades an answer.
        ideal: What an ideal reader answers to the text as it is shown.
    """

    kind: str
    system: str
    text: str
    right: Right
    ideal: Ideal | None = None


def slots(most: int, chance: Random, data: Path) -> Iterator[Case]:
    """Yield questions for a piece of a customer's message."""
    rows = [json.loads(line) for line in (data / "qa" / "multidogo_slots.jsonl").read_text("utf-8").splitlines()]
    fitting = [row for row in rows if row["question"].split('"')[1] in PERSONAL and row["answer"] in row["context"]]
    for row in chance.sample(fitting, min(most, len(fitting))):
        gold = row["answer"]
        text = f"Customer message: {row['context']}\n\n{row['question']}"
        right = lambda said, gold=gold: _plain(gold) == _plain(said)  # noqa: E731
        yield Case("slots", BRIEF, text, right, _reading(row["context"], gold))


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[^\w@.+-]+", " ", text.casefold()).split()).strip(".")


def _reading(context: str, gold: str) -> Ideal:
    """Return who reads the words off the shown text: a placeholder is read as a whole, because that is all there is."""

    def read(shown: str, talk: Conversation) -> str:
        pieces = re.findall(rf"{PLACEHOLDER.pattern}|.", shown, re.DOTALL)
        restored = [talk.restore(each) for each in pieces]
        start = "".join(restored).find(gold, "".join(restored).find(context[:8]))
        if start < 0:
            return "not there"
        taken, at = [], 0
        for piece, value in zip(pieces, restored, strict=True):
            if at < start + len(gold) and at + len(value) > start:
                taken.append(piece)
            at += len(value)
        return "".join(taken)

    return read


def handbook(most: int, chance: Random) -> Iterator[Case]:
    """Yield questions of the handbook, asked by somebody who says who they are."""
    domains = load_domains(Config())
    found = [each for file in sorted((ROOT / "calibration" / "handbook").glob("*.jsonl")) for each in _answerable(file)]
    for question in chance.sample(found, min(most, len(found))):
        domain = domains[question.domain]
        notes = [each.text for each in Handbook(domain.knowledge).search(question.question, 1)]
        who = Identity(chance, chance.choice(LOCALES))
        said = f"This is {who.value('PERSON')} ({who.value('EMAIL_ADDRESS')}, {who.value('EMPLOYEE_ID')}). "
        right = lambda answer, question=question: is_right(question, answer)  # noqa: E731
        yield Case(f"handbook: {question.domain}", domain.prompt, with_notes(said + question.question, notes), right)


def _answerable(file: Path) -> list[Question]:
    return [each for each in read_questions(file) if each.answerable]


def written(most: int, chance: Random) -> Iterator[Case]:
    """Yield tasks whose answer follows from the words by a rule."""
    for i in range(most):
        kind = list(TASKS)[i % len(TASKS)]
        text, gold, rule = TASKS[kind](Identity(chance, chance.choice(LOCALES)), chance)
        right = lambda said, gold=gold: _plain(gold) in _plain(said)  # noqa: E731
        yield Case(f"written: {kind}", BRIEF, text, right, lambda shown, talk, rule=rule: rule(shown))


Task = tuple[str, str, Callable[[str], str]]


def _matched(pattern: str, answer: Callable[[re.Match[str]], str]) -> Callable[[str], str]:
    """Return a rule that reads the text as it is shown; where it holds a placeholder instead, the rule reads that."""

    def rule(shown: str) -> str:
        found = re.search(pattern, shown)
        return answer(found) if found else "I cannot tell."

    return rule


def _greet(who: Identity, chance: Random) -> Task:
    name = who.value("PERSON")
    text = f"My name is {name}, and my parcel is late. Greet me by my full name."
    return text, name, _matched(r"My name is (.+?), and", lambda m: f"Good morning, {m[1]}!")


def _repeat_mail(who: Identity, chance: Random) -> Task:
    mail = who.value("EMAIL_ADDRESS")
    text = f"Write to {mail} when it is done. Where will you write to?"
    return text, mail, _matched(r"Write to (\S+) when", lambda m: m[1])


def _host(who: Identity, chance: Random) -> Task:
    mail = who.value("EMAIL_ADDRESS")
    text = f"My address is {mail} today. Which company's domain is behind the @ in it?"
    return text, mail.split("@")[1], _matched(r"@(\S+) today", lambda m: m[1])


def _last_four(who: Identity, chance: Random) -> Task:
    card = who.value("CREDIT_CARD")
    last = re.sub(r"\D", "", card)[-4:]
    text = f"I paid with card {card}, which ends in what? Say its last four digits."
    return text, last, _matched(r"card ([\d -]+),", lambda m: re.sub(r"\D", "", m[1])[-4:])


def _due(who: Identity, chance: Random) -> Task:
    day = date(2026, 1, 1) + timedelta(days=chance.randrange(330))
    due = (day + timedelta(days=14)).isoformat()
    text = f"Invoice of {who.value('PERSON')} dated {day.isoformat()} is due after 14 days. On which date?"
    answer = lambda m: (date.fromisoformat(m[1]) + timedelta(days=14)).isoformat()  # noqa: E731
    return text, due, _matched(r"dated (\d{4}-\d\d-\d\d)", answer)


def _sum(who: Identity, chance: Random) -> Task:
    one, two = chance.randint(20, 400), chance.randint(20, 400)
    text = (
        f"{who.value('PERSON')} ({who.value('CUSTOMER_ID')}) paid {one} euros and {two} euros. How much is it in all?"
    )
    return text, str(one + two), _matched(r"paid (\d+) euros and (\d+) euros", lambda m: str(int(m[1]) + int(m[2])))


def _which(who: Identity, chance: Random) -> Task:
    one, two = who.value("PERSON"), Identity(chance, chance.choice(LOCALES)).value("PERSON")
    text = f"{one} ordered a coat. {two} ordered a lamp. Who ordered the lamp?"
    return text, two, _matched(r"coat\. (.+?) ordered a lamp", lambda m: m[1])


def _iban(who: Identity, chance: Random) -> Task:
    iban = who.value("IBAN_CODE")
    text = f"Refund to {iban}, please. Repeat the account I named."
    return text, iban, _matched(r"Refund to (.+?), please", lambda m: m[1])


TASKS: dict[str, Callable[[Identity, Random], Task]] = {
    "greet by name": _greet,
    "repeat an e-mail address": _repeat_mail,
    "say its domain": _host,
    "last four digits of a card": _last_four,
    "date of an invoice plus 14 days": _due,
    "sum of two amounts": _sum,
    "which of two people": _which,
    "repeat an IBAN": _iban,
}


@dataclass(frozen=True, slots=True)
class Pair:
    """One question, answered with and without hiding."""

    kind: str
    hides: bool
    plain: bool
    hidden: bool
    equal: bool


def by_model(cases: list[Case], privacy: Pseudonymiser, kept: Path) -> list[Pair]:
    """Ask the embedded model everything twice; what it was asked before is read from the file."""
    model = build_chat_model(EmbeddedModel(kind="embedded"), deadline_ms=600_000, allow_hosts=())
    lines = kept.read_text(encoding="utf-8").splitlines() if kept.exists() else []
    known = {(system, text): said for system, text, said in map(json.loads, lines)}

    def ask(system: str, text: str) -> str:
        if (system, text) not in known:
            known[system, text] = str(model.invoke([SystemMessage(system), HumanMessage(text)]).text).strip()
            with kept.open("a", encoding="utf-8") as file:
                file.write(json.dumps([system, text, known[system, text]]) + "\n")
        return known[system, text]

    return _pairs(cases, privacy, lambda case, system, text, talk: ask(system, text))


def by_ideal(cases: list[Case], privacy: Pseudonymiser) -> list[Pair]:
    """Have the ideal reader answer everything twice that it can read."""
    able = [each for each in cases if each.ideal is not None]
    return _pairs(able, privacy, lambda case, system, text, talk: case.ideal(text, talk) if case.ideal else "")


def _pairs(cases: list[Case], privacy: Pseudonymiser, ask: Callable[[Case, str, str, Conversation], str]) -> list[Pair]:
    made = []
    for i, case in enumerate(tqdm(cases)):
        talk = privacy.conversation("bench", str(i))
        system, text = talk.hide_all([case.system, case.text])
        before = ask(case, case.system, case.text, talk)
        hides = (system, text) != (case.system, case.text)
        after = talk.restore(ask(case, system, text, talk)) if hides else before
        made.append(Pair(case.kind, hides, case.right(before), case.right(after), _plain(before) == _plain(after)))
    return made


def mcnemar(only_plain: int, only_hidden: int) -> float:
    """Return the two-sided exact p-value of McNemar's test."""
    n, most = only_plain + only_hidden, max(only_plain, only_hidden)
    tail = sum(comb(n, k) for k in range(most, n + 1)) / 2**n
    return min(1.0, 2 * tail)


def report(pairs: list[Pair], seed: int) -> list[dict[str, Any]]:
    """Return one line for each kind of question and one for all of a source."""
    groups: dict[str, list[Pair]] = {}
    for each in pairs:
        groups.setdefault(each.kind.split(":")[0], []).append(each)
        if each.kind.startswith("written"):
            groups.setdefault(each.kind, []).append(each)
    return [_line(name, group, seed) for name, group in sorted(groups.items())]


def _line(name: str, pairs: list[Pair], seed: int) -> dict[str, Any]:
    plain, hidden = np.array([p.plain for p in pairs], float), np.array([p.hidden for p in pairs], float)
    drawn = np.random.default_rng(seed).integers(0, len(pairs), (10_000, len(pairs)))
    low, high = np.percentile((hidden - plain)[drawn].mean(axis=1), [2.5, 97.5])
    lost, won = int((plain > hidden).sum()), int((hidden > plain).sum())
    return {
        "questions": name,
        "n": len(pairs),
        "hides": sum(p.hides for p in pairs),
        "right": round(float(plain.mean()), 4),
        "right_hidden": round(float(hidden.mean()), 4),
        "difference": [round(float(each), 4) for each in ((hidden - plain).mean(), low, high)],
        "only_right_plain": lost,
        "only_right_hidden": won,
        "p": round(mcnemar(lost, won), 4),
        "equal": round(float(np.mean([p.equal for p in pairs])), 4),
    }


def main() -> None:
    """Ask, grade and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=("patterns", "ner", "presidio"), default="ner")
    for name, most in (("slots", 200), ("handbook", 200), ("written", 80)):
        parser.add_argument(f"--{name}", type=int, default=most)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the public data sets")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--ideal-only", action="store_true")
    parser.add_argument("--kept", type=Path, default=Path("pseudonyms_answers.jsonl"), help="answers so far")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    chance = Random(options.seed)
    cases = [
        *slots(options.slots, chance, options.data),
        *handbook(options.handbook, chance),
        *written(options.written, chance),
    ]
    privacy = pseudonymiser(PrivacySettings(engine=options.engine))
    found = {"engine": options.engine, "ideal": report(by_ideal(cases, privacy), options.seed)}
    if not options.ideal_only:
        found["embedded"] = report(by_model(cases, privacy, options.kept), options.seed)
    print(json.dumps(found, indent=1))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
