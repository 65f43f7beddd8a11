"""Requests that look alike and ask something else, and requests that look different and ask the same: made, not found.

Pairs over what the handbooks of the shipped domains are about, from templates and a seed. The first kind differ in
one thing that matters: a number, a name, a "not"; on one side some are dressed in courtesies, so that what is filler
hides what is not.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations


@dataclass(frozen=True, slots=True)
class Pair:
    """Two requests and what sets them apart."""

    kind: str
    one: str
    other: str


_SLOTS: dict[str, list[tuple[list[str], list[str]]]] = {
    "number": [
        (
            [
                "Can I return an order after {} days?",
                "What happens after {} failed logins?",
                "Is a parcel of {} kg delivered to the door?",
                "Do I need {} quotes for a purchase?",
            ],
            ["2", "3", "12", "14", "30", "2.5"],
        ),
        (["What is {} per cent of the training budget?", "Is {} hours of overtime paid?"], ["5", "7.5", "75", "50"]),
    ],
    "amount": [
        (
            [
                "Who approves an invoice of {}?",
                "Is a hotel of {} a night allowed?",
                "Do I get a refund of {} on my card?",
                "Can I spend {} on a client dinner?",
            ],
            ["$50", "$500", "$5,000", "€50", "€500", "£500", "500 dollars"],
        )
    ],
    "date": [
        (
            [
                "Is the service desk open on {}?",
                "Will my parcel arrive on {}?",
                "Are expenses of {} still paid?",
                "Is there a maintenance window on {}?",
            ],
            ["Monday", "Friday", "3 March", "4 March", "3 April", "2026-03-01", "2026-03-10"],
        ),
        (["Does the new policy hold {}?"], ["today", "tomorrow", "this week", "next week", "last week", "next year"]),
    ],
    "id": [
        (
            ["Where is order {} now?", "What is the state of ticket {}?", "Why was invoice {} rejected?"],
            ["AB-1001", "AB-1010", "AB-1100", "1001", "INC0004711", "INC0004171"],
        ),
        (
            ["What does error {} mean on the VPN?", "How do I get rid of error {}?"],
            ["809", "890", "0x80070005", "0x80070057"],
        ),
        (["Can I install version {} on my laptop?"], ["2.1", "2.10", "2.1.0", "12.1", "2.1b"]),
    ],
    "name": [
        (
            [
                "Who leads the office in {}?",
                "Is there a shop in {}?",
                "does the vpn work in {}",
                "Which bank do we use in {}?",
            ],
            ["Berlin", "Paris", "Vienna", "Lyon", "paris texas"],
        ),
        (
            [
                "How do I connect {} to the calendar?",
                "Is {} allowed on company laptops?",
                "who can renew my {} licence",
            ],
            ["Teams", "Zoom", "Slack", "Outlook", "teams premium"],
        ),
        (["Is plan {} cheaper?", "What does class {} travel include?"], ["A", "B", "C"]),
    ],
    "quotation": [
        (
            ["What does {} mean in the till?", "Where do I find the button {} in the portal?"],
            ['"card declined"', '"card expired"', '"the card"', '"a card"', "`retry`"],
        )
    ],
    "address": [
        (["Is {} a shared mailbox?"], ["it@shop.example", "hr@shop.example", "it@shop.test"]),
        (["Can I delete {} on my laptop?"], ["/tmp/cache", "/tmp", "/var/cache", "C:\\temp", "C:\\Temp2"]),
    ],
    "thing": [
        (
            ["How do I reset my {} password?", "Where can I order a new {} account?", "Why is my {} access locked?"],
            ["vpn", "mail", "wifi", "payroll", "laptop", "till"],
        ),
        (
            ["How long is the warranty on {}?", "Can I return {} in a shop?", "what does delivery of {} cost"],
            ["shoes", "boots", "tents", "gift cards", "sale items", "custom orders"],
        ),
        (
            ["Who pays for {} on a business trip?", "Is {} taxable?", "How do I book {} as an expense?"],
            ["breakfast", "lunch", "parking", "a taxi", "train tickets", "flight tickets"],
        ),
    ],
    "question word": [
        (
            [
                "{} can I return a laptop?",
                "{} do I file an expense report?",
                "{} is my account locked?",
                "{} do we approve purchases?",
            ],
            ["How", "When", "Where", "Why", "How often"],
        ),
        (["{} orders can I cancel?", "{} is a delivery?"], ["How many", "Which", "How much", "How late"]),
    ],
    "modality": [
        (
            ["{} I book flights through the portal?", "{} I keep the receipt?", "{} managers approve overtime?"],
            ["Can", "Must", "Should", "Do", "Will"],
        )
    ],
    "owner": [(["How do I change {} password?", "What is {} spending limit?"], ["my", "your", "her", "their"])],
    "quantity": [
        (
            ["Are {} expenses paid back?", "Do {} employees get a laptop?", "Can I return {} items of an order?"],
            ["all", "some", "only", "most", "both", "no"],
        )
    ],
    "comparison": [
        (
            [
                "Do orders {} 50 euros ship free?",
                "Who approves invoices {} 1,000 euros?",
                "Are hotels {} the limit paid?",
            ],
            ["over", "under", "of at least", "of at most", "of exactly"],
        ),
        (
            ["Can I cancel {} the parcel is sent?", "Do I get the money {} the return?", "Is the till locked {} noon?"],
            ["before", "after", "until", "as soon as"],
        ),
        (["Is delivery {} than last year?", "Is the new limit {} than the old one?"], ["higher", "lower", "no higher"]),
    ],
    "condition": [
        (
            ["How do I return shoes{}?", "Can I get a refund{}?", "Who approves my expenses{}?"],
            ["", " without a receipt", " with a receipt", " bought on sale", " from abroad", " as a guest"],
        )
    ],
}
_OPPOSITES = [
    ("enable", "disable"),
    ("turn on", "turn off"),
    ("switch on", "switch off"),
    ("open", "close"),
    ("start", "stop"),
    ("install", "uninstall"),
    ("lock", "unlock"),
    ("activate", "deactivate"),
    ("connect", "disconnect"),
    ("increase", "decrease"),
    ("raise", "lower"),
    ("approve", "reject"),
    ("add", "remove"),
    ("accept", "decline"),
    ("subscribe to", "unsubscribe from"),
    ("log in to", "log out of"),
    ("sign up for", "sign out of"),
    ("show", "hide"),
    ("allow", "block"),
    ("upload", "download"),
    ("encrypt", "decrypt"),
    ("renew", "cancel"),
]
_TURNED = [
    "How do I {} the account?",
    "who may {} the card",
    "Can I {} the service from home?",
    "What does it cost to {} the contract?",
    "Why can I not {} the device?",
]
_DENIED = [
    ("I can log in to the VPN", "I cannot log in to the VPN"),
    ("Why is my card working?", "Why is my card not working?"),
    ("Which expenses are paid back?", "Which expenses aren't paid back?"),
    ("Is the receipt needed?", "Isn't the receipt needed?"),
    ("What happens if I pay in time?", "What happens if I don't pay in time?"),
    ("Can I travel with approval?", "Can I travel without approval?"),
    ("Do I have to sign?", "Do I never have to sign?"),
    ("My parcel has arrived", "My parcel has not arrived"),
    ("Why do I see the invoice?", "Why don't I see the invoice?"),
    ("Are shops open on holidays?", "Are no shops open on holidays?"),
    ("Who can see my salary?", "Who can't see my salary?"),
    ("Why can I open the portal?", "Why can't I open the portal?"),
    ("Was my order shipped?", "Will my order be shipped?"),
    ("Did you charge my card?", "Will you charge my card?"),
    ("Can I call you?", "Can you call me?"),
    ("Who is the head of IT?", "Who is the head of it?"),
    ("Can we ship it to the US?", "Can we ship it to us?"),
    ("What is -5 degrees?", "What is 5 degrees?"),
    ("Is it 10% off?", "Is it 10 off?"),
    ("Can I still cancel?", "Can I cancel again?"),
]
_DIRECTED = [
    "How do I transfer money from {} to {}?",
    "Can I move my data from {} to {}?",
    "Does {} include {}?",
    "Is {} better than {}?",
    "Should {} be approved before {}?",
    "Does {} pay {}?",
]
_PLACES = ["savings", "checking", "payroll", "the club", "the basic plan", "the shop", "a supplier"]
_DRESSES = [
    "Please: {}",
    "Hi, {}",
    "{} Thanks!",
    "{} Thank you very much",
    "Hello there, quick question: {}",
    "So, {}",
]


def near_duplicates(seed: int = 0, least: int = 1_000) -> list[Pair]:
    """Return pairs that look alike and ask something else; every pair once, shuffled.

    Args:
        seed: Chooses order and dress.
        least: How many there are at the least.
    """
    chance = random.Random(seed)
    pairs = list(dict.fromkeys(_made()))
    assert len(pairs) >= least, f"only {len(pairs)} pairs"
    chance.shuffle(pairs)
    return [_dressed(pair, chance) for pair in pairs]


def paraphrases(seed: int = 0) -> list[Pair]:
    """Return pairs that ask the same in other words, most of them in other filler."""
    chance = random.Random(seed)
    made = list[Pair]()
    for base in _BASES:
        for change in _CHANGES:
            other = change(base)
            if other != base:
                made.append(Pair("filler", base, other))
        made.extend(Pair("other words", base, other) for other in _REWORDED.get(base, ()))
    chance.shuffle(made)
    return made


def _made() -> Iterator[Pair]:
    for kind, slots in _SLOTS.items():
        for frames, values in slots:
            for frame in frames:
                for i, one in enumerate(values):
                    yield from (Pair(kind, frame.format(one), frame.format(other)) for other in values[i + 1 :])
    for frame in _TURNED:
        yield from (Pair("opposite", frame.format(one), frame.format(other)) for one, other in _OPPOSITES)
    yield from (Pair("negation", one, other) for one, other in _DENIED)
    for frame in _DIRECTED:
        for one, other in permutations(_PLACES, 2):
            if one < other:
                yield Pair("direction", frame.format(one, other), frame.format(other, one))


def _dressed(pair: Pair, chance: random.Random) -> Pair:
    one, other = pair.one, pair.other
    if chance.random() < 0.5:
        other = chance.choice(_DRESSES).format(other)
    return Pair(pair.kind, one, other) if chance.random() < 0.5 else Pair(pair.kind, other, one)


_BASES = [
    "How do I reset my VPN password?",
    "How do I claim mileage?",
    "What is the limit for a hotel night?",
    "Who approves an invoice over 5,000 euros?",
    "When is the service desk open?",
    "How long is the warranty on boots?",
    "Can I return a tent without a receipt?",
    "Why is my account locked?",
    "Where do I file an expense report?",
    "Is the wifi free for guests?",
    "What does express delivery cost?",
    "How do I get a new laptop?",
    "How do I cancel an order?",
    "Which card do I use for flights?",
    "How many days do I have to return shoes?",
]
_CHANGES = [
    str.lower,
    str.upper,
    lambda text: text.removesuffix("?"),
    lambda text: f"Hi, {text}",
    lambda text: f"{text} Thanks!",
    lambda text: f"Please, {text}",
    lambda text: text.replace(" the ", " ").replace(" a ", " "),
    lambda text: text.replace("How do I", "How can I"),
    lambda text: text.replace("What is", "What's"),
    lambda text: text.replace("wifi", "Wi-Fi").replace("5,000", "5000"),
    lambda text: f"Hello, quick question: {text} Thank you very much",
    lambda text: f"I would like to know {text[0].lower()}{text[1:]}",
]
_REWORDED = {
    "How do I reset my VPN password?": ["I forgot my VPN password, what now?", "VPN password reset"],
    "How do I claim mileage?": ["How is mileage claimed?", "Where do I enter my kilometres?"],
    "Why is my account locked?": ["My account is locked, why?", "What locked my account?"],
    "How do I cancel an order?": ["I want to cancel an order", "How can an order be cancelled?"],
    "When is the service desk open?": ["What are the opening hours of the service desk?"],
    "How do I get a new laptop?": ["I need a new laptop", "Where do I order a new laptop?"],
}
