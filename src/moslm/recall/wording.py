"""What must be the same in two requests for one answer to hold for both: everything that is not known to be filler.

A list of opposites, names and numbers can never be whole; so it is the other way round. Articles, courtesies and the
words of a question's frame are left out, and all that remains must stand in both requests in the same order: numbers,
dates, ids, names and quotations, "not" and "without", "on" and "off", question words, what is compared with what.
English; of another language nothing is known to be filler, so little but the same words is the same.

Lexical: how alike two requests are is measured elsewhere. Knows no tenant, no model and no store.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

_MOST_CHARS = 600
"""A longer request is a text of its own: only the same one is the same."""

_TOKEN = re.compile(
    r'"[^"\n]+"|“[^”\n]+”|«[^»\n]+»|`[^`\n]+`'  # quotations, word for word
    r"|\S*[@/\\]\S*\w|\w*(?:\d\w*[-_.]|[-_.]\w*\d)[\w.-]*\w"  # addresses, paths, ids, decimals, dates
    r"|\d+(?:,\d{3})+(?:\.\d+)?"
    r"|[^\W\d_]+(?:['-][^\W\d_]+)*|[^\W_]+|[^\w\s]|_+"
)
_PLAIN = frozenset(".,;:!?\"'()[]{}…–—-“”«»`")
"""Signs that only set apart what they stand between."""

_MINUS = re.compile(r"(?<![\w-])-(?=\d)")
_ASKED = r"(?=(?:how|what|when|where|who|why|which|whether|if|is|are|can|do|does|did|will|may|must)\b)"
_POLITE = r"(?:can|could|would|will) you (?:please |kindly |possibly )?"
_COURTESIES = re.compile(
    r"\b(?:(?:hi|hello|hey|dear)(?: (?:there|all|team|everyone))?(?=[,.!]|$)"
    r"|good (?:morning|afternoon|evening)(?=[,.!]|$)"
    r"|(?:many )?thanks(?: (?:a lot|so much|very much|in advance|for your help))?"
    r"|thank you(?: (?:so much|very much|in advance|for your help))?"
    rf"|{_POLITE}(?:tell me|let me know|explain(?: to me)?) {_ASKED}"
    rf"|(?:tell me|let me know|explain to me) {_ASKED}"
    rf"|i (?:would like|'d like|want|need|wanted) to know {_ASKED}"
    rf"|i(?: am|'m) wondering {_ASKED}"
    r"|do you know (?=(?:how|what|when|where|who|why|which)\b)"
    r"|(?:i have a )?quick question(?=[,.:!-]|$)"
    r"|please|kindly|pls|plz)",
    re.IGNORECASE,
)
"""What is said around a question, and only where a question follows."""

_CONTRACTIONS = {
    "can't": ("can", "not"),
    "cannot": ("can", "not"),
    "won't": ("will", "not"),
    "shan't": ("will", "not"),
    "let's": ("let",),
}
_ENDINGS = {"n't": "not", "'re": "are", "'m": "am", "'ve": "have", "'ll": "will"}

# fmt: off
_FILLER = frozenset(
    """a an the this that these those i me my mine we our ours myself am is are be being do does have has there it its
    of at to just so well ok okay um uh actually really also""".split()  # noqa: SIM905
)
# fmt: on
"""Words without which a request asks the same."""
_SAME = {
    "did": "was",
    "were": "was",
    "had": "was",
    "been": "was",
    "shall": "will",
    "could": "can",
    "might": "may",
    "whether": "if",
    "e-mail": "email",
    "e-mails": "email",
    "emails": "email",
    "wi-fi": "wifi",
    "log-in": "login",
}
"""Words that say the same here."""
_ASKING = frozenset(
    ("is", "are", "am", "do", "does", "has", "have", "was", "will", "can", "may", "should", "would", "must")
)
"""Words that begin a question that is answered by yes or no."""
_QUESTION = frozenset(["how", "what", "when", "where", "who", "whom", "whose", "why", "which", "if"])
_NUMBERS = dict(
    zip(
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"],
        map(str, range(13)),
        strict=True,
    )
)


def wording(text: str) -> tuple[str, ...]:
    """Return what a request says, word by word, without its filler.

    Args:
        text: The request; of one that is too long to be compared nothing but its hash is returned.
    """
    if len(text) > _MOST_CHARS:
        return ("#", hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest())
    plain = _MINUS.sub("minus ", _asked(text))
    shouted = plain.isupper()
    words = [
        word for at, token in enumerate(_TOKEN.findall(plain)) for word in _words(token, named=at > 0 and not shouted)
    ]
    return (_kind(words, plain), *_said(words))


def essence(text: str) -> str:
    """Return a request without courtesies and capitals, as it is compared by meaning."""
    return " ".join(_asked(text[:_MOST_CHARS]).casefold().split()).lstrip(" ,.:;!-")


def _asked(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).replace("’", "'").replace("‘", "'").strip()
    return _COURTESIES.sub(" ", plain)


def _words(token: str, named: bool = False) -> tuple[str, ...]:
    """Return a token as it is compared; with ``named``, small words in capitals are names: IT, US, plan A."""
    if token in _PLAIN:
        return ()
    if token[0] in '"“«`' or any(sign in token for sign in "@/\\"):
        return (token.rstrip(".,;:!?)"),)
    lower = token.casefold()
    if named and token.isupper() and token != "I" and (lower in _FILLER or lower == "us"):
        return (token,)
    if lower in _SAME:
        return (_SAME[lower],)
    if lower in _CONTRACTIONS:
        return _CONTRACTIONS[lower]
    for ending, word in _ENDINGS.items():
        if lower.endswith(ending) and len(lower) > len(ending):
            return (_SAME.get(lower.removesuffix(ending), lower.removesuffix(ending)), word)
    if re.fullmatch(r"[\d,]+(?:\.\d+)?", lower):
        return (lower.replace(",", ""),)
    if "-" in lower and not any(char.isdigit() for char in lower):
        return tuple(word for part in lower.split("-") for word in _words(part) if part)
    bare = lower.removesuffix("'s")
    # "what's" and "it's" are frames; "manager's" names whose it is
    return (_NUMBERS.get(bare, _SAME.get(bare, bare)),) if bare != lower else (_NUMBERS.get(lower, lower),)


def _kind(words: list[str], plain: str) -> str:
    """Return what kind of request it is: a question for yes or no, another question, or neither."""
    first = words[0] if words else ""
    if first in _ASKING:
        return "can" if first in ("can", "may") else "is"
    if first == "if":
        return "is"
    return "?" if _QUESTION & set(words) or plain.rstrip().endswith("?") else "."


def _said(words: list[str]) -> list[str]:
    said = list[str]()
    # "how can I" asks what "how do I" asks; "why can't I" does not ask what "why don't I" asks
    enabling = bool(_QUESTION & set(words)) and "not" not in words
    for at, word in enumerate(words):
        following = words[at + 1] if at + 1 < len(words) else ""
        if word in ("have", "has", "need") and following == "to":
            said.append("must")
        elif word == "do" and not following:
            said.append(word)  # "what do cards do" does not ask what cards are
        elif word in _FILLER or (word == "if" and at == 0) or (word == "can" and (enabling or at == 0)):
            continue
        else:
            said.append(_singular(word))
    return said


def _singular(word: str) -> str:
    if not word.isalpha() or not word.isascii() or len(word) < 4 or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    return word.removesuffix("s")
