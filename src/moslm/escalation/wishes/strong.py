"""The things a wish can be for: a strong model, thorough reasoning, thinking hard, and not the small model.

Patterns for text that ``spelling.plain`` has made plain. Knows nothing of the words around them.
"""

from __future__ import annotations

from moslm.escalation.wishes.phrases import any_of, compiled

_BEST = any_of(
    r"""strong(?:est|er)? / best / better / smart(?:est|er)? / clever(?:est|er)? / big(?:gest|ger)? / finest / finer
    larg(?:est|er|e) / bright(?:est|er) / sharp(?:est|er) / brain(?:y|iest|ier) / intelligent / specialist
    most \w+ / (?:more|very|highly) (?:capable|powerful|advanced|intelligent|expensive|sophisticated|able|expert)
    (?!small|cheap|fast|quick|light|new|lat|weak|simpl|dumb|old|low|bas|dens|thin)\w{2,}est / deluxe / advanced tier
    top(?:[-\s](?:tier|end|notch|level|quality|dog|shelf|of[-\s]the[-\s](?:line|range)))? / premium / expert
    frontier / flagship / advanced / reasoning / thinking / heavy(?:[-\s]?(?:weight|duty|hitting))? / powerful
    senior / pro / cloud / full(?:[-\s](?:size|power|strength|fat)d?)? / real / proper / serious / elite / ultimate
    galaxy / good / grown[-\s]up / costl(?:y|iest) / pric(?:y|iest) / expensive / beef(?:y|ier|iest) / hefty
    mighty
    high(?:er|est)?[-\s](?:end|quality|capability|capacity|powered|tier|grade|level|class)
    state[-\s]of[-\s]the[-\s]art / sota / next[-\s](?:level|tier) / big[-\s]brain / deep(?:er|est)?
    (?:deep|hard|slow|long|careful)[-\s]?(?:thinking|reasoning) / slower / huge / giant / massive / main
    \d{2,4}b / strong(?:est|er)?[-\s](?:possible|available) / expert[-\s](?:level|grade|tier) / super / ultra"""
)
_KIND = any_of(
    """available / possible / general / chat / capable / local / hosted / cloud / single / expensive / smart / clever
    strong / big / language / ai / thinking / reasoning / powerful / large / dog / slow / remote / deep / level
    paid"""
)
_MODELS = any_of(
    """models? / llms? / a\\.?i\\.? / brains? / engine / (?:gpt|bot|assistant|intelligence)(?!-)
    version of (?:you|yourself) / neural net(?:work)?"""
)
_AT_HAND = any_of(
    """you have / you've got / you have got / you got / available / there is / at your disposal
    you can (?:find|get|use)
    on offer / we have / going / of yours / you own / in the house / behind you"""
)
_NAMED = (
    r"(?:chat)?gpt[\s-]?[4-9][\w.]*|claude(?:\s+(?:opus|sonnet|\d[\w.]*))?|gemini(?:\s+(?:pro|ultra|\d[\w.]*))?"
    r"|o[1-9](?:[\s-](?:model|pro|preview))?|opus|deepseek(?:[\s-]r1)?|grok|mistral\s+large"
    r"|llama[\s-]?\d*[\s-]?\d{2,3}b"
)
MODEL = compiled(
    rf"""\b(?:(?:the\s+|your\s+|an?\s+)?{_BEST}(?:,?\s+{_KIND})*[\s-]+{_MODELS}(?:\s+{_AT_HAND})?"""
    rf"""|large\s+language\s+model|(?:an?\s+|the\s+)?models?\s+(?:with|of|that\s+has)\s+(?:more|better|real"""
    rf"""|deeper)\s+\w+(?:\s+power)?"""
    rf"""|big\s+guns|(?:whatever|which\s?ever)(?:\s+\w+){{0,2}}\s*(?:'s|is)\s+(?:(?:your|the)\s+)?{_BEST}"""
    rf"""|something\s+(?:much\s+|far\s+|a\s+bit\s+)?(?:strong|smart|clever|more\s+(?:capable|powerful"""
    rf"""|intelligent))(?:er)?\s+than\s+you"""
    rf"""|(?:the|a|your|that)\s+(?:smart(?:er|est)?|clever(?:er|est)?|thinking|reasoning|galaxy"""
    rf"""|brainy)\s+(?:one|version|mode|setting)"""
    rf"""|{_NAMED})(?!\w)"""
)
"""A strong model: "your best model", "the smart one", "GPT-4"."""

