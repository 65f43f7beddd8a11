"""Puts every case to every system that has not answered it yet, several side by side; each outcome is kept at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from moslm.evals.cases import Case
from moslm.evals.outcomes import Outcome
from moslm.evals.running.folder import RunFolder
from moslm.evals.running.grading import Grading
from moslm.evals.running.systems import System
from moslm.evals.suites.suite import Suite

Work = tuple[System, Suite, Case]


def work_of(systems: Sequence[System], suites: Sequence[Suite]) -> list[Work]:
    """Return all that is to be asked, the systems in turn, so that a run that is cut short has something of each."""
    return [
        (system, suite, case)
        for suite in suites
        for case in suite.cases
        for system in systems
        if system.routes or not case.only_routed
    ]


def ask_all(
    work: Sequence[Work],
    folder: RunFolder,
    grading: Grading,
    *,
    concurrency: int = 1,
    step: Callable[[Outcome | None], object] = lambda outcome: None,
) -> list[Outcome]:
    """Ask what has no outcome yet.

    Args:
        work: All that is to be asked.
        folder: Where outcomes are kept.
        grading: How answers are graded.
        concurrency: How many cases are asked side by side.
        step: Told of each outcome; of those that were there, None.

    Returns:
        The outcomes of the work, in its order.

    Raises:
        MoSLMError: Nothing more can be asked; what was answered is kept.
    """
    done = folder.done
    missing = [each for each in work if _place(each) not in done]
    for _ in range(len(work) - len(missing)):
        step(None)
    with ThreadPoolExecutor(concurrency, thread_name_prefix="moslm-eval") as pool:
        _drained(pool, iter(missing), folder, grading, concurrency, step)
    found = {(each.system, each.suite, each.case): each for each in folder.outcomes}
    return [found[_place(each)] for each in work]


def _drained(
    pool: ThreadPoolExecutor,
    missing: Iterator[Work],
    folder: RunFolder,
    grading: Grading,
    concurrency: int,
    step: Callable[[Outcome | None], object],
) -> None:
    running: set[Future[Outcome]] = set()
    try:
        while True:
            while len(running) < concurrency and (work := next(missing, None)) is not None:
                running.add(pool.submit(_one, work, folder, grading))
            if not running:
                return
            ended, running = wait(running, return_when=FIRST_COMPLETED)
            for each in ended:
                step(each.result())
    except BaseException:
        pool.shutdown(wait=True, cancel_futures=True)
        raise


def _one(work: Work, folder: RunFolder, grading: Grading) -> Outcome:
    system, suite, case = work
    outcome = grading.outcome(suite.name, case, system.name, system.answer(suite.name, case))
    folder.append(outcome)
    return outcome


def _place(work: Work) -> tuple[str, str, str]:
    return work[0].name, work[1].name, work[2].id
