"""Simulated experiments before the real analysis and the real gate."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from experiments.analysis.engine import read
from experiments.analysis.protocol import Question
from experiments.analysis.schemas import Belief, Readout
from experiments.analysis.sequential import History, bound_at
from experiments.calibration.panels import Panel
from experiments.calibration.screening import ROUNDING, Screen, Tested, hypothesis, screen
from experiments.decisions.gate import judge
from experiments.decisions.schemas import Outcome
from experiments.decisions.trust import Facts
from experiments.design.schemas import Method
from stats.results import NotEstimable

METHODS = (Method.SEQUENTIAL, Method.BAYESIAN)
ENDS = (Outcome.PROMOTE, Outcome.ABORT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How an experiment ended before its horizon or at it; `variant` is 0 when none was promoted.

    Attributes:
        outcome: the gate's outcome; "continue" when no look led to a promotion or an abortion.
        look: look of the outcome, counted from 1.
        variant: number of the promoted treatment.
        belief: what was reported of it.
    """

    outcome: Outcome
    look: int
    variant: int = 0
    belief: Belief | None = None


@dataclass(slots=True)
class _Course:
    """An experiment under one method, as far as it has come."""

    method: Method
    removed: frozenset[str] = frozenset()
    ending: Ending | None = None


def endings(panel: Panel, methods: Sequence[Method] = METHODS) -> list[dict[Method, Ending]]:
    """Run every experiment of `panel` under each method, on the same data."""
    screened = screen(panel)
    return [_run(panel, screened, number, methods) for number in range(panel.experiments)]


def history(screened: Screen, panel: Panel, experiment: int, *, before: int) -> History:
    """Calendar and information of all looks at an experiment before look `before`."""
    return {
        (key, variant): _looks(test, panel, experiment, number, before)
        for key, test in screened.tests.items()
        for number, variant in enumerate(panel.scenario.arms[1:])
    }


def look_at(panel: Panel, screened: Screen, experiment: int, look: int) -> Readout:
    """One look by the real analysis, with all the looks before it."""
    return read(
        panel.data(experiment, look),
        panel.scenario.protocol(look, name=f"experiment-{experiment}"),
        earlier=history(screened, panel, experiment, before=look),
    )


def _run(
    panel: Panel, screened: Screen, experiment: int, methods: Sequence[Method]
) -> dict[Method, Ending]:
    courses = [_Course(method=method) for method in methods]
    for look in _candidates(screened, experiment):
        going_on = [course for course in courses if course.ending is None]
        concerned = [
            course for course in going_on if _may_end(panel, screened, experiment, look, course)
        ]
        if concerned:
            readout = look_at(panel, screened, experiment, look)
            for course in concerned:
                _judge(panel, course, readout, look)
        if not going_on:
            break
    nothing = Ending(outcome=Outcome.CONTINUE, look=panel.scenario.looks)
    return {course.method: course.ending or nothing for course in courses}


def _candidates(screened: Screen, experiment: int) -> Iterator[int]:
    may = screened.may_promote[experiment] | screened.may_harm[experiment]
    yield from (np.flatnonzero(may.any(axis=-1)) + 1).tolist()


def _may_end(panel: Panel, screened: Screen, experiment: int, look: int, course: _Course) -> bool:
    at = (experiment, look - 1)
    named = panel.scenario.arms[1:]
    open_to_judgement = np.array([variant not in course.removed for variant in named])
    if bool((screened.may_harm[at] & open_to_judgement).any()):
        return True
    may = screened.may_promote[at] & open_to_judgement
    if course.method is Method.BAYESIAN:
        may &= screened.may_be_believed[at]
    return any(
        _passes(panel, screened, experiment, look, int(number)) for number in np.flatnonzero(may)
    )


def _passes(panel: Panel, screened: Screen, experiment: int, look: int, number: int) -> bool:
    """Whether every test of a treatment passes, by the bounds that the real code will use."""
    return all(
        passes(panel, question, screened.tests[question.metric.key], (experiment, look, number))
        for question in panel.scenario.questions
    )


def passes(panel: Panel, question: Question, test: Tested, at: tuple[int, int, int]) -> bool:
    """Whether a test passes at (experiment, look, treatment), as far as rounding can tell."""
    experiment, look, number = at
    if test.always_valid[experiment, look - 1, number]:
        return True
    rule = replace(
        hypothesis(panel, question, number + 1),
        calendar_fraction=panel.scenario.calendar_fraction(look),
        earlier=_looks(test, panel, experiment, number, look),
    )
    bound = bound_at(rule, float(test.information[experiment, look - 1, number]))
    if isinstance(bound, NotEstimable):
        return False
    return bool(test.z[experiment, look - 1, number] >= bound - ROUNDING)


def _judge(panel: Panel, course: _Course, readout: Readout, look: int) -> None:
    plan = panel.scenario.plan.model_copy(update={"method": course.method})
    verdict = judge(readout, plan, Facts(enrolling=True, removed=course.removed))
    if verdict.outcome in ENDS:
        course.ending = _ending(panel, readout, look, verdict.outcome, verdict.variant)
    course.removed |= set(verdict.harmed)


def _ending(
    panel: Panel, readout: Readout, look: int, outcome: Outcome, variant: str | None
) -> Ending:
    if variant is None:
        return Ending(outcome=outcome, look=look)
    belief = readout.primary.comparison(variant).belief
    return Ending(
        outcome=outcome,
        look=look,
        variant=panel.scenario.arms.index(variant),
        belief=belief if isinstance(belief, Belief) else None,
    )


def _looks(
    test: Tested, panel: Panel, experiment: int, number: int, before: int
) -> list[tuple[float, float]]:
    information = test.information[experiment, : before - 1, number]
    counted = np.flatnonzero(np.isfinite(information))
    return [
        (panel.scenario.calendar_fraction(int(look) + 1), float(information[look]))
        for look in counted
    ]
