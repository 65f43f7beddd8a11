import re

from moslm.reports.blocks import alert, coloured, quoted, section, table
from moslm.reports.page import page


def test_a_page_asks_for_nothing_from_anywhere() -> None:
    made = page("Costs", section("One", "text", table(["a"], [["1"]])), lead="Lead.", foot="Foot.")
    assert "default-src 'none'" in made.replace("&#x27;", "'")
    assert not re.search(r"https?://|<script|<link|@import|url\(", made)


def test_a_page_has_colours_for_light_and_for_dark() -> None:
    made = page("Costs")
    assert "prefers-color-scheme: dark" in made
    light, dark = made.split("@media (prefers-color-scheme: dark)", 1)
    named = set(re.findall(r"(--[a-z0-9-]+):", light))
    assert named
    assert named == set(re.findall(r"(--[a-z0-9-]+):", dark.split("}")[0]))


def test_every_colour_that_is_used_is_defined() -> None:
    made = page("Costs")
    assert set(re.findall(r"var\((--[a-z0-9-]+)\)", made)) <= set(re.findall(r"(--[a-z0-9-]+):", made))


def test_columns_of_figures_stand_on_the_right() -> None:
    made = table(["part", "US dollars"], [["a", "1"]], right="US dollars")
    assert '<td>a</td><td class="figure">1</td>' in made


def test_a_column_without_a_name_is_no_column_of_figures():
    assert "figure" not in table(["", ""], [["takes", "2 replicas"]])


def test_words_of_others_keep_their_lines_and_their_direction_to_themselves() -> None:
    made = quoted("a <b>", [("asked", "one\ntwo <i>"), ("answered", ""), ("graded", "\u202eabc\x00\ud800\u00a0é")])
    assert '<h3 dir="auto">a &lt;b&gt;</h3>' in made
    assert '<dd dir="auto">one\ntwo &lt;i&gt;</dd>' in made
    assert "answered" not in made
    assert "[U+202E]abc[U+0000][U+D800] é" in made


def test_good_and_bad_news_have_classes_that_the_style_knows() -> None:
    assert coloured("missed", "bad") == '<span class="bad">missed</span>'
    assert 'class="alert"' in alert("Not finished.")
    assert {".good", ".bad", ".warning", ".alert"} <= set(re.findall(r"\.[a-z]+", page("x")))


def test_a_column_of_sentences_is_told_apart_from_one_of_figures() -> None:
    made = table(["n", "why", ""], [["1", "because", "x"]], right="n", wide="why")
    assert '<td class="figure">1</td><td class="wide">because</td><td>x</td>' in made
