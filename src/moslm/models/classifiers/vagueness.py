"""How much a message says by itself: "yes please" nothing, "and for Q2?" little, "my VPN drops every hour" enough.

A list of English words that carry no subject; a word of another language always counts as saying something. Knows no
domains and no turns.
"""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)?", re.UNICODE)
_READ_CHARS = 2000

_EMPTY = frozenset(
    """
    a about afternoon again ah ahead all alright also am an and another any anything april are as at august be because
    been being bit both but by bye can can't cancel cheers commit confirm continue cool correct could day dear
    december did didn't do does doesn't doing don't done dont each eight else even evening everything exactly february
    fine finish finished first five for four friday from get give go good got great had has have he hello help her
    here hey hi his hiya hmm how i i'd i'll i'm i've id if ill im in instead into is it it's its ive january july june
    just k kk know last later let let's lets like looks lot maam madam make mam many march may me mean might mine
    monday month more morning much must my nah need needs next nice nine no nope not nothing november now october of
    off oh ok okay on one ones only oops or other our out over perfect please pls previous proceed quarter repeat
    retry right said same saturday say second see september seven shall she should show sir six skip so some something
    sorry sound sounds still stop sunday sure take tell ten than thank thanks that that's thats the their them then
    there these they thing things think this those three thursday thx time to today tomorrow tonight too try tuesday
    two ty uh um undo up us use very wait waiting want wanted wants was way we wednesday week welcome well were what
    what's whats when where which who why will with won't wont work worked works would ya yea yeah year yep yes
    yesterday you your yours yup
    """.split()  # noqa: SIM905 - a hundred quoted words would hide the list
)


def content_words(text: str) -> list[str]:
    """Return the words that say something of a subject; of a very long text, those of its first 2,000 characters."""
    words = _WORD.findall(text[:_READ_CHARS].lower().replace("’", "'"))
    return [word for word in words if word not in _EMPTY and not _is_figure(word)]


def informative(text: str) -> float:
    """Return how far a message settles its own subject, from 0 (not at all) to 1 (by itself)."""
    return _BY_COUNT[min(len(content_words(text)), len(_BY_COUNT) - 1)]


_BY_COUNT = (0.0, 0.3, 0.6, 1.0)


def _is_figure(word: str) -> bool:
    return len(word) <= 4 and any(letter.isdigit() for letter in word)
