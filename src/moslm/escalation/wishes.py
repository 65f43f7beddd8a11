"""Does a request ask, in so many words, for advanced reasoning or the strongest model?

A small grammar rather than a list of phrases. A clause counts when it names something strong ("advanced reasoning",
"your best model", "GPT-4") *and* asks for it ("use", "switch to", "I need", "... please"), when it tells us to think
hard, or when it refuses the small model. Naming it in passing, asking what it is, refusing it or wanting it for
somebody's training does not count. English; knows neither classifiers nor models.
"""

from __future__ import annotations

import re

_READ_CHARS = 20_000
_LONGEST_CLAUSE = 400
_BEFORE, _AFTER = 120, 120


def explicit_wish(text: str) -> str | None:
    """Return the clause that asks for advanced reasoning or the strongest model; None when none does.

    Args:
        text: The last user message. Of a long one the first and last 10,000 characters are read.
    """
    if len(text) > _READ_CHARS:
        text = f"{text[: _READ_CHARS // 2]}\n{text[-_READ_CHARS // 2 :]}"
    for clause in _CLAUSE_END.split(text.replace("’", "'")):
        if clause and _asks(clause):
            return clause.strip()[:_LONGEST_CLAUSE]
    return None


def _asks(clause: str) -> bool:
    if _NOT_THE_SMALL_ONE.search(clause):
        return True
    if any(_tells_us_to_think(clause[max(0, found.start() - _BEFORE) : found.start()]) for found in _HARD(clause)):
        return True
    return any(
        _asked_for(clause[max(0, found.start() - _BEFORE) : found.start()], clause[found.end() :][:_AFTER])
        for found in _STRONG(clause)
    )


def _tells_us_to_think(before: str) -> bool:
    return bool(_TOLD.search(before)) and not _REFUSED.search(before) and not _IN_PASSING.search(before)


def _asked_for(before: str, after: str) -> bool:
    """Judge something strong by the words around it."""
    if _REFUSED.search(before) or _REFUSED_AFTER.search(after) or _PART_OF_A_NAME.search(after):
        return False
    if _NOTHING_BEFORE.search(before) and _NOTHING_AFTER.search(after):
        return True
    asks = _ASKED.search(before)
    if asks:
        return not _IN_PASSING.search(before[: asks.start()])
    return bool(_MAY_IT.search(before) and _DO_IT.search(after))


def _any(phrases: str) -> str:
    """Return the pattern of any of these phrases, separated by ``/`` or line ends."""
    listed = [phrase.strip() for phrase in re.split(r"[/\n]", phrases) if phrase.strip()]
    return "(?:" + "|".join(r"\s+".join(phrase.split()) for phrase in listed) + ")"


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_CLAUSE_END = _compiled(r"(?<=[.!?;])\s+|\n+|(?<=\])\s*|(?<!\s)\s+(?=\[)|,\s+(?:but|and|so)\s+")

_DEGREE = _any(
    """advanced / deep / deeper / deepest / full / extended / heavy / strong / stronger / strongest / expert
    expert-level / complex / serious / maximum / max / high / proper"""
)
_BEST = _any(
    r"""strong(?:est|er)? / best / better / smart(?:est|er)? / clever(?:est|er)? / big(?:gest|ger)?
    larg(?:est|er|e)
    (?:most|more) (?:capable|powerful|advanced|intelligent|expensive) / top(?:[-\s](?:tier|end))? / premium / expert
    frontier / flagship / advanced / reasoning / thinking / heavy(?:weight)? / powerful / senior / pro
    cloud / full"""
)
_KIND = _any("available / possible / general / chat / capable / local / hosted / cloud / single")
_MODELS = _any("""models? / llms? / ai / brain / engine / (?:gpt|bot|assistant)(?!-)""")
_MODEL = rf"(?:(?:language|reasoning|ai|thinking)\s+)?{_MODELS}"
_AT_HAND = _any("""you have / available / there is / you(?:'ve| have) got""")
_STRONG = _compiled(
    rf"""\b(?:{_DEGREE}[\s-]+(?:level\s+|step[\s-]by[\s-]step\s+)?(?:reasoning|thinking)(?:\s+(?:mode|treatment|model))?"""
    rf"""|(?:the\s+|your\s+)?{_BEST}\s+(?:{_KIND}\s+)?{_MODEL}(?:\s+{_AT_HAND})?"""
    rf"""|{_any("large language model / (?:reasoning|thinking) mode / reasoning model / o[1-9] model / big guns")}"""
    r"""|gpt[\s-]?[4-9][\w.]*|claude(?:\s+\w+)?|gemini(?:\s+\w+)?)\b"""
).finditer

