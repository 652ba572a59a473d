"""Simulated experiments before the real analysis and the real gate."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from experiments.analysis.engine import read
from experiments.analysis.protocol import Question
from experiments.analysis.schemas import Belief, Readout
from experiments.analysis.sequential import Looks
from experiments.calibration.bounds import bounds_of, prepare
from experiments.calibration.panels import Panel
from experiments.calibration.screening import ROUNDING, Screen, Tested, hypothesis, screen
from experiments.decisions.gate import judge
from experiments.decisions.schemas import Outcome
from experiments.decisions.trust import Facts
from experiments.design.plans import Method
from stats.arrays import BoolArray

METHODS = (Method.SEQUENTIAL, Method.BAYESIAN)


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


def endings(panel: Panel) -> list[dict[Method, Ending]]:
    """Run every experiment of `panel` under each method, on the same data."""
    screened = screen(panel)
    promotable = _promotable(panel, screened)
    _prepare(panel, screened, promotable=promotable)
    return [
        _run(panel, screened, experiment=number, promotable=promotable[number])
        for number in range(panel.experiments)
    ]


def look_at(panel: Panel, screened: Screen, *, experiment: int, look: int) -> Readout:
    """One look by the real analysis, with all the looks before it."""
    earlier = {
        (key, variant): list(_looks(panel, test, at=(experiment, number), before=look))
        for key, test in screened.tests.items()
        for number, variant in enumerate(panel.scenario.arms[1:])
    }
    return read(
        panel.data(experiment, look),
        panel.scenario.protocol(look, name=f"experiment-{experiment}"),
        earlier=earlier,
    )


def passing(panel: Panel, question: Question, *, test: Tested, may: BoolArray) -> BoolArray:
    """Where a test passes by the bounds that the real code will use, among the looks that `may`.

    Args:
        panel: the experiments.
        question: the metric that is tested.
        test: its test at every look.
        may: looks that matter, shape (experiments, looks, treatments).
    """
    crossed = np.zeros_like(may)
    for number in range(panel.scenario.treatments):
        concerned = np.flatnonzero(may[:, :, number].any(axis=1)).tolist()
        ends = [int(np.flatnonzero(may[row, :, number])[-1]) + 2 for row in concerned]
        places = [((row, number), end) for row, end in zip(concerned, ends, strict=True)]
        sequences = [_looks(panel, test, at=at, before=end) for at, end in places]
        alpha = hypothesis(panel, question, arm=number + 1).spendable
        for (at, end), bounds in zip(places, bounds_of(sequences, alpha=alpha), strict=True):
            looks = _counted(test, at, before=end)
            crossed[at[0], looks, number] = test.z[at[0], looks, number] >= bounds - ROUNDING
    return may & (crossed | test.always_valid)


def _promotable(panel: Panel, screened: Screen) -> BoolArray:
    """Where every test passes, as far as rounding can tell."""
    may = screened.may_promote
    for question in panel.scenario.questions:
        may = passing(panel, question, test=screened.tests[question.metric.key], may=may)
    return may


def _prepare(panel: Panel, screened: Screen, *, promotable: BoolArray) -> None:
    """Compute together the states that the real code needs at each first promotable look."""
    possible: BoolArray = np.asarray(promotable.any(axis=-1))
    firsts = [
        (row, int(np.argmax(possible[row])) + 1)
        for row in np.flatnonzero(possible.any(axis=1)).tolist()
    ]
    for question in panel.scenario.questions:
        test = screened.tests[question.metric.key]
        for number in range(panel.scenario.treatments):
            prepare(
                [_looks(panel, test, at=(row, number), before=look) for row, look in firsts],
                alpha=hypothesis(panel, question, arm=number + 1).spendable,
            )


def _run(
    panel: Panel, screened: Screen, *, experiment: int, promotable: BoolArray
) -> dict[Method, Ending]:
    """Let the real code judge every look of an experiment that may end it."""
    believed, harmed = screened.may_be_believed[experiment], screened.may_harm[experiment]
    ways = {
        Method.SEQUENTIAL: promotable | harmed,
        Method.BAYESIAN: (promotable & believed) | harmed,
    }
    courses = [_Course(method=method) for method in METHODS]
    for look in (np.flatnonzero((promotable | harmed).any(axis=-1)) + 1).tolist():
        concerned = [
            course for course in courses if _may_end(panel, course, ways[course.method][look - 1])
        ]
        if concerned:
            readout = look_at(panel, screened, experiment=experiment, look=look)
            for course in concerned:
                _judge(panel, course, readout=readout, look=look)
    nothing = Ending(outcome=Outcome.CONTINUE, look=panel.scenario.looks)
    return {course.method: course.ending or nothing for course in courses}


def _may_end(panel: Panel, course: _Course, variants: BoolArray) -> bool:
    """Whether a look may promote, or show harm of, a variant that is still there."""
    present = np.array([variant not in course.removed for variant in panel.scenario.arms[1:]])
    return course.ending is None and bool((variants & present).any())


def _judge(panel: Panel, course: _Course, *, readout: Readout, look: int) -> None:
    plan = panel.scenario.plan.model_copy(update={"method": course.method})
    verdict = judge(readout, plan, Facts(enrolling=True, removed=course.removed))
    course.removed |= set(verdict.harmed)
    if verdict.outcome is Outcome.ABORT:
        course.ending = Ending(outcome=verdict.outcome, look=look)
    elif verdict.outcome is Outcome.PROMOTE and verdict.variant is not None:
        belief = readout.primary.comparison(verdict.variant).belief
        course.ending = Ending(
            outcome=verdict.outcome,
            look=look,
            variant=panel.scenario.arms.index(verdict.variant),
            belief=belief if isinstance(belief, Belief) else None,
        )


def _looks(panel: Panel, test: Tested, *, at: tuple[int, int], before: int) -> Looks:
    """The looks at (experiment, treatment) before look `before`, as the analysis keeps them."""
    experiment, number = at
    return tuple(
        (
            panel.scenario.calendar_fraction(look + 1),
            float(test.information[experiment, look, number]),
        )
        for look in _counted(test, at, before=before).tolist()
    )


def _counted(test: Tested, at: tuple[int, int], *, before: int) -> npt.NDArray[np.intp]:
    """Positions of the looks before look `before` that have a test."""
    experiment, number = at
    return np.flatnonzero(np.isfinite(test.information[experiment, : before - 1, number]))
