"""Simulated experiments before the real analysis and the real gate."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from experiments.analysis.engine import read
from experiments.analysis.protocol import Question
from experiments.analysis.schemas import Belief, Readout
from experiments.analysis.sequential import History, Looks
from experiments.calibration.bounds import bounds_of, prepare
from experiments.calibration.panels import Panel
from experiments.calibration.screening import ROUNDING, Screen, Tested, hypothesis, screen
from experiments.decisions.gate import judge
from experiments.decisions.schemas import Outcome
from experiments.decisions.trust import Facts
from experiments.design.schemas import Method
from stats.arrays import BoolArray

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
    promotable = _promotable(panel, screened)
    possible: BoolArray = np.asarray(promotable.any(axis=-1))
    first_looks = {
        int(row): int(np.argmax(possible[row])) + 1 for row in np.flatnonzero(possible.any(axis=1))
    }
    _prepare(panel, screened, first_looks)
    return [
        _run(panel, screened, promotable, number, methods) for number in range(panel.experiments)
    ]


def history(screened: Screen, panel: Panel, experiment: int, *, before: int) -> History:
    """Calendar and information of all looks at an experiment before look `before`."""
    return {
        (key, variant): list(_looks(test, panel, experiment, number, before))
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


def passing(panel: Panel, question: Question, test: Tested, may: BoolArray) -> BoolArray:
    """Where a test passes by the bounds that the real code will use, among the looks that `may`.

    Args:
        panel: the experiments.
        question: the metric that is tested.
        test: its test at every look.
        may: looks that matter, shape (experiments, looks, treatments).
    """
    crossed = np.zeros_like(may)
    for number in range(may.shape[-1]):
        concerned = np.flatnonzero(may[:, :, number].any(axis=1))
        alpha = hypothesis(panel, question, number + 1).spendable
        ends = [int(np.flatnonzero(may[row, :, number])[-1]) + 2 for row in concerned]
        sequences = [
            _looks(test, panel, int(row), number, end)
            for row, end in zip(concerned, ends, strict=True)
        ]
        bounds = bounds_of(sequences, alpha=alpha)
        for row, end, bound in zip(concerned, ends, bounds, strict=True):
            counted = _counted(test, int(row), number, end)
            crossed[row, counted, number] = test.z[row, counted, number] >= bound - ROUNDING
    return may & (crossed | test.always_valid)


def _promotable(panel: Panel, screened: Screen) -> BoolArray:
    """Where every test passes, as far as rounding can tell."""
    may = screened.may_promote
    for question in panel.scenario.questions:
        may = passing(panel, question, screened.tests[question.metric.key], may)
    return may


def _prepare(panel: Panel, screened: Screen, first_looks: dict[int, int]) -> None:
    """Compute the states that the real code needs at these looks of these experiments."""
    for question in panel.scenario.questions:
        test = screened.tests[question.metric.key]
        for number in range(panel.scenario.treatments):
            prepare(
                [
                    _looks(test, panel, experiment, number, look)
                    for experiment, look in first_looks.items()
                ],
                alpha=hypothesis(panel, question, number + 1).spendable,
            )


def _run(
    panel: Panel,
    screened: Screen,
    promotable: BoolArray,
    experiment: int,
    methods: Sequence[Method],
) -> dict[Method, Ending]:
    courses = [_Course(method=method) for method in methods]
    may = promotable[experiment] | screened.may_harm[experiment]
    for look in (np.flatnonzero(may.any(axis=-1)) + 1).tolist():
        concerned = [
            course
            for course in courses
            if course.ending is None
            and _may_end(
                panel, screened, promotable[experiment, look - 1], (experiment, look), course
            )
        ]
        if concerned:
            readout = look_at(panel, screened, experiment, look)
            for course in concerned:
                _judge(panel, course, readout, look)
    nothing = Ending(outcome=Outcome.CONTINUE, look=panel.scenario.looks)
    return {course.method: course.ending or nothing for course in courses}


def _may_end(
    panel: Panel,
    screened: Screen,
    promotable: BoolArray,
    at: tuple[int, int],
    course: _Course,
) -> bool:
    """Whether the look may promote a variant, or show harm of one, that is not removed yet."""
    experiment, look = at
    may = promotable
    if course.method is Method.BAYESIAN:
        may = may & screened.may_be_believed[experiment, look - 1]
    present = np.array([variant not in course.removed for variant in panel.scenario.arms[1:]])
    return bool(((may | screened.may_harm[experiment, look - 1]) & present).any())


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


def _looks(test: Tested, panel: Panel, experiment: int, number: int, before: int) -> Looks:
    return tuple(
        (
            panel.scenario.calendar_fraction(int(look) + 1),
            float(test.information[experiment, look, number]),
        )
        for look in _counted(test, experiment, number, before)
    )


def _counted(test: Tested, experiment: int, number: int, before: int) -> npt.NDArray[np.intp]:
    """Positions of the looks before look `before` that have a test."""
    return np.flatnonzero(np.isfinite(test.information[experiment, : before - 1, number]))
