"""From a case and what a system made of it to its `Outcome`: the one place where answers are graded."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from moslm.evals.cases import Case
from moslm.evals.graders import GRADERS, RUBRIC, Graded, Preparing
from moslm.evals.graders.agreement import JUDGED
from moslm.evals.graders.facts import answerable
from moslm.evals.graders.rubric import GENERAL, Judge, judged, question_of, rubric
from moslm.evals.outcomes import Outcome
from moslm.evals.running.systems import Answered


@dataclass(frozen=True, slots=True)
class Grading:
    """How the answers of a run are graded."""

    judge: Judge | None = None
    """Who grades by rubrics; None where no case needs that."""
    checked: float = 0.0
    """Share of the answers with an exact grader that the judge grades too, so that it is known what it is worth."""
    keeps_texts: bool = True
    """Whether outcomes keep the words of answers."""
    graders: Mapping[str, Preparing] = field(default_factory=lambda: GRADERS)

    def outcome(self, suite: str, case: Case, system: str, answered: Answered) -> Outcome:
        """Return what came of a case."""
        graded = self._graded(case, answered)
        draft = self._draft(case, answered, graded)
        opinion = self._second_look(suite, case, answered, graded)
        usd = sum(each.usd for each in (graded, draft) if each is not None) + (opinion[1] if opinion else 0.0)
        return Outcome(
            suite=suite,
            case=case.id,
            group=case.group or case.id,
            system=system,
            domain=case.domain,
            routed_to=answered.routed_to,
            ending=_ending(answered, graded),
            score=None if graded is None else graded.score,
            answer=answered.text if self.keeps_texts and answered.ending != "routed" else None,
            why=(graded.why if graded and graded.why else answered.why)[:500],
            way=answered.way,
            confidence=answered.confidence,
            threshold=answered.threshold,
            draft_score=None if draft is None else draft.score,
            usd=answered.usd,
            graded_usd=usd,
            total_ms=answered.total_ms,
            classify_ms=answered.classify_ms,
            first_token_ms=answered.first_token_ms,
            input_tokens=answered.input_tokens,
            output_tokens=answered.output_tokens,
            tags={**case.labels, **answered.tags, **({JUDGED: opinion[0]} if opinion else {})},
            decision=answered.decision,
        )

    def _graded(self, case: Case, answered: Answered) -> Graded | None:
        if answered.ending == "routed":
            return _routed(case, answered)
        if answered.ending == "declined" and not answerable(case):
            return Graded("right", 1.0, "it cannot be answered, and was not")
        if answered.ending != "answered" or answered.text is None:
            return None
        return self._grade(case, answered.text)

    def _draft(self, case: Case, answered: Answered, graded: Graded | None) -> Graded | None:
        """Grade the small model's draft; one that is the answer is not graded twice, one that declines got nothing."""
        if answered.draft is None or case.only_routed:
            return None
        if answered.way == "local" and answered.draft.strip() == (answered.text or "").strip() and graded is not None:
            made = Graded(graded.ending, graded.score)
        else:
            made = self._grade(case, answered.draft)
        return Graded("wrong", 0.0, usd=made.usd) if made.ending == "declined" else made

    def _grade(self, case: Case, text: str) -> Graded:
        if case.grader == RUBRIC and self.judge is not None:
            return rubric(self.judge)(case)(text)
        return self.graders[case.grader](case)(text)

    def _second_look(
        self, suite: str, case: Case, answered: Answered, graded: Graded | None
    ) -> tuple[str, float] | None:
        """Return a judge's grade of an answer, and its price: of rubrics, and of a share of what can be checked."""
        if self.judge is None or graded is None or answered.text is None or answered.ending != "answered":
            return None
        if case.grader == RUBRIC:
            return None if graded.score is None else (str(round(graded.score * 4) + 1), 0.0)
        if _drawn(suite, case) >= self.checked:
            return None
        asked = f"{GENERAL} A right answer: {case.expected}"
        score, _, usd = judged(self.judge, question_of(case), asked, answered.text, f"check {suite} {case.id}")
        return None if score is None else (str(score), usd)


def _drawn(suite: str, case: Case) -> float:
    return int(hashlib.sha256(f"{suite} {case.id}".encode()).hexdigest()[:8], 16) / 2**32


def _ending(answered: Answered, graded: Graded | None) -> str:
    if graded is not None:
        return graded.ending
    return answered.ending if answered.ending in ("declined", "refused", "failed") else "failed"


def _routed(case: Case, answered: Answered) -> Graded:
    """Grade where a request goes: to its domain, and up or not as the case says."""
    amiss = []
    if case.domain is not None and answered.routed_to != case.domain:
        amiss.append(f"taken for {answered.routed_to}")
    up = answered.tags.get("ordered") in ("escalate", "review")
    if case.escalate is not None and up != case.escalate:
        amiss.append("went up" if up else "did not go up")
    return Graded("wrong" if amiss else "right", 0.0 if amiss else 1.0, "; ".join(amiss) or answered.why)
