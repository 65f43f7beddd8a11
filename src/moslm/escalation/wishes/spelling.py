"""Reads a clause as it was meant: lower case, chat shorthand written out, one slip of a finger in a word that matters.

A word is mended only when it is one edit (a letter missing, added, changed, or two swapped) from a word of the grammar
and is no English word of its own ("expect" is not "expert", "modal" not "model"). Knows no grammar.
"""

from __future__ import annotations

import re
from functools import lru_cache

_WORD = re.compile(r"[a-z']+|\b[24](?=\s+(?:the|ur|ya|your|this)\b)|(?<=switch )2(?=\s)|(?<=escalate )2(?=\s)")
_LONGEST = 16

_SHORTHAND = {
    "u": "you", "ur": "your", "ya": "you", "yr": "your", "pls": "please", "plz": "please", "plse": "please",
    "pleas": "please", "n": "and", "teh": "the", "da": "the", "giv": "give", "gimme": "give me", "2": "to",
    "wanna": "want to", "gotta": "got to", "lemme": "let me", "dont": "don't", "doesnt": "doesn't", "deap": "deep",
    "hrd": "hard", "bst": "best", "beast": "best", "thx": "thanks", "lets": "let's", "id": "i'd", "usin": "using",
    "tho": "though", "thru": "through", "abt": "about", "dnt": "don't", "doin": "doing", "nd": "and", "4": "for",
    "depe": "deep", "haed": "hard", "bset": "best", "thnk": "think", "smrt": "smart", "ues": "use",
    "yuor": "your", "giev": "give",
}  # fmt: skip

_KEYS = frozenset(
    """
    advanced analysis answer assistant biggest bigger brain capable careful carefully cheap cheapest clever cleverest
    deeper deepest deeply escalate expert forward frontier harder heavy hardest highest intelligent language large
    larger largest model models maximum please power powerful premium reason reasoning require route small smaller
    smallest smarter smartest strong stronger strongest switch think thinking thorough thoroughly upgrade
    """.split()  # noqa: SIM905 - quoted words would hide the list
)
_OWN_WORDS = frozenset(
    """
    advance advances analyses answered answers apower assistance assistants brains branch brian bring chap cheaper
    clover cleaver chapel chest cheat cheapo charge deep deploy depend digger direct escalated escalates escalator
    expect expects expected experts export exports forwards heave heavily hardened barge largely lager marge marked
    mode moder modern modem modal modes modeled modelled motel medal yodel modul module maxim plead
    through throughout pleased pleases
    pleasure lease phase piece power powers powered tower lower mower poker poser reasons reasoned treason season
    seasoning seasons rest routed router routes rout rote stall stale shall smell mall smalls swell smart smarts start
    started starter startest string strange stranger strung throng strongly stitch switched switches witch twitch
    thank though
    thought thoughts thank thanks thick thin thing things thinks thinker thinly chink shrink
    thanking thinning things' drinking thong
    upgraded upgrades route roue required requires retire languages cleverer answering brand drain train grain
    braid heavier leave heaven large larges digger biggest beggar target hardy harden larder warder garden reasoner
    reckon prison person wheat cheep capability capably course eager dear dearest deepen reply deeps highs nights
    modest harvest hardness longer stronghold wronger rooted rouge rouse rule ruler answer's model's expert's reason's
    lease lapse plus cape table carefree advancer peoples forwarded
    """.split()  # noqa: SIM905 - as above
)


def plain(clause: str) -> str:
    """Return the clause in lower case with shorthand written out and slips in the words of the grammar mended."""
    return _WORD.sub(_mended, clause.lower().replace("’", "'"))


def _mended(found: re.Match[str]) -> str:
    word = found.group()
    return _SHORTHAND.get(word) or _corrected(word)


@lru_cache(maxsize=8192)
def _corrected(word: str) -> str:
    if not 4 <= len(word) <= _LONGEST or word in _KEYS or word in _OWN_WORDS:
        return word
    if word in _LACKING:
        return _LACKING[word]
    for shorter in _without_one(word):
        if shorter in _KEYS:
            return shorter
        near = _LACKING.get(shorter)
        if near and _same_place_or_swapped(word, near):
            return near
    return _of_two_slips(word)


def _of_two_slips(word: str) -> str:
    """Mend a long word two letters short, or one short and one over."""
    if len(word) < _LONG_ENOUGH - 2:
        return word
    for shorter in (word, *_without_one(word)):
        near = _LACKING_TWO.get(shorter, "")
        if near and near[:2] == word[:2] and near[-1] == word[-1]:
            return near
    return word


def _without_one(word: str) -> list[str]:
    return [word[:at] + word[at + 1 :] for at in range(len(word))]


def _same_place_or_swapped(word: str, key: str) -> bool:
    """Tell one changed letter or one swap of neighbours from two separate edits."""
    apart = [at for at, (left, right) in enumerate(zip(word, key, strict=False)) if left != right]
    if len(word) != len(key) or len(apart) > 2:
        return False
    return len(apart) == 1 or (apart[1] == apart[0] + 1 and word[apart[0]] == key[apart[1]])


_LONG_ENOUGH = 9
_LACKING = {lacking: key for key in sorted(_KEYS) for lacking in _without_one(key) if lacking not in _KEYS | _OWN_WORDS}
_LACKING_TWO = {
    lacking: key
    for key in sorted(_KEYS)
    if len(key) >= _LONG_ENOUGH
    for once in _without_one(key)
    for lacking in _without_one(once)
    if lacking not in _KEYS | _OWN_WORDS and lacking not in _LACKING
}
