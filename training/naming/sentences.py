"""Draws labelled texts: templates, requests with names put in, mails, logs, JSON, lists, and texts without a name."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from random import Random

from naming.identities import Names, cased, person, unaccented
from naming.labelled import PERSON, Labelled
from naming.requests import Request, without_names
from naming.slots import Slots
from naming.words import PLAIN, PRODUCTS, VERBS, WHEN, words

_ENGLISH = 0.62
_HANGERS = (
    *(("my manager", 0), ("my wife", 0), ("my husband", 0), ("my colleague", 0), ("a colleague", 0), ("my boss", 0)),
    *(("my son", 0), ("my daughter", 0), ("my brother", 0), ("my sister", 0), ("my mother", 0), ("my father", 0)),
    *(("the customer", 1), ("a customer", 1), ("the client", 1), ("someone", 1), ("somebody", 1), ("the user", 1)),
    *(("the new hire", 1), ("our accountant", 0), ("the accountant", 1), ("the supplier", 1), ("a friend", 0)),
    *(("my friend", 0), ("our intern", 0), ("she", 1), ("he", 1), ("him", 1), ("the agent", 1), ("my team lead", 0)),
)
"""Words that a name may follow (0) or stand in place of (1)."""
_HANGER = re.compile(rf"\b(?:{'|'.join(words for words, _ in _HANGERS)})\b", re.IGNORECASE)
_REPLACED = {words for words, replaced in _HANGERS if replaced}


_GREETINGS, _SIGNATURES, _FIELDS, _LOG_LINES = map(words, ("greetings", "signatures", "fields", "log_lines"))


class Sentences:
    """Draws labelled texts.

    Args:
        folder: The templates, one file a tongue.
        names: Whose names.
        found: The written requests.
        part: Which templates and requests: "train", or the tenth that is kept for "dev".
    """

    def __init__(self, folder: Path, names: Names, found: Sequence[Request], part: str = "train") -> None:
        self.names, self.slots = names, Slots(names)
        kept = [each for at, each in enumerate(found) if (at % 10 == 0) == (part == "dev")]
        self.plain = without_names(kept)
        self.named = [each for each in kept if each.names]
        self.hung = [text for text in self.plain if _HANGER.search(text)]
        self.templates: dict[str, list[str]] = {}
        for file in sorted(folder.glob("*.txt")):
            lines = [line.replace("\\n", "\n") for line in file.read_text(encoding="utf-8").splitlines() if line]
            self.templates[file.stem] = [each for at, each in enumerate(lines) if (at % 10 == 3) == (part == "dev")]
        self._some = [each for each in self.templates if not each.endswith("_none")]
        self._none = [each for each in self.templates if each.endswith("_none")]

    def draw(self, chance: Random) -> Labelled:
        """Draw a text."""
        made = Labelled()
        if chance.random() < 0.25:
            for at in range(chance.randint(2, 5)):
                made.add(chance.choice((" ", " ", "\n", " - ", "\n\n")) if at else "")
                made.append(self._one(chance))
        else:
            made = self._one(chance)
        return _styled(made, chance)

    def _one(self, chance: Random) -> Labelled:
        makers = (
            self._template,
            self._grammar,
            self._hung,
            self._renamed,
            self._signed,
            self._carrier,
            self._plain,
            self._none_of,
        )
        return chance.choices(makers, (30, 10, 7, 6, 6, 11, 16, 14))[0](chance)

    def _template(self, chance: Random) -> Labelled:
        tongue = "en" if chance.random() < _ENGLISH else chance.choice(self._some)
        return self.slots.filled(chance.choice(self.templates[tongue]), chance)

    def _none_of(self, chance: Random) -> Labelled:
        tongue = "en_none" if chance.random() < 0.7 else chance.choice(self._none)
        return self.slots.filled(chance.choice(self.templates[tongue]), chance)

    def _grammar(self, chance: Random) -> Labelled:
        who = chance.choice(("{p}", "{p}", "{f}", "{T} {l}", "{p} and {p}", "the {j}", "{c}", "our team in {t}"))
        text = f"{who} {chance.choice(VERBS)}{chance.choice(('', f' {chance.choice(WHEN)}'))}"
        text += chance.choice((".", "", "?", ", right?", "!"))
        return self.slots.filled(
            chance.choice(("", "", "", "Yesterday ", "I heard that ", "FYI ", "Once again, ", "but ", "If ")) + text,
            chance,
        )

    def _plain(self, chance: Random) -> Labelled:
        made = Labelled()
        made.add(chance.choice(self.plain))
        return made

    def _hung(self, chance: Random) -> Labelled:
        """Put a name into a request, after or in place of words that mean somebody."""
        text = chance.choice(self.hung)
        found = chance.choice(list(_HANGER.finditer(text)))
        made, who = Labelled(), found.group()
        made.add(text[: found.start()])
        if who.lower() not in _REPLACED or (len(who) > 4 and chance.random() < 0.5):
            made.add(f"{who} ")
        made.add(person(self.names, chance), PERSON)
        made.add(text[found.end() :])
        return made

    def _renamed(self, chance: Random) -> Labelled:
        """Put another name in place of each that stands in a request."""
        request, made, at = chance.choice(self.named), Labelled(), 0
        for start, end in request.names:
            made.add(request.text[at:start])
            old = request.text[start:end]
            made.add(person(self.names, chance, full=True) if " " in old else self.names.given(chance), PERSON)
            at = end
        made.add(request.text[at:])
        return made

    def _signed(self, chance: Random) -> Labelled:
        """Begin and end a request as a mail or a chat line does."""
        made = Labelled()
        if chance.random() < 0.6:
            made.append(self.slots.filled(_written(chance.choice(_GREETINGS)), chance))
        made.add(chance.choice(self.plain))
        if chance.random() < 0.7 or not made.spans:
            made.append(self.slots.filled(_written(chance.choice(_SIGNATURES)), chance))
        return made

    def _carrier(self, chance: Random) -> Labelled:
        return chance.choice((self._fields, self._fields, self._table, self._log, self._chat, self._list, self._file))(
            chance
        )

    def _fields(self, chance: Random) -> Labelled:
        """Draw fields of JSON, YAML or a form."""
        keys = [tuple(each.split(" = ")) for each in _FIELDS]
        chosen = chance.sample(keys, chance.randint(1, 6))
        style = chance.randrange(4)
        if style == 0:
            between, form = chance.choice((", ", ",\n  ")), '"{}": "{}"'
        elif style == 1:
            between, form = "\n", "{}: {}"
        elif style == 2:
            between, form = chance.choice((" ", "; ", "&")), "{}={}"
        else:
            between, form = chance.choice(("\n", " | ")), "{} - {}"
        lines = between.join(form.format(key, slot) for key, slot in chosen)
        return self.slots.filled("{" + lines + "}" if style == 0 else lines, chance)

    def _table(self, chance: Random) -> Labelled:
        mark = chance.choice((",", ";", "\t", " | ", "  "))
        columns = chance.sample(
            ("{p}", "{p}", "{f}", "{l}", "{n}", "{d}", "{c}", "{t}", "{j}", "{x}", "{m}", "{s}"), chance.randint(2, 5)
        )
        made = Labelled()
        for _ in range(chance.randint(1, 4)):
            made.append(self.slots.filled(mark.join(columns) + "\n", chance))
        return made

    def _log(self, chance: Random) -> Labelled:
        return self.slots.filled(chance.choice(_LOG_LINES), chance)

    def _chat(self, chance: Random) -> Labelled:
        made, pair = (
            Labelled(),
            (
                cased(self.names.given(chance), chance),
                chance.choice(("Agent", "me", "Support", cased(person(self.names, chance), chance))),
            ),
        )
        for at in range(chance.randint(2, 4)):
            who = pair[at % 2]
            made.add(who, PERSON if who not in ("Agent", "me", "Support") else None)
            made.add(": ")
            made.append(
                self._plain(chance)
                if chance.random() < 0.4
                else self.slots.filled(chance.choice((*PLAIN, "ok {f}", "ask {f}", "that is {p}")), chance)
            )
            made.add("\n")
        return made

    def _list(self, chance: Random) -> Labelled:
        slot = chance.choice(("{p}", "{p}", "{f}", "{l}", "{p} ({j})", "{p}, {c}", "{m}", "{t}", "{c}", "{j}"))
        head = chance.choice(("", "", "Invited: ", "To: ", "cc: ", "Team:\n", "Members\n", "Please add: ", "For: "))
        return self.slots.filled(
            head + chance.choice((", ", "; ", "\n", "\n- ", " / ", " and ", " & ")).join([slot] * chance.randint(1, 5)),
            chance,
        )

    def _file(self, chance: Random) -> Labelled:
        """Draw the name of a file or a path with a name in it, or without."""
        made, mark = Labelled(), chance.choice("_-_.")
        made.add(chance.choice(("", "see ", "attached: ", "/home/shared/", "C:\\Users\\", "open ")))
        made.add(chance.choice(("CV", "contract", "Invoice", "scan", "report", "Lebenslauf", "2026", "offer")) + mark)
        if chance.random() < 0.75:
            made.add(re.sub(r"[ ,.]+", mark, person(self.names, chance, full=True)).strip(mark), PERSON)
        else:
            made.add(re.sub(r"\W+", mark, chance.choice(PRODUCTS)))
        made.add(chance.choice((".pdf", ".docx", "_v2.xlsx", ".txt", "")))
        return made


def _written(line: str) -> str:
    """Return a line of a list with its line breaks."""
    return line.replace("\\n", "\n")


def _styled(made: Labelled, chance: Random) -> Labelled:
    """Write the whole text otherwise, letter by letter, so that the spans stay: in capitals, without accents ..."""
    roll = chance.random()
    if roll < 0.13:
        made.text = "".join(_one(letter, letter.lower()) for letter in made.text)
    elif roll < 0.17:
        made.text = "".join(_one(letter, letter.upper()) for letter in made.text)
    elif roll < 0.19:
        made.text = re.sub(r"\b[a-z]", lambda found: found.group().upper(), made.text)
    elif roll < 0.23:
        made.text = unaccented(made.text)
    elif roll < 0.28:
        made.text = _slipped(made, chance)
    return made


def _one(old: str, new: str) -> str:
    return new if len(new) == 1 else old


def _slipped(made: Labelled, chance: Random) -> str:
    letters = list(made.text)
    for at in range(len(letters) - 1):
        outside = not any(start - 1 <= at < end for start, end, _ in made.spans)
        if outside and letters[at].islower() and letters[at + 1].islower() and chance.random() < 0.03:
            letters[at], letters[at + 1] = letters[at + 1], letters[at]
    return "".join(letters)


def as_json(made: Labelled) -> str:
    """Return a labelled text as one line."""
    return json.dumps({"text": made.text, "spans": made.spans}, ensure_ascii=False)