THE_BIG_ONE = compiled(rf"""\b(?:the|a|your|that)\s+{_BEST}\s+(?:one|version|thing|guy|variant|option)\b""")
"""Strong by contrast only: "the good one" beside "not the fast one"."""

_DEGREE = any_of(
    """advanced / deep / deeper / deepest / full / extended / heavy / strong / stronger / strongest / expert / best
    expert-level / complex / serious / maximum / max / high / higher / highest / proper / elevated / high-level
    top
    in-depth / extra / careful / rigorous / thorough / slow / hard / intense / real / genuine / more / better
    galaxy-level / phd-level / top-tier / high-effort / enhanced / extensive / long / system 2 / o\\d-style / ultra
    increased / hardcore / heavy-duty / premium / professor-level / top-level / most advanced / most powerful"""
)
_THOUGHT = any_of(
    r"""reasoning / thinking / deliberation / brain\s?power / reflection / (?:thought|reasoning) process
    thinking time / reasoning time / chain[-\s]of[-\s]thought / step[-\s]by[-\s]step (?:reasoning|thinking)"""
)
_MORE_OF_IT = any_of(
    """mode / treatment / model / power / capabilit(?:y|ies) / setting / engine / version / effort / ability / skills
    abilities / level / pass / chain / path / route / tier / budget"""
)
REASONING = compiled(
    rf"""\b(?:{_DEGREE}(?:,?[\s-]+{_DEGREE})?[\s-]+(?:level\s+"""
    rf"""|step[\s-]by[\s-]step\s+)?{_THOUGHT}(?:\s+{_MORE_OF_IT})?"""
    rf"""|(?:expert|expert-level|expert-grade|advanced|deep)[\s-]+(?:model[\s-]+)?(?:analysis\s+mode|treatment)"""
    rf"""|(?:advanced|expert(?:[\s-](?:level|grade))?)\s+analysis"""
    rf"""|(?:smart|expert|genius|full[\s-]power|big[\s-]brain|galaxy[\s-]brain|deep|max(?:imum)?[\s-]power"""
    rf"""|deep[\s-]think"""
    rf"""|think(?:ing)?|reasoning|deep[\s-]thought|brainiac|professor)[\s-]+mode"""
    rf"""|chain[\s-]of[\s-]thought|(?:high|max(?:imum)?|full|highest)[\s-]+effort\s+(?:answer|reasoning"""
    rf"""|thinking|mode|reply|response)"""
    rf"""|(?:reasoning|thinking)(?:\s+(?:effort|level|budget|depth|power|mode|setting))*\s*(?:to|at|on"""
    rf"""|up\s+to|set\s+to|turned)?\s*"""
    rf"""[:=]?\s*(?:high(?:est)?|max(?:imum)?|full|x-?high|on|11)"""
    rf"""|o[1-9](?:-style|-like)\s+\w+(?:\s+answer)?)(?!\w)"""
)
"""Thorough reasoning by name: "advanced reasoning", "extended thinking", "expert mode"."""

