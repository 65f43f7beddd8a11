"""The same request as somebody else, somewhere else, would have typed it: the words stay, the style does not.

Requests from elsewhere differ in style first: case, punctuation, typing errors, courtesies, and the form around them
(a ticket, a mail, a chat line, an exam question). Every style is put around requests of every label, so that none of
them says anything of the subject. Pure: the same text and the same dice give the same words.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

from moslm.models.classifiers.surroundings import Aside, surrounded

Style = Callable[[str, random.Random], str]

_STOPS = (
    "a an the i we you he she it they me us him her them my our your his its their is are was were be been am do does",
    "did have has had will would can could shall should may might must to of in on at by for from with and or but if",
    "so as this that these those there here what which who whom whose when where why how not no up out",
)
_STOP = frozenset(word for line in _STOPS for word in line.split())
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_ROLES = (
    "engineer", "developer", "tester", "officer", "analyst", "administrator", "senior engineer", "team lead", "manager",
    "consultant", "senior developer", "specialist", "assistant", "coordinator", "agile lead", "clerk",
)  # fmt: skip
_NICKS = ("jono", "dax_", "mira", "k4rl", "bluefin", "tessa", "zed", "ubot", "pilgrim", "nn7")
_NAMES = ("Sam", "Priya", "Jonas", "Mei", "Carla", "Tom", "Aisha", "Viktor", "Dana", "Luis")


def restyled(text: str, asides: Sequence[Aside], dice: random.Random, *, forms: bool = True) -> str:
    """Return a text in another style, with asides around it or without, in another form or not.

    Args:
        text: A request.
        asides: What people write around requests.
        dice: Decides.
        forms: Whether it may take another form (a ticket, a mail, an exam question), too.
    """
    if asides and dice.random() < 0.4:
        text = surrounded(text, asides, dice)
    elif forms and dice.random() < 0.5:
        return dice.choice(FORMS)(text, dice)
    styles = (_lower, _upper, _unpunctuated, _mistyped, _courteous, _sentence, _as_it_is)
    return (
        dice.choice(styles)(text, dice) if dice.random() < 0.85 else _mistyped(_unpunctuated(text.lower(), dice), dice)
    )


def _as_it_is(text: str, dice: random.Random) -> str:
    return text


def _lower(text: str, dice: random.Random) -> str:
    return text.lower()


def _upper(text: str, dice: random.Random) -> str:
    return text.upper()


def _unpunctuated(text: str, dice: random.Random) -> str:
    return " ".join(re.sub(r"[^\w\s$%€£#@/]", " ", text).split()) or text


def _sentence(text: str, dice: random.Random) -> str:
    return text[:1].upper() + text[1:].rstrip(".!? ") + "."


def _courteous(text: str, dice: random.Random) -> str:
    before = ("", "Hi, ", "hello ", "Dear team, ", "hey there! ", "good morning ", "um ", "ok so ", "yes, ")
    after = ("", " thanks", " Thank you!", " pls", " 🙏", " asap", " Best regards", " have a nice day", " 😀", "!!!")
    return dice.choice(before) + text + dice.choice(after)


def _mistyped(text: str, dice: random.Random) -> str:
    """Swap, drop or double a letter in about every eighth word."""
    words = text.split(" ")
    for number, word in enumerate(words):
        if len(word) > 3 and word.isalpha() and dice.random() < 0.12:
            at = dice.randrange(1, len(word) - 1)
            words[number] = dice.choice(
                (
                    word[:at] + word[at + 1] + word[at] + word[at + 2 :],
                    word[:at] + word[at + 1 :],
                    word[:at] + word[at] + word[at:],
                )
            )
    return " ".join(words)


def stripped_ticket(text: str, dice: random.Random) -> str:
    """A ticket as anonymised archives keep them: no stop words, no names, no figures; the title comes twice."""
    words = [word for word in re.findall(r"[a-z]+", text.lower()) if word not in _STOP and len(word) > 1]
    if not words:
        return text.lower()
    title = words[: dice.randint(2, 5)]
    sent = ["sent", dice.choice(_DAYS), dice.choice(_MONTHS), dice.choice(("am", "pm"))]
    opening = dice.choice(((), ("hi",), ("hello",), ("dear",), ("hi", "please"), ("hello", "team"), ("hi", "guys")))
    closing = dice.choice(
        ((), ("thanks",), ("thank",), ("thanks", "regards"), ("best", "regards"), ("kind", "regards"))
    )
    found = [*title, *(sent if dice.random() < 0.35 else ()), *(["re"] if dice.random() < 0.15 else ())]
    if dice.random() < 0.5:
        found += title
    found += [*opening, *words, *closing, *(dice.choice(_ROLES).split() if dice.random() < 0.6 else ())]
    return " ".join(found)


def _filled_ticket(text: str, dice: random.Random) -> str:
    title = " ".join(text.split()[: dice.randint(3, 6)])
    return dice.choice(
        (
            f"Subject: {title}\nPriority: {dice.choice(('low', 'normal', 'high'))}\nDescription: {text}",
            f"[{dice.choice(('Request', 'Incident', 'Question'))} #{dice.randrange(1000, 99999)}] {text}",
            f"Short description: {title} | Details: {text}",
            f"Customer says: {text}",
            f"Q: {text}",
        )
    )


def _mail(text: str, dice: random.Random) -> str:
    greeting = dice.choice(("Hi,", "Hello,", "Dear Sir or Madam,", "Hi all,", "Good afternoon,"))
    closing = dice.choice(("Regards,", "Best,", "Thanks,", "Kind regards,"))
    return f"{greeting}\n\n{text}\n\n{closing}\n{dice.choice(_NAMES)}"


def _chat_room(text: str, dice: random.Random) -> str:
    opening = dice.choice(
        (
            "hey guys, ",
            "hi all ",
            "anyone know: ",
            f"{dice.choice(_NICKS)}: ",
            "hello, quick question... ",
            "lol ",
            "so ",
        )
    )
    return opening + text.lower().replace(". ", dice.choice((", ", "... ", " ")))


def _post(text: str, dice: random.Random) -> str:
    title = " ".join(text.split()[: dice.randint(4, 9)])
    return dice.choice(
        (
            f"{title}\n\n{text}",
            f"{text}\n\nEdit: thanks for all the replies!",
            f"Hello everyone, long-time reader, first post. {text} Any advice appreciated.",
            f"Throwaway account. {text}",
        )
    )


def _shout(text: str, dice: random.Random) -> str:
    return (
        dice.choice(("@support ", "@help ", "Hey @company ", ""))
        + text
        + dice.choice((" #help", " #fail", " smh", " 😡", ""))
    )


def _exam(text: str, dice: random.Random) -> str:
    return dice.choice(
        (
            f"Question: {text}\nAnswer:",
            f"Answer the following question.\n\n{text}",
            f"{text} Think step by step.",
            f"{dice.randint(1, 40)}. {text}",
            f"Please answer briefly: {text}",
        )
    )


def _spoken(text: str, dice: random.Random) -> str:
    words = _unpunctuated(text.lower(), dice).split()
    if len(words) > 3:
        words.insert(dice.randrange(1, len(words)), dice.choice(("um", "uh", "you know", "like", "please")))
    return " ".join(words)


def _keywords(text: str, dice: random.Random) -> str:
    words = [word for word in _unpunctuated(text.lower(), dice).split() if word not in _STOP]
    return " ".join(words) if len(words) > 2 else text


def _template(text: str, dice: random.Random) -> str:
    """As data sets with placeholders have it: numbers become slots."""
    return re.sub(r"\b\d[\d.,]*\b", lambda _: dice.choice(("{{Number}}", "XXXX", "<NUM>", "[ID]")), text)


FORMS: tuple[Style, ...] = (
    stripped_ticket, stripped_ticket, _filled_ticket, _mail, _chat_room, _post,
    _shout, _exam, _spoken, _keywords, _template,
)  # fmt: skip
"""Forms a request may come in, all as likely for every label; the stripped ticket, which loses most, twice."""
