"""The life of an experiment: which step may follow which; pure."""

from collections.abc import Mapping

from experiments.design.schemas import Status
from experiments.errors import ConflictError

STEPS: Mapping[Status, tuple[Status, ...]] = {
    Status.DRAFT: (Status.SCHEDULED, Status.RUNNING, Status.ARCHIVED),
    Status.SCHEDULED: (Status.RUNNING, Status.DRAFT),
    Status.RUNNING: (Status.PAUSED, Status.MATURING, Status.ABORTED),
    Status.PAUSED: (Status.RUNNING, Status.MATURING, Status.ABORTED),
    Status.MATURING: (Status.DECIDED, Status.ABORTED),
    Status.DECIDED: (
        Status.PROMOTED,
        Status.KEPT,
        Status.NEUTRAL,
        Status.SOONER,
        Status.INCONCLUSIVE,
    ),
    Status.PROMOTED: (Status.ARCHIVED,),
    Status.KEPT: (Status.ARCHIVED,),
    Status.NEUTRAL: (Status.ARCHIVED,),
    Status.SOONER: (Status.ARCHIVED,),
    Status.INCONCLUSIVE: (Status.ARCHIVED,),
    Status.ABORTED: (Status.ARCHIVED,),
    Status.ARCHIVED: (),
}
"""From each state, the states that may follow."""

EDITABLE = (Status.DRAFT, Status.SCHEDULED)
"""Before the start everything can be written again; afterwards the plan is frozen."""

ENROLLING = (Status.RUNNING, Status.PAUSED)
"""Started and not stopped: the allocation may still change, as a new phase."""

OPEN = (*ENROLLING, Status.MATURING)
"""Started and not decided: a look can still lead to something."""

OCCUPYING = (Status.SCHEDULED, *ENROLLING)
"""An experiment in these states needs its slot for itself."""


def check_step(key: str, current: Status, following: Status) -> None:
    """Refuse a step that the table does not have.

    Raises:
        ConflictError: saying which steps there are instead.
    """
    if following in STEPS[current]:
        return
    possible = " or ".join(STEPS[current])
    instead = f"from here it can become {possible}" if possible else "this state is final"
    message = f"Experiment {key!r} is {current} and cannot become {following}; {instead}."
    raise ConflictError(message)


def check_editable(key: str, current: Status) -> None:
    """Refuse to change what was agreed before the start.

    Raises:
        ConflictError: saying what can be done instead.
    """
    if current in EDITABLE:
        return
    message = (
        f"Experiment {key!r} is {current}; its plan, metrics and variants are frozen. "
        "Open a phase for another coverage or allocation, or stop it and draft a new experiment."
    )
    raise ConflictError(message)


def check_enrolling(key: str, current: Status) -> None:
    """Refuse another allocation for an experiment that takes in nobody.

    Raises:
        ConflictError: saying what can be done instead.
    """
    if current in ENROLLING:
        return
    instead = "edit the draft" if current in EDITABLE else "draft a new experiment"
    message = f"Experiment {key!r} is {current}; phases belong to a started one, so {instead}."
    raise ConflictError(message)
