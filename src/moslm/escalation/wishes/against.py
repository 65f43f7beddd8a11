"""What speaks against a wish: declining, asking about, supposing, quoting, telling of others, part of a name.

Patterns for text that ``spelling.plain`` has made plain; nothing here knows what is wished for.
"""

from __future__ import annotations

from moslm.escalation.wishes.phrases import any_of, compiled

NOT_TO_US = compiled(
    r"^(?:(?:and|but|so|or|also|well|hi|hey|hello)\s+)*(?:"
    r"(?:if|unless|suppose|supposing|assume|imagine|in\s+case|whether|until|before\s+i|whenever|had\s+i"
    r"|should\s+i)\b(?!\s+(?:you\s+(?:have|can|could|please)"
    r"|possible|there\s+is|at\s+all|that's|it's\s+(?:ok|alright|possible|not)|need(?:ed)?|necessary))"
    r"|what\s+if\b|let\s+(?:me|us)\s+know\b|(?:maybe|perhaps)\s+(?:some|one)\s+day|some\s?day"
    r"|(?:please\s+)?(?:remove|cancel|withdraw|ignore|delete|undo|forget)\b"
    r"|(?:i|we)\s+(?:could|should|would|might)\s+have\b|(?:translate|grep|summari[sz]e|proofread|spell)\b)"
)
NOT_TO_US_BEFORE = compiled(
    r"(?:\b(?:asks?|asked|says?|said|wrote|writes?|reads?|shouted|quotes?|text|phrase|sentence|slogan"
    r"|translate|title|subject\s+was|user|customer|client|caller"
    r"|agent|grammar|headline|message\s+was|called|named|prompt\s+was|replied|error|warning)\s*:\s*"
    r"|\([a-e1-9]\)\s*|\b(?:what\s+if|unless)\b[^,]*,\s*)$"
)
LOOSE = compiled(
    r"^(?:(?:i|we)\b.{0,30}?\b(?:need|want|like|prefer|love|require|expect)|get|have|take|show|leave"
    r"|need|want|for|in|on|with|call|bring|pick|choose|select|fetch|try|do|run|deploy|start)\b"
)
A_NOUN_FOLLOWS = compiled(
    r"^[\s-]+(?!(?:for|on|with|to|in|here|at|from|over|instead|please|not|and|only|now|this|that|mode"
    r"|treatment|you|available|today|time|again|or|rather|when|while|if|as|because|since|so|but"
    r"|why|how|what|where|who|which|can|could|is|are|do|does|did|my|our|the|i|we|it|there|then|thanks"
    r"|thank|of\s+you|behind|possible|set|turned|enabled|activated|switched|used|applied|too|also"
    r"|level|version|answer|take|have|look|answering|answered|handle|solve|check|go|think|help|view"
    r"|explain|compare|compute|calculate|find|prove|write|work|give|tell|a|an|no|all|will|would|should"
    r"|must|may|by|until|before|after|whatever|even|asap|pls|right|straight|step|capabilit\w+|effort"
    r"|power|through|your|figure|review|read|tackle|process|respond|reply|sort|see|run|try|make|get"
    r"|consider|deal|analy[sz]e|decide|design|assess|examine|judge|weigh|every|engine|setting|option"
    r"|thing|one|kind|decide|re-?\w+)\b)"
    r"[a-z]"
)
PAST = compiled(r"\b(?:yesterday|(?:in|since|during)\s+(?:19|20)\d\d|last\s+(?:week|month|year))\b")
DECLINED_HERE = compiled(
    r"\b(?:no|not|don't|never|without|stop|what\s+is|what's|the|an?|is|about|of)\W*(?:need\W*|to\W*"
    r"|use\W*|using\W*)*$"
)
NOT_FOR_A_MODEL = compiled(
    r"\b(?:(?:models?|ai|bot|llm|assistant|gpt)\s+(?:is|are|was|were|has|had|does|did|keeps?|crash\w*|fail\w*|gave|gives|got|said|stopped)"
    r"|human|person|manager|supervisor|agent|engineer|colleague|adviser|advisor|someone|somebody"
    r"|representative|doctor|lawyer|staff"
    r"|don't\s+(?:need|want|bother|overthink|think)|do\s+not\s+(?:need|want|bother|overthink)|no\s+need"
    r"|quick\s+answer|(?:small|standard|normal|basic|cheap|simple)\s+(?:model|one|answer|bot)\s+(?:is"
    r"|will|please))\b"
)
DECLINED = compiled(
    r"""(?:\b(?:no|not|isnt|without|never|nor|unnecessary|skip|avoid|instead\s+of|rather\s+than|except|stop"""
    r"""|disable|disabling|(?:turn|switch)(?:ing)?\s+off|hardly|overkill|nothing(?!\s+(?:but|less|other"""
    r"""|short))|needn't|hate|sick\s+of|remove|cancel|less|against|drop|forget|ignore|refuse)"""
    r"""|n't)\b(?!\s+(?:just|only|mind))(?:[^\w,;:.!?]+\w+){0,6}[^\w,;:.!?]*$"""
)
DECLINED_AFTER = compiled(
    r"""^\W*(?:(?:mode|model)\W+)?(?:(?:is|are|was|would\s+be|seems?|set\s+to)\s*)?(?:not\s+(?:needed"""
    r"""|necessary|required|wanted|for|today|now|here)\b|n't|isn't|overkill|unnecessary|never|no\s+longer"""
    r"""|off\b|no\b(?!\s+(?:shortcuts|matter|less|rush|hurry))|disabled|low\b|none\b|unless\b)"""
)
POLICY = compiled(
    r"^[^,.;]{0,30}?\b(?:for\s+(?:my|our|the|all|every|his|her|their|each)\s+(?:whole\s+"
    r"|entire\s+)?(?:team|company|department|users?|customers?|clients?|staff|students?|whole|requests?"
    r"|colleagues?|website|app|product|project|bot|chat\s?bot|servers?|son|daughter|kids?|wife|husband)"
    r"|by\s+default|"
    r"is\s+(?:available|back|used|released|included|down|called|charged)|will\s+be\s+(?:available"
    r"|released)|in\s+(?:stock|store|the\s+(?:shop|store|catalogue|range|colour))|(?:last|yesterday"
    r"|in)\s+(?:week|month|year|20\d\d))\b"
)
SUBJECT_OF_A_FACT = compiled(
    r"^\s+(?:was|were|has|had|does|did|doesn't|didn't|won't|wouldn't|isn't|can't|cannot|got|gets|made"
    r"|gave|gives|said|says|told|crash\w*|fail\w*|stopped|keeps|broke|took|takes|costs?|cost|shows?"
    r"|refuses|sold|won|arrived|sounds|looks|seems|comes|came|is\s+(?!(?:needed|required|wanted|necessary"
    r"|what\s+(?:i|we)|the\s+(?:one|right)|requested|best|better|a\s+must)))\b"
)
_SPEAKS_OF = any_of(
    r"""read / reads / reading / heard / hear / learn(?:ed|t|ing)? / wrote / writing / write / talk(?:ed|ing|s)?
    spoke / article / paper / book / video / news / blog / curious / wonder(?:ing)? / asked me / told
    mention(?:ed|s)?
    opinion / thoughts / info(?:rmation)? / documentation / post / something / essay / lecture / podcast
    seminar / webinar / report / slides"""
)
_OTHERS = any_of(
    r"""he / she / they / boss / manager / team / colleagues? / customers? / clients? / company / friends?
    teacher / students? / department / people / everyone / some(?:body|one) / wife / husband / son / daughter
    kids? / child / user / users / vendor / supplier / router / professor / it department / competitor
    competitors / neighbou?r / brother / sister / auditor / article \\d+ / which / who / that / ticket \\d+
    nobody / admin / admins / staff"""
)
_OTHERS_DO = any_of(
    r"""needs? / wants? / uses? / used / likes? / says / asked / asks / tried / requires? / has / have / had
    bought / sells? / offers? / teach(?:es)? / picks? / decides? / sends? / sent / gets? / got / makes? / runs?
    switched / took / takes / prefers? / can / could / will / should / may / would / must / is / are / was / were
    recommends? / insists? / thinks? / added / does / did"""
)
_WE_DID = any_of(
    r"""used / tried / had / bought / built / have / teach / taught / studied / study / sell / offer
    train(?:ed)? / use / (?:like|love) how / work(?:ed)? on / install(?:ed)? / gave / sent / switched / asked
    requested / told / pay for / got / paid / developed / compared / never said / said / made / ran / put / took
    did"""
)
_DOES_WITH = any_of(
    r"""install / update / upgrade to / download / buy / purchase / order / subscribe(?: to)? / train / build
    deploy / fine-?tune / benchmark / licen[cs]e / sell / swap / exchange / return / rent / hire / repair
    set up / implement / integrate / configure / unlock / charge / evaluate / design a / test the / unit test
    phone for / trade in / host / unblock / log in to / sign up / access to / evaluate / load"""
)
IN_PASSING = compiled(
    rf"""\b(?:{_SPEAKS_OF}\s+(?:\w+\s+){{0,2}}?(?:about|of|on|regarding|that)"""
    rf"""|{_OTHERS}\s+(?:\w+\s+){{0,2}}?{_OTHERS_DO}(?!\s+to\s+(?:have|use|ask|let|give))|(?:i|we|i've|we've"""
    rf"""|i'd)\s+(?:\w+\s+){{0,2}}?{_WE_DID}|{_DOES_WITH}"""
    rf"""|(?:yesterday|(?:in|since|during)\s+(?:19|20)\d\d|last\s+(?:week|month|year|time)|previously"""
    rf"""|earlier|once|some\s+day|tomorrow|when(?:ever)?|until|unless|whether|would\s+be\s+asked|able\s+to"""
    rf"""|allowed\s+to|how\s+(?:to|do|can)|let\s+me\s+know|define|describe|compare|difference|meaning"""
    rf"""|(?:price|cost|pricing|quota|limit|list)\s+(?:of|for))\b)\b.{{0,60}}?$"""
)
NOT_IT_ITSELF = compiled(
    r"\b(?:access|licen[cs]es?|subscription|permission|training|courses?|api|key|info|information|price"
    r"|pricing|quote|button|manual|catalogue|brochure|documentation|invoice|book|article|figures?|report"
    r"|list|names?|costs?|difference|train|swap|exchange|phone|case|size|advice|article|paper|refund"
    r"|for\s+a\s+new|laptop|printer|gateway|cluster|server|sso|bill|opinion\s+(?:on|of|about)|what"
    r"|how\s+(?:the|do|to|much)|which|who|whether|meaning|request\s+for|able\s+to|unit\s+test|script|path"
    r"|about)\b"
)
QUESTION = compiled(
    r"^(?:(?:and|so|but|also|hi|hey|hello|sorry|ok|okay|btw|or|then|yes|no|please|q"
    r"|question)[\s,:]+)*(?:what(?!\s+about)|who|whose|why(?!\s+(?:not|don't\s+you))|where|which(?!\s+i)"
    r"|when|does|did|is(?!\s+(?:it\s+possible|there\s+(?:any|a)\s+(?:way|chance)))|are|was|were|has"
    r"|have\s+(?:you|i|we|they|there)|do\s+(?:you|i|we|they|people|most|all|those|these|users|any"
    r"|customers|some)|how(?!\s+about)|am\s+i"
    r"|(?:can|could|may|might|will|would|should|shall)\s+(?:(?:an?|any|the|all|our|my)\s+(?:admin|user"
    r"|users|customers|colleagues?|team|staff|students?)|anyone|everyone|someone|somebody|he|she|they"
    r"|i\s+(?:be|set|choose|see|know|ask\s+(?:what|how|why)|learn|buy|train|read|still|also\s+be)"
    r"|we\s+(?:be|set|configure|always)|you\s+(?:tell|say|describe|define|list|answer\s+without"
    r"|give\s+me\s+(?:info|details|an?\s+overview)))"
    r"|explain\s+(?:what|how|why|the)|define|describe\s+(?:what|how)|compare|list|tell\s+me\s+(?:about"
    r"|what|how)|name\s+\w+|discuss|there(?:'s|\s+(?:is|are)))\b"
)
PART_OF_A_NAME = compiled(
    r"^(?:'s\b(?!\s+(?:\w+\s+)?(?:view|opinion|take|answer|help|input|analysis|judg\w+|verdict|attention"
    r"|response))|[\s-]*"
    + any_of(
        r"""training / courses? / class(?:es)? / workshops? / tests? / books? / guides? / papers? / articles?
    skills? / exams? / modules? / benchmarks? / pricing / prices? / costs? / licen[cs]es? / features?
    questions? / section
        chapter / seminars? / certificat\w+ / degree / subscription / plan / api / number / railway
    train(?:s|set)? / airplane / kit / agency / portfolio / of(?! (?:you|yours|thought|course))(?: \w+)?
    catalogue / catalog / app / error / crash\w*
        keeps / does(?:n't| not) / is (?:down|broken|slow|not working) / won't / stopped / isn't / installation
    server / outage / deployment / escalation path / endpoint / portal / printer / laptop / phone / car / card
    room / workstation / drill / van / suitcase
        in (?:blue|red|black|white|green|grey|silver|size \w+) / button / toggle / switch / menu / tab / icon
    fee / charge / policy / quota / usage / rate / add-?on / licensing / documentation / release / newsletter
    engineer / team / department / consultant / scientist / researcher / hr / pump / block / number / assessment
    workbook / puzzles? / society / club / conference / podcast / degree / student / worksheet / framework
    railroads? / contest / competition / aircraft / making / shop / store / search / year / s"""
    )
    + r"\b)"
)
