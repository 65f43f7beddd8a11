"""`Shown`: one answer as a rater sees it, with an id that is bound to the words that are shown.

Nothing in it tells who answered or what a grader said. One answer that several systems gave is shown once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from moslm.errors import ConfigError
from moslm.evals.cases import Case
from moslm.evals.outcomes import Outcome
from moslm.evals.running.folder import Read
from moslm.evals.running.manifest import Manifest
from moslm.evals.running.plan import chosen
from moslm.evals.suites import find_suites
from moslm.evals.suites.suite import Suite


@dataclass(frozen=True, slots=True)
class Shown:
    """One answer to one case, and every outcome that it is the answer of."""

    run: str
    suite: str
    case: Case
    answer: str
    outcomes: tuple[Outcome, ...]

    @property
    def question(self) -> str:
        """What was asked, with its context; each turn by its role where there are several."""
        turns = self.case.conversation
        return turns[0][1] if len(turns) == 1 else "\n\n".join(f"{role}: {text}" for role, text in turns)

    @property
    def place(self) -> str:
        """Which case it is an answer to."""
        return _hash([self.run, self.suite, self.case.id])[:10]

    @property
    def id(self) -> str:
        """The case, and the hash of what is shown; another answer to the same case has another id."""
        return f"{self.place}-{_hash([self.question, self.answer])[:16]}"

    @property
    def group(self) -> str:
        """What is resampled together: the group of the case in its suite."""
        return f"{self.suite}/{self.case.group or self.case.id}"


def suites_of(manifest: Manifest, named: Sequence[str], data: Path | None = None) -> dict[str, Suite]:
    """Return the suites of a run as they were asked.

    Args:
        manifest: Of the run.
        named: Suites by name or file, where they are not found by their names in the run.
        data: A folder of public data sets.

    Raises:
        ConfigError: A suite is not found, or is not what was asked any more.
    """
    found: dict[str, Suite] = {}
    for suite in chosen(find_suites(named or list(manifest.suites), data), manifest.sample, manifest.seed):
        asked = manifest.suites.get(suite.name)
        if asked is None:
            mend = f"the run asked {', '.join(manifest.suites)}"
            raise ConfigError("was not asked in this run", key="--suite", value=suite.name, mend=mend)
        if suite.sha256 != asked.sha256:
            mend = "name the file as it was when the run was made, or run it again"
            raise ConfigError("has changed since the run", key="--suite", value=suite.name, mend=mend)
        found[suite.name] = suite
    for name in manifest.suites:
        if name not in found:
            raise ConfigError("is missing", key="--suite", value=name, mend="name its file with --suite")
    return found


def shown_of(read: Read, suites: dict[str, Suite], systems: Sequence[str] = ()) -> list[Shown]:
    """Return every answer of a run that can be shown, each once.

    Args:
        read: The run.
        suites: Its suites (`suites_of`).
        systems: Those whose answers are shown; by default all.

    Raises:
        ConfigError: A system was not asked, or the run keeps no words of answers.
    """
    there = list(dict.fromkeys(each.system for each in read.outcomes))
    for name in systems:
        if name not in there:
            raise ConfigError(
                "was not asked in this run", key="--system", value=name, mend=f"one of: {', '.join(there)}"
            )
    cases = {(suite.name, case.id): case for suite in suites.values() for case in suite.cases}
    found: dict[tuple[str, str, str], list[Outcome]] = {}
    for each in read.outcomes:
        if each.answer and each.answer.strip() and (not systems or each.system in systems):
            found.setdefault((each.suite, each.case, each.answer), []).append(each)
    if not found:
        mend = "run it without --no-texts, on cases that are put to a model"
        raise ConfigError("holds no words of answers, so there is nothing to show", key="run", mend=mend)
    return [
        Shown(read.manifest.run, suite, cases[suite, case], answer, tuple(outcomes))
        for (suite, case, answer), outcomes in found.items()
    ]


def _hash(told: Sequence[str]) -> str:
    # surrogates that stand alone are in no UTF-8 text, and may stand in JSON
    return hashlib.sha256(json.dumps(list(told)).encode()).hexdigest()