_THINK = any_of("think / reason / deliberate / ponder / reflect / cogitate / concentrate")
_BETWEEN = any_of(
    """about / over / on / through / it / this / that / one / very / really / extra / super / as / so / long / and
    more / much / again / back / problem / question / out / every / each / step / all / way / first / for / me
    here
    please / possibly / a bit / a lot / lot / at / carefully / deeply / slowly / hard / matter / thing / them
    along
    twice / way / even / the question / the problem / these / everything / just / little / really, / in / like
    your"""
)
_HOW = (
    r"(?:all\s+the\s+way|for\s+a\s+(?:very\s+|really\s+)?long\s+time|(?:hard|deep|long)(?:er|est|ly)?"
    r"|(?:thorough|rigorous|careful|intense|proper|serious|slow|deep|profound|exhaustive"
    r"|extensive|methodical|meticulous)(?:ly)?|step[\s-]by[\s-]step|at\s+(?:great\s+|full\s+|some\s+)?length"
    r"|in\s+(?:full\s+|great\s+|real\s+|proper\s+|more\s+)?(?:depth|detail)"
    r"|(?:as\s+)?(?:hard|deep|deeply|carefully|long|much)\s+as\b|as\s+(?:long|much)\s+as"
    r"|with\s+(?:great\s+|extra\s+)?care"
    r"|like\s+an?\s+(?:real\s+)?(?:expert|professor|genius|phd|scientist|specialist|pro)"
    r"|before\s+(?:you\s+)?(?:answer|repl|respond)\w*"
    r"|to\s+the\s+max|with\s+(?:all|full|everything)\b|at\s+(?:the\s+)?(?:max|full|deepest|highest)\w*"
    r"|extra\s+hard)"
)
_THOROUGHLY = (
    r"(?:(?:more|extra|real|all|your|some|serious|full|maximum|max|deepest|best|hardest|fullest|every"
    r"|proper|whole|entire"
    r"|of|the|as\s+much|a\s+lot\s+of|lots\s+of|bit\s+of|possible|available|this|it|on|into|that|as|you"
    r"|can|much|one|have)\s+){1,6}"
)
_POWER = (
    r"(?:thinking|reasoning|brain\s?power|brain\s+cells?|brains?|compute|computing\s+power|intelligence"
    r"|horse\s?power|neurons"
    r"|gr[ea]y\s+matter|cognitive\s+\w+|reasoning\s+power|processing\s+power|thinking\s+power|intellect)"
)
THINK_HARD = compiled(
    rf"""\b(?:{_THINK}(?:,?\s+{_BETWEEN}){{0,8}}?,?\s+{_HOW}(?!\s+(?:drive|disk|copy|reset|term))"""
    rf"""|(?:think,?\s+){{2,}}think|think\s+(?:think|it\s+(?:all\s+)?(?:through|over)\s+(?:fully|well))"""
    rf"""|really,?\s+(?:really\s+)?think(?=\s*(?:$|[,.!?]|about\s+(?:this|it)|hard))"""
    rf"""|take\s+(?:all(?:\s+(?:of\s+)?(?:the|your))?|as\s+(?:much|long)|however\s+(?:much|long)"""
    rf"""|whatever)(?:\s+time)?(?:\s+as)?\s*(?:you\s+(?:need|want|like|can|have|require)|it\s+(?:takes"""
    rf"""|needs)|necessary|needed|in\s+the\s+world)"""
    rf"""(?=\s*(?:$|[,.!?:;]|and\b|to\s+(?:reason|think|answer|get|work|solve)|on\s+(?:this|it)"""
    rf"""|with\s+(?:this|it)\s*$|for\s+this|before|here|just))"""
    rf"""|(?:dig|go|dive)\s+(?:really\s+|very\s+|super\s+)?(?:(?:deep|all\s+out|all\s+in|full\s+(?:expert"""
    rf"""|power|brain|throttle|out|blast|genius)|expert|max(?:imum)?)(?:\s+(?:on|into|with|for|here)\b|\s*$))"""
    rf"""|(?:don't|do\s+not|never)\s+(?:\w+\s+)?(?:skimp|economi[sz]e|save|cut\s+(?:any\s+)?corners"""
    rf"""|hold\s+back|cheap\s+out|be\s+stingy|go\s+easy|spare)\s+(?:(?:on|with|in)\s+)?(?:(?:the|your"""
    rf"""|any)\s+)?(?:thinking|reasoning|thought|model|compute|brain\w*|effort|intelligence|tokens)"""
    rf"""|(?:put|spend|throw|invest|apply|devote|dedicate|burn|use|give|employ)\s+{_THOROUGHLY}{_POWER}"""
    rf"""|(?:put|give|devote)\s+(?:this|it)\s+(?:one\s+)?(?:your\s+|some\s+|the\s+"""
    rf"""|a\s+lot\s+of\s+)?(?:very\s+)?(?:best|deep(?:est)?|hard(?:est)?|full(?:est)?|serious|proper|real"""
    rf"""|extra|more|careful)\s+(?:thinking|thought|attention|consideration|reasoning)"""
    rf"""|(?:crank|turn|dial|ramp|max|bump|push|pump|dial)\s+(?:(?:up|out|on|the|your|it|dial|knob|to|11"""
    rf"""|max)\s+){{1,7}}?(?:reasoning|thinking|brain\w*|intelligence)(?:\s+(?:on|up))?"""
    rf"""|(?:put|give|devote|invest|apply|use|spend)\s+(?:\w+\s+){{0,4}}?(?:real|serious|proper|deep(?:est)?"""
    rf"""|hard(?:est)?|extra|more|full(?:est)?|best|careful|max(?:imum)?|all\s+your)\s+(?:\w+\s+)?(?:thought"""
    rf"""|thinking|reasoning)"""
    rf"""|(?:double|triple|increase|raise|maximi[sz]e)\s+(?:the\s+|your\s+)?(?:thinking|reasoning)(?:\s+\w+)?"""
    rf"""|(?:treat|make|mark|flag|handle|consider)\s+(?:this|it)(?:\s+one)?\s+(?:as\s+)?an?\s+expert\S*\s+\w+"""
    rf"""|(?:consider|analy[sz]e|examine|study|answer|solve|work)\s+(?:on\s+)?(?:this"""
    rf"""|it)?\s*(?:out\s+)?(?:at|to|with|in)\s+(?:the\s+|your\s+)?(?:deepest|highest|maximum|fullest"""
    rf"""|greatest)\s+(?:possible\s+)?(?:level|depth|deliberation|effort|thought|reasoning|care|rigou?r"""
    rf"""|detail)"""
    rf"""|spend\s+(?:some\s+)?(?:more|extra)\s+(?:time|effort)\s+(?:on\s+)?(?:reasoning|thinking)"""
    rf"""|think\s+(?:long|hard|deep)er|deep\s+thought\s+(?:needed|required|please)|answer\s+(?:this\s+"""
    rf"""|it\s+)?(?:as|like)\s+a\s+deep\s+expert|no\s+(?:mental\s+)?shortcuts\s+in\s+(?:the\s+)?(?:reasoning"""
    rf"""|thinking))"""
)
"""An order to think hard: "think really hard", "reason this out as deeply as you can", "ultrathink"."""

