"""Where a visitor stands follows from what they did, in whatever order it is told."""

import random
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from experiments.instances.schemas import Happening
from experiments.instances.walking import walks
from experiments.journeys import documents
from experiments.journeys.operations import JourneyPatch
from experiments.journeys.patches import apply
from experiments.journeys.pinning import Publication
from experiments.journeys.schemas import JourneyGraph, TemplateIn

START = datetime(2026, 3, 2, tzinfo=UTC)
GRAPH = documents.from_template(TemplateIn(key="shop", name="Shop", template="signup")).graph
EVENTS = {stage.key: stage.entry_rule.event for stage in GRAPH.stages}
SHORT = apply(
    JourneyPatch.model_validate({"operations": [{"op": "skip_stage", "stage": "signup"}]}), GRAPH
)


def published(*versions: tuple[JourneyGraph, str, int]) -> list[Publication]:
    return [
        Publication(
            number=number,
            graph=graph,
            published_at=START + timedelta(hours=hour),
            in_flight=in_flight,
        )
        for number, (graph, in_flight, hour) in enumerate(versions, start=1)
    ]


ONE = published((GRAPH, "now", 0))


def did(*stages: str, every_hours: int = 1) -> list[Happening]:
    return [
        Happening(
            event_id=number,
            name=EVENTS[stage],
            at=START + timedelta(hours=number * every_hours),
            properties={},
        )
        for number, stage in enumerate(stages, start=1)
    ]


def steps(happenings: list[Happening], publications: list[Publication] = ONE) -> list[list[tuple]]:
    return [
        [(step.to_stage, str(step.kind), step.conforming) for step in walk.transitions]
        for walk in walks(publications, happenings)
    ]


def test_walks__as_the_map_intends__go_forward_to_the_goal():
    found = walks(ONE, did("visit", "signup", "activate", "subscribe"))
    assert [(walk.stage, walk.state, walk.entry_point) for walk in found] == [
        ("subscribe", "arrived", "visit")
    ]
    assert all(step.conforming for walk in found for step in walk.transitions)


def test_walks__past_a_stage__is_a_skip_that_the_map_does_not_intend():
    assert steps(did("visit", "activate"))[0][1] == ("activate", "skip", False)


def test_walks__back_to_an_earlier_stage__is_backward():
    assert steps(did("visit", "signup", "activate", "signup"))[0][-1] == (
        "signup",
        "backward",
        False,
    )


def test_walks__first_page_seen_again__throws_nobody_back():
    assert steps(did("visit", "signup", "visit", "visit")) == steps(did("visit", "signup"))


def test_walks__declined_then_back_at_the_beginning__is_another_attempt():
    found = walks(ONE, did("visit", "signup", "declined", "visit"))
    assert [(walk.attempt, walk.state, walk.stage) for walk in found] == [
        (1, "left", "declined"),
        (2, "walking", "visit"),
    ]
    assert found[0].transitions[-1].kind == "exit"
    assert found[1].transitions[0].kind == "re-entry"


def test_walks__nothing_that_a_rule_asks__is_no_walk():
    other = Happening(event_id=1, name="Something Else", at=START, properties={})
    assert walks(ONE, [other]) == []
    assert walks([], did("visit")) == []


def test_walks__new_path_published_meanwhile__is_walked_as_the_publication_says():
    for in_flight, expected in (("pinned", 1), ("next_stage", 2), ("now", 2)):
        versions = published((GRAPH, "now", 0), (SHORT, in_flight, 5))
        happenings = did("visit", "activate", every_hours=4)
        [walk] = walks(versions, happenings)
        assert walk.version == expected, in_flight
        [before] = walks(versions, happenings[:1])
        assert before.version == 1
        [newcomer] = walks(versions, did("visit", every_hours=9))
        assert newcomer.version == 2


@given(
    stages=st.lists(st.sampled_from(sorted(EVENTS)), max_size=12), seed=st.integers(0, 2**32 - 1)
)
def test_walks__told_in_any_order__are_the_same_and_hang_together(stages: list[str], seed: int):
    happenings = did(*stages)
    shuffled = list(happenings)
    random.Random(seed).shuffle(shuffled)
    found = walks(ONE, happenings)
    assert walks(ONE, shuffled) == found
    assert [walk.attempt for walk in found] == list(range(1, len(found) + 1))
    for walk in found:
        follows = zip(walk.transitions, walk.transitions[1:], strict=False)
        assert all(one.to_stage == other.from_stage for one, other in follows)