_VERY = rf"(?:{_any('really / very / extra / super / as / long and / more / much / all the way')}\s+)*"
_HOW_HARD = _any("hard(?:er|est)? / deep(?:ly|er)? / thoroughly / rigorously / carefully / intensely / properly")
_HARD = _compiled(
    rf"""\b(?:think\s+(?:about\s+)?(?:(?:this|it|that)\s+)?(?:one\s+)?(?:through\s+)?{_VERY}{_HOW_HARD}"""
    rf"""|reason\s+(?:(?:about|through)\s+)?(?:(?:this|it)\s+)?{_VERY}{_HOW_HARD}"""
    r"""|ultra-?think|(?:use|take)\s+(?:all|as\s+much)\s+(?:(?:of\s+)?(?:your|the)\s+)?(?:thinking|reasoning)\s+\w+"""
    r"""|(?:put|give)\s+(?:this|it)\s+(?:your\s+)?(?:best|deepest|hardest|full(?:est)?)\s+(?:thinking|thought))\b"""
).finditer
_TOLD = _compiled(r"(?:^|[,:;(\[]|\b(?:please|pls|and|so|then|really|to|you|kindly|just|should|must)\s)\s*$")

_HAND_OVER = _any(
    """give / send / route / pass / forward / hand / escalate / kick / push / move / bump / take / refer / delegate
    direct / transfer / put / run / bring / call / get / let / have / ask / make / elevate / upgrade / go
    feed / throw"""
)
_TURN_ON = _any("""use / using your / apply / enable / activate / turn (?:on|up) / engage / invoke / try / employ""")
_WISH = _any(
    """need / want / prefer / like / require / request(?:ing)? / insist on / demand(?:ing)? / asking for
    expect / love"""
)
_DEMANDS = _any(
    """needs / requires / deserves / calls for / wants / warrants / is (?:one )?for
    should (?:go|be [a-z]+) (?:to|by|with)"""
)
_ASKED = _compiled(
    rf"""\b(?:{_TURN_ON}"""
    rf"""|switch(?:\s+\w+)?\s+(?:to|on|over)|{_HAND_OVER}\b.{{0,40}}?"""
    rf"""|(?:i|we)(?:(?:'d|'ll|'m|\s+(?:would|really|do|definitely|strongly|am|explicitly|just|will)))*\s+"""
    rf"""{_WISH}"""
    rf"""|(?:this|that|it|question|request|problem|case|task|one|here)\s+"""
    rf"""(?:(?:one|really|clearly|definitely|probably)\s+)*"""
    rf"""{_DEMANDS}"""
    rf"""|{_any("requesting / requires / required / needed / wanted / asking for / with / via / by")})\b.{{0,60}}?$"""
)
_NOTHING_BEFORE = _compiled(
    r"""^[\s\[(*_#"'>-]*(?:please[\s,:-]+|pls\s+|with\s+|by\s+|mode:\s*)?(?:(?:the|your|some|an?)\s+)?$"""
)
_POLITE = _any(
    r"""(?:mode )?(?:please|pls|only|required|needed|requested|on|wanted|mode|here|now|thanks)
    for (?:this|it|me|that)(?: \w+)? / is (?:required|needed)(?: here)?"""
)
_NOTHING_AFTER = _compiled(rf"""^[\s\])*_"'<-]*(?:{_POLITE}[\s,]*)*[.!:\])*_"'-]*\s*(?:$|:)""")

_MAY_IT = _compiled(r"(?:^|\b(?:please|and|so|then|also)\s+|[,:]\s*)(?:can|could|would|may|might|will|should|let)\s*$")
_DO_IT = _compiled(
    r"^\s+(?:(?:please|maybe|perhaps)\s+)*"
    + _any(
        """take / have / look / answer / handle / solve / check / do / try / deal / process / work / review
        be used
        tackle / respond / reply / help / see / read / weigh / give / figure / sort / run / think / go over"""
    )
    + r"\b"
)