ULTRATHINK = compiled(r"\b(?:ultra|mega|super|hyper|max)-?think(?:ing)?\b(?![\w.])")
"""A word with no other meaning; it counts wherever it stands."""

_SMALL = any_of(
    """small(?:er|est)? / little / tiny / mini / cheap(?:er|est|o)? / weak(?:er|est)? / basic / dumb(?:er|est)?
    local
    fast(?:er|est)? / lite / light(?:weight|er)? / toy / baby / stupid / quick(?:er|est)? / crappy / budget
    nano / flash
    simple(?:r|st)? / junior / economy / entry-level / dummy / wee / limited / standard / default / free / haiku
    \\d(?:\\.\\d)?b / compact / bargain / low(?:er)?-(?:end|tier|cost|grade) / low(?:est)? tier / half-baked
    kiddie"""
)
_REFUSING = any_of(
    """do not / don'?t / never / no / not / no more / instead of / rather than / anything but / avoid / skip / bypass
    without / stop / no longer / enough (?:of|with) / sick of / tired of / not happy with / had enough of / quit
    refuse / ditch / drop / forget"""
)
_IN_REFUSALS = any_of(
    """want / like / need / use / using / give / giving / send / sending / let / letting / trust / rely on
    route / ask
    bother with / me / this / it / to / go / with / for / i / talk(?:ing)? / dare / you / have / by / through / on
    hand(?:ed|ing)? / over / off / forward / pass / route[d]? / put off / have / think / a / an / answer(?:s|ed)?
    handled / be / waste / run / from / put / us"""
)
NOT_THE_SMALL = compiled(
    rf"""\b{_REFUSING}(?:\s+{_IN_REFUSALS}\b){{0,5}}\s+(?:(?:the|your|a|any|that|some|this|these|those"""
    rf"""|one\s+of\s+your)\s+)*"""
    rf"""{_SMALL}[\s-]+(?:(?:language|ai|local"""
    rf"""|little)\s+)*{any_of("models? / llms? / slms? / ai / bots? / assistant / brain / engine / mini-model")}"""
    rf"""(?!\w)(?!\s+(?:train|railway|car|kit|number|catalogue|of))"""
    rf"""|\b(?:{_REFUSING})(?:\s+{_IN_REFUSALS}\b){{0,4}}\s+(?:the|your|that)\s+(?:fast|dumb|stupid|quick"""
    rf"""|toy|weak|mini|lite|baby|dumber)"""
    rf"""(?:er)?\s+(?:one|version|thing)(?=\s*(?:$|[,.!?:;-]|please|for\s+this|answer|here|on\s+this"""
    rf"""|this\s+time))"""
)
"""A refusal of the small model: "not the small model", "don't let the mini version answer"."""

