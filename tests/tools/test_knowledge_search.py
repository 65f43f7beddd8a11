from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moslm.config import Config
from moslm.domains import Page, load_domains
from moslm.tools.knowledge import Handbook, search_handbook

PAGES = [
    Page(
        "returns.md",
        "# Returns\nSend things back.\n\n## Return period\nYou have 30 days.\n\n"
        "## Exchange ##\nCafé boots are exchanged.\n"
        "```\n# not a heading\n```\n",
    ),
    Page("plain-notes.md", "Zebras are striped.\n\n" + "\n\n".join(["Paragraph on llamas. " + "word " * 60] * 8)),
]  # fmt: skip
HANDBOOK = Handbook(PAGES)


@pytest.fixture(scope="module")
def shipped() -> dict[str, Handbook]:
    return {name: Handbook(domain.knowledge) for name, domain in load_domains(Config()).items()}


def test_a_passage_knows_its_page_section_and_file():
    (found,) = HANDBOOK.search("exchange", 1)
    assert (found.title, found.source) == ("Returns: Exchange", "returns.md")
    assert found.text == "Café boots are exchanged.\n```\n# not a heading\n```"


def test_a_page_without_headings_is_named_by_its_file():
    assert HANDBOOK.search("zebra", 1)[0].title == "plain notes"


def test_words_are_found_by_their_stem_and_without_accents():
    assert HANDBOOK.search("exchanging", 1)[0].title == "Returns: Exchange"
    assert HANDBOOK.search("cafe", 1)[0].title == "Returns: Exchange"


def test_a_heading_counts_more_than_the_text_below_it():
    book = Handbook([Page("a.md", "# A\n## Gifts\nUp to 50.\n## Other\nGifts, gifts and more about other things.")])
    assert book.search("gifts", 1)[0].title == "A: Gifts"


def test_short_words_do_not_match_longer_ones():
    book = Handbook([Page("a.md", "# A\nThe card is here.")])
    assert book.search("car", 3) == []


def test_long_pages_are_cut_at_their_paragraphs():
    found = HANDBOOK.search("llamas", 20)
    assert len(found) > 1
    assert all(len(passage.text) <= 1200 for passage in found)
    assert all(passage.text.startswith(("Paragraph", "Zebras")) for passage in found)


def test_no_text_of_a_page_is_lost():
    text = "wordy " * 3000
    book = Handbook([Page("long.md", text)])
    assert sum(len(passage.text.split()) for passage in book.search("wordy", 100)) >= 3000


@pytest.mark.parametrize(
    "text", ["", " ", "the of and", "?!", "🙂🙂", "\x00", "\ud800", "'" * 50, '"' * 51, "***", "(((", "^"]
)
def test_a_text_that_says_nothing_finds_nothing(text):
    assert HANDBOOK.search(text) == []


@pytest.mark.parametrize(
    "text",
    ['boots" OR title:"', "NEAR(boots exchange)", "boots AND NOT -x", "{boots} : *", "boots;--", "bo\x00ots boots"],
)
def test_query_syntax_in_a_text_is_only_text(text):
    assert HANDBOOK.search(text, 1)[0].title == "Returns: Exchange"


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(), max_size=200))
def test_no_text_whatever_breaks_the_search(text):
    assert len(HANDBOOK.search(text, 2)) <= 2


def test_a_megabyte_is_searched_like_anything_else():
    assert HANDBOOK.search("exchange " + 'x" OR ' * 200_000, 1)[0].title == "Returns: Exchange"


def test_many_threads_may_search_at_once():
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda i: HANDBOOK.search(["exchange", "zebra"][i % 2], 1)[0].title, range(200)))
    assert found == ["Returns: Exchange", "plain notes"] * 100


def test_no_limit_is_no_passage():
    assert HANDBOOK.search("exchange", 0) == []


@pytest.mark.parametrize(
    ("domain", "question", "title"),
    [
        ("finance", "whats the per diem when i go to germany", "Expenses: Meals and daily allowance (per diem)"),
        ("finance", "I lost my corporate credit card", "Company cards: Lost or stolen card"),
        ("finance", "How many years must we retain supplier invoices?", "Purchasing and invoices: Keeping documents"),
        ("it_support", "vpn error 809", "Network and VPN: VPN error 809"),
        ("it_support", "printer says paper jam", "Laptops, phones and printers: Printers"),
        ("it_support", "forgot my password", "Accounts and access: Resetting your password"),
        (
            "customer_service",
            "how much is shipping to Germany",
            "Orders and delivery: Delivery costs (shipping, postage)",
        ),
        ("customer_service", "do points expire", "Accounts, Trail Club and bookings: Trail Club"),
        ("customer_service", "I lost the receipt, can I return the tent?", "Returns and refunds: Without a receipt"),
    ],
)
def test_the_shipped_handbooks_answer_ordinary_questions(shipped, domain, question, title):
    assert shipped[domain].search(question, 1)[0].title == title


def test_the_tool_gives_titles_and_texts_and_says_when_there_is_nothing():
    tool = search_handbook(HANDBOOK)
    assert tool.invoke({"question": "return period"}).startswith("Returns: Return period\nYou have 30 days.")
    assert tool.invoke({"question": "quantum"}) == "The handbook says nothing about that."