_SMALL = _any(
    """small(?:er|est)? / little / tiny / mini / cheap(?:er|est)? / weak(?:er|est)? / basic / dumb / local
    fast / lite / light"""
)
_BETWEEN = _any(
    """want / like / need / use / using / give / send / let / trust / rely on / route / ask / bother with
    me / this / it
    to / go / with / for / i"""
)
_REFUSING = _any(
    """do not / don'?t / never / no / not / instead of / rather than / anything but / avoid / skip / bypass
    without"""
)
_NOT_THE_SMALL_ONE = _compiled(
    rf"""\b{_REFUSING}"""
    rf"""(?:\s+{_BETWEEN}\b)*\s+(?:(?:the|your|a|any|that|some)\s+)?{_SMALL}\s+"""
    rf"""(?:(?:language|ai|local)\s+)?{_any("models? / llms? / slms? / ai / bot / one")}\b"""
)

_REFUSED = _compiled(
    rf"""(?:\b{
        _any(
            '''no / not / dont / doesnt / isnt / without / never / nor / unnecessary / skip / avoid
            instead of / rather than
        except / stop / disable / (?:turn|switch) off / hardly / overkill'''
        )
    }|n't)\b(?:\W+\w+){{0,5}}\W*$"""
)
_REFUSED_AFTER = _compiled(
    r"""^\W*(?:(?:is|are|was|would\s+be|seems?)\s*)?(?:not|n't|isn't|overkill|unnecessary|never|no\s+longer)\b"""
)

_SPEAKS_OF = _any(
    """read / reads / reading / heard / hear / learn(?:ed|t|ing)? / wrote / writing / write
    talk(?:ed|ing|s)? / spoke
    article / paper / book / video / news / blog / curious / wonder(?:ing)? / asked me / told
    mention(?:ed|s)? / opinion
    thoughts / question / info(?:rmation)? / documentation / post / something"""
)
_OTHERS = _any(
    """he / she / they / boss / manager / team / colleagues? / customers? / clients? / company / friends? / teacher
    students? / department / people / everyone / some(?:body|one) / wife / husband / son / daughter / kids?
    child"""
)
_OTHERS_DO = _any(
    """needs? / wants? / uses? / used / likes? / said / says / asked / tried / requires? / has / have / had / bought
    sells? / offers? / teach(?:es)?"""
)
_WE_DID = _any(
    r"""used / tried / had / bought / built / have / teach / taught / studied / study / sell / offer
    train(?:ed)? / use
    (?:like|love) how / work(?:ed)? on / install(?:ed)?"""
)
_ASKS_ABOUT = _any(
    r"""what(?:'s|s)? / who / whose / why / when / which / does / do you (?:have|offer|support|know) / is
    are / was / were
    how (?:does|do|much|many|is|are|did|long|good|can i (?:learn|improve|buy|train)) / define / explain / describe
    compare / difference / meaning / (?:price|cost|pricing) of"""
)
_DOES_WITH = _any(
    """install / update / upgrade to / download / buy / purchase / order / subscribe(?: to)? / train / build
    deploy
    fine-?tune / benchmark / licen[cs]e / sell"""
)
_IN_PASSING = _compiled(
    rf"""\b(?:{_SPEAKS_OF}\s+(?:\w+\s+){{0,2}}?(?:about|of|on|regarding|that)|{_ASKS_ABOUT}"""
    rf"""|{_OTHERS}\s+(?:\w+\s+){{0,2}}?{_OTHERS_DO}|(?:i|we)\s+(?:\w+\s+)?{_WE_DID}|{_DOES_WITH})\b.{{0,60}}?$"""
)
_PART_OF_A_NAME = _compiled(
    r"^[\s-]*"
    + _any(
        r"""training / courses? / class(?:es)? / workshops? / tests? / books? / guides? / papers? / articles?
        skills?
        exams? / modules? / benchmarks? / pricing / prices? / costs? / licen[cs]es? / features? / questions?
        section
        chapter / seminars? / certificat\w+ / degree / subscription / plan / api / number / railway
        train(?:s|set)?
        airplane / kit / agency / portfolio / of / catalogue / catalog / app / error / crash\w* / keeps
        does(?:n't| not)
        is (?:down|broken|slow|not working) / won't / stopped / isn't / installation / server / outage
        deployment"""
    )
    + r"\b"
)