NOT_ENOUGH = compiled(
    rf"""\b(?:the|your|this|that|an?)\s+{_SMALL}\s+(?:(?:language|ai|local|little)\s+){{0,2}}(?:model|ai|bot"""
    rf"""|assistant|llm)\s+"""
    r"""(?:won't\s+do|will\s+not\s+do|(?:isn't|is\s+not|wasn't|was\s+not)\s+(?:good|strong|up|enough|smart"""
    r"""|clever)|can't\s+(?:handle|do|cope)|cannot\s+handle"""
    r"""|is\s+(?:too\s+(?:weak|dumb|stupid|small)|useless))"""
)
"""The small model is found wanting: "the cheap model won't do here"."""

HINT = compiled(
    r"think|thought|reason|model|llm|\bai\b|a\.i|brain|gpt|claude|gemini|opus|grok|deepseek|llama|mistral"
    r"|\bo[1-9]\b|expert|\bbots?\b"
    r"|engine|assistant|intelligen|deliberat|ponder|reflect|cogitat|concentrat|comput|effort|mode\b|guns"
    r"|network|version"
    r"|\b(?:go|dig|dive)\s|whatever|whichever|something|smart|clever|the\s+\w+\s+one|stingy|take\s+(?:all"
    r"|as|how)|neuron|grey|gray"
    r"|deepest|analys|strongest|biggest|largest|horse|cognitive|intellect|[/#@!%~:]\w|[\[<({]"
)
"""Something of this stands in every wish; a sentence without is not read further."""
SUBJECT = compiled(
    r"(?<!i )(?<!we )(?<!you )(?<!they )think|thought|models?\b|llm|\bai\b|brain|gpt|claude|expert|\bbots?\b|reasoning"
    r"|reason\s+(?:it|this"
    r"|through|hard|deep|care)|engine"
    r"|\bmode\b|\btier\b|assistant"
)
"""The subject itself; without it the fitted scorer is not asked."""
LISTED = compiled(
    rf"(?<=\w),(?=\s+{_BEST}(?:[\s-]+{_KIND})*[\s-]+{_MODELS}\b)|(?<=deep),(?=\s+\w+[\s-]\w+\s+analysis)"
    rf"|(?<=\b(?:long|slow|deep)),(?=\s+\w+\s+(?:reasoning|thinking))"
)
"""A comma within a list of qualities: "the slow, clever model"."""
