"""How something is asked for: orders, wishes, demands, polite questions and bare mentions with "please".

Patterns for text that ``spelling.plain`` has made plain; nothing here knows what is wished for.
"""

from __future__ import annotations

from moslm.escalation.wishes.phrases import any_of, compiled

IF_THERE_IS = compiled(r"\b(?:if\s+(?:you(?:'ve)?\s+(?:have|got|can)|there(?:\s+is|'s)|possible)|whatever|whichever)\b")
THEN_USE_IT = compiled(
    r"[,-]\s+(?:(?:then|please|do|just|kindly|i'd\s+like\s+you\s+to)\s+)*(?:use|try|hand|give|pass|send"
    r"|ask|route|forward|switch|put|run|let|take|apply|bring|get|call|employ|escalate)\b.{0,40}?\b"
    r"(?:it|that(?:\s+one)?|this|here|now)\b"
)
_OPENER = any_of(
    r"""please / kindly / now / and / so / then / really / just / also / ok(?:ay)? / hey / hi / hello / dear
    assistant / bot / actually / this time
    for once / again / no / yes / seriously / come on / listen / look / sorry / well / next / first / instead
    only / be sure to / make sure (?:you|to|that you)
    remember to / try to / try and / feel free to / let's
    you (?:should|must|need to|have to|better|can|may|ought to)
    i (?:really )?(?:want|need|ask|beg|expect|urge|would like|would love|'d like|'d love|prefer) you to
    i'd (?:really )?(?:like|love|prefer|want) (?:for )?you to
    (?:can|could|would|will) (?:you|we|i ask you to|i get you to|you please|you kindly|i have you)(?: to)?
    would you mind / i'd appreciate it if you(?:'d| would| could)?
    it would be (?:great|nice|good) if you (?:could|would) / like / thanks / here / one more time / i say
    go back and / go and / stop and / sit down and / slow down and / for gods sake / for god's sake
    for heaven's sake / ffs / actually, / before answering / before you answer
    do / always / step back and / wait / but / go slow and / asking you to / begging you to / i'm asking you to
    with this / on this / for this / with this one / on this one / you / guys / but / ai / buddy / mate
    need you to / want you to / like you to / take a (?:deep )?breath and / take your time and
    take your time to / take a moment (?:and|to)
    take (?:as long|as much time|all the time) (?:as )?(?:you (?:need|want|like)|necessary|it takes)(?:,)? (?:and|to)"""
)
ORDER = compiled(
    rf"(?:^|[.!?;:,>\])])[\s\W]*(?:{_OPENER}[\s,:!.-]+){{0,6}}$|\b(?:please|kindly|(?:want|need|like|ask"
    rf"|asking|beg|expect)\s+(?:you|the\s+ai|it)\s+to|could\s+you|can\s+you|would\s+you)\s+(?:(?:really"
    rf"|please|just|also|actually|kindly)\s+)*$"
)
_NO_SUBJECT = (
    r"\b(?!(?:to|i|we|you|they|he|she|it|can|could|do|does|did|don't|should|would|will|may|might|must|not"
    r"|never|who|that"
    r"|which|people|everyone|if|when|for|of|by|a|an|the|me|us|them|said|how|my|your|our|and|or|be|is|are"
    r"|was|were|just|always|also"
    r"|[a-z]+n't)\b)[\w'-]+(?<!s)\s+"
)
ENDS_UP_AS_AN_ORDER = compiled(rf"\w+\s+\w+\s+{_NO_SUBJECT}(?:please\s+|and\s+)?$")
APPENDED = compiled(
    rf"\w+\s+\w+\s+{_NO_SUBJECT}(?:please\s+)?(?:use|apply|employ|switch\s+to|turn\s+on|escalate\s+to"
    rf"|(?:send|route|give|pass|forward)\s+(?:this|it)\s+to|ask|answer\s+with|try)\s+(?:the\s+|your\s+)?$"
)
_HAND_OVER = any_of(
    r"""give / send / route / pass / forward / hand / escalate / kick / push / move / bump / take / refer
    delegate / direct / transfer / put / run / bring / call
    get / let / have / ask / make / elevate / upgrade / go / feed / throw / letting / having / reserve
    involve / consult / pick / choose / select / assign / submit
    hook / wake / summon / fire up / roll out / break out / deploy / loop in / pull / redirect / shift / pop
    flag / flagging / queue / allocate / ping / fetch / leave / show / lend / bounce / raise / dispatch / relay
    point / sic / unleash / wheel out / try / trust / default / crank / dial / amp"""
)
_TURN_ON = any_of(
    r"""use / using / apply / applying / enable / activate / turn (?:on|up) / turning on / engage / invoke / try
    employ / set / opt (?:in|for) / opt in to / go with / go for / draw on / lean on / rely on / harness / tap
    leverage / utili[sz]e / make use of / start / put on / insist on / stick (?:to|with) / choose / pick / select
    request / initiate / trigger / bring out / do"""
)
_WISH = any_of(
    r"""need / want(?: to (?:have|use|see|get|hear|try|go|switch|opt"""
    r"""|request))? / prefer / like / require / request(?:ing)? / insist on / insist / demand(?:ing)?
    asking(?: you)?(?: for| to)? / ask(?: for)? / expect / love / appreciate / wish / rather / go for / choose
    opt (?:for|in) / hope / after / looking for / beg
    be (?:very |so |really |most )?(?:grateful|glad|happy|pleased|thankful|obliged)"""
)
_DEMANDS = any_of(
    r"""needs / requires / deserves / calls for / wants / warrants / is (?:one )?for / 's (?:one )?for / merits
    demands / is worth / belongs (?:to|with) / must go to / is a (?:job|case|task|question) for
    should (?:go|be [a-z]+) (?:to|by|with) / has to go to / has to be [a-z]+ (?:by|with)
    (?:can|could|may|must) be [a-z]+ by / to be [a-z]+ by / goes to / needs to go to / needs to be [a-z]+ by
    wants to go to / ought to go to"""
)
_ADVERB = any_of(
    r"""would / really / do / definitely / strongly / am / explicitly / just / will / should / can / could / must
    may / kindly / absolutely / certainly / still / also / only / now / hereby / specifically / much
    seriously / honestly / so"""
)
_WORK = any_of(
    r"""answer(?:ed|s)? / solve[d]? / handle[d]? / redo / redone / work(?:ed)? / look(?:ed)?(?: at)? / try / tried
    check(?:ed)? / analy[sz](?:e|ed|is) / process(?:ed)? / run / do / done / explain(?:ed)? / review(?:ed)?
    consider(?:ed)? / assess(?:ed)? / treat(?:ed)? / reply / replied / response / respond / opinion / view / take
    verdict / input / help / attention / examine[d]? / evaluate[d]? / again / go / same / this / it / one
    question / please / reconsider / rework / repeat / tackle[d]? / written / write / compute / calculate / prove
    figure / thinking / thought / calculation"""
)
_REQUESTING = any_of(
    r"""requesting / asking for / hoping for / in need of / reserved for / wanted / request for / grateful for
    make sure / ensure / lovely if / nice if / great if / good if / grateful if / glad if / happy if
    wonderful if / helpful if / appreciate it if / mind if / mind / chance of / chance / possible for
    possible that / possible to use  / how about / what about / why not / thanks for / option / by your / go full
    nothing (?:but|less than|other than|short of) / same question to"""
)
ASKED = compiled(
    rf"""\b(?:{_TURN_ON}"""
    rf"""|switch(?:\s+\w+)?\s+(?:to|on|over)|{_HAND_OVER}\b.{{0,45}}?"""
    rf"""|(?:i|we)(?:(?:'d|'ll|'m|\s+{_ADVERB}))*\s+{_WISH}"""
    rf"""|(?:this|that|it|question|request|problem|case|task|one|here|question|ticket|issue)\s*(?:(?:one"""
    rf"""|really|clearly|definitely|probably|certainly|absolutely|surely)\s+)*{_DEMANDS}"""
    rf"""|^\W*(?:please\s+)?(?:needs|requires|deserves|need|want|requesting|requires|required|needed|wanted"""
    rf"""|asking\s+for|ask\s+for|with|via|by|on|into|in|for|to|mode|demanding|seeking|looking\s+for"""
    rf"""|prefer(?:ably)?)"""
    rf"""|{_WORK}\s+(?:(?:please|this|it|that|again|back|one|is|at|length|over|through|\w+ly|more|carefully"""
    rf"""|time)\s+)*(?:by|with|via|through|from|using|on|in)"""
    rf"""|{_REQUESTING}"""
    rf""")\b.{{0,60}}?$"""
)
MAY_IT = compiled(
    r"(?:^|\b(?:please|and|so|then|also|if|that|hi|hey|wondering\s+if)\s+|[,:]\s*)(?:can|could|would|may"
    r"|might|will|should|let|if|rather)\s*(?:(?:perhaps|maybe|please)\s*)?$"
)
_DO = any_of(
    r"""take / have / (?:double|re)-?\s?check / look(?:ed)? / answer(?:ed|s)? / handle[sd]? / solve[sd]?
    check(?:ed|s)? / do / try / deal / process / work / review / be used
    be (?:brought|involved|given|asked|consulted|put|applied|switched)
    tackle[sd]? / respond / reply / help / see / read / weigh / give / figure / sort / run / think / go
    consider / decide / analy[sz]e / explain / judge / assess / examine / step in / chime in / jump in / come in
    get / write / weigh in / look / study / verify / compute / calculate / join / reason"""
)
DO_IT = compiled(rf"^\s+(?:(?:please|maybe|perhaps|kindly|also|instead|actually|could|would|can|to)\s+)*{_DO}\b")
SHOULD_DO_IT = compiled(
    rf"^\s+(?:(?:should|must|has\s+to|needs\s+to|ought\s+to|to)\s+(?:please\s+)?{_DO}\b|(?:please"
    rf"|kindly)\s+{_DO}\b)"
)
THEN_PLEASE = compiled(r"^\s+(?:now\s+|here\s+|on\s+)?please\b(?!\s+(?:explain|describe|tell))")
PLEASE_DO = compiled(r"(?:\bplease|\bkindly)\s*$")
NEEDED = compiled(
    r"^\s+(?:is|are)\s+(?:needed|required|wanted|requested|called\s+for|necessary|in\s+order"
    r"|a\s+must)\s*(?:here|for\s+this.{0,20}|on\s+this.{0,20}|please)?\W*$"
)
OPENING = compiled(
    r"""^[\s\[(*_#"'>!/<{~-]*(?:(?:please|with|by|mode|maybe|ok|okay|hey|hi|only|i\s+think|perhaps|that|and"""
    r"""|but|now|again|then|so|use|using|full|comment|full\s+on|just)[\s,:-]+)*(?:(?:the|your|some|an?|my"""
    r"""|for|to)\s+)*$"""
)
_POLITE = any_of(
    r"""(?:mode )?(?:please|only|required|needed|requested|on|wanted|mode|here|now)
    thanks / thank you / yes / asap / this time / instead / and thanks / ok / again / today / answer
    necessary / desired / (?:mode )?(?:activated|enabled) / full blast / if possible / if you can
    if you have (?:one|it)
    for (?:this|it|me|that|my)(?: \w+)? / on (?:this|it|that)(?: \w+)? / with (?:this|it)(?: \w+)?
    is (?:required|needed|wanted|requested|necessary)(?: here)? / no shortcuts / and thank you / and thanks
    no matter the cost / not (?:the )?\w+(?: one| model)? / to (?:answer|solve|handle) (?:this|it)(?: one)?"""
)
CLOSING = compiled(rf"""^[\s\])*_"'<:,-]*(?:{_POLITE}[\s,]*)*[.!:;\])*_"'>}}~-]*\s*$""")
