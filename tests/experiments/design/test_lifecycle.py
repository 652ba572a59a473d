from itertools import pairwise

import pytest

from experiments.design.lifecycle import (
    EDITABLE,
    ENROLLING,
    STEPS,
    check_editable,
    check_enrolling,
    check_step,
)
from experiments.design.schemas import Status
from experiments.errors import ConflictError

PATH = [
    Status.DRAFT,
    Status.SCHEDULED,
    Status.RUNNING,
    Status.PAUSED,
    Status.RUNNING,
    Status.MATURING,
    Status.DECIDED,
    Status.PROMOTED,
    Status.ARCHIVED,
]


def test_check_step__the_designed_life__is_allowed() -> None:
    for current, following in pairwise(PATH):
        assert check_step("e", current, following) is None


@pytest.mark.parametrize(
    ("current", "following", "sentence"),
    [
        (Status.DRAFT, Status.PROMOTED, "it can become scheduled or running or archived"),
        (Status.RUNNING, Status.PROMOTED, "it can become paused or maturing or aborted"),
        (Status.RUNNING, Status.DRAFT, "cannot become draft"),
        (Status.PROMOTED, Status.KEPT, "it can become archived"),
        (Status.ARCHIVED, Status.RUNNING, "this state is final"),
    ],
)
def test_check_step__skipped_step__says_what_is_possible(
    current: Status, following: Status, sentence: str
) -> None:
    with pytest.raises(ConflictError, match=sentence):
        check_step("e", current, following)


def test_steps__every_state__leads_to_the_archive() -> None:
    ends = {Status.ARCHIVED}
    for _ in Status:
        ends |= {state for state, following in STEPS.items() if ends & set(following)}
    assert ends == set(Status) == set(STEPS)


def test_steps__a_started_experiment__never_becomes_editable_again() -> None:
    for state in set(Status) - set(EDITABLE):
        assert not set(STEPS[state]) & set(EDITABLE)


@pytest.mark.parametrize("state", list(Status))
def test_guards__every_state__allow_only_their_own(state: Status) -> None:
    for check, allowed in ((check_editable, EDITABLE), (check_enrolling, ENROLLING)):
        if state in allowed:
            check("e", state)
        else:
            with pytest.raises(ConflictError, match=f"'e' is {state}"):
                check("e", state)
