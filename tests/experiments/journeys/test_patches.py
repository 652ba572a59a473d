"""Patches on maps: the operations, where paths part, merging, and who walks what."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.errors import InvalidError
from experiments.journeys import documents
from experiments.journeys.divergence import common_later_stages, differing_touchpoints, divergence
from experiments.journeys.graph import problems, reachable_from_entries, touchpoints
from experiments.journeys.merging import merge
from experiments.journeys.operations import JourneyPatch
from experiments.journeys.patches import apply
from experiments.journeys.pinning import Publication, carried, in_force, path_of, walked
from experiments.journeys.schemas import JourneyGraph, JourneyIn, TemplateIn

CUSTOMER = documents.from_template(TemplateIn(key="shop", name="Shop"))
SIGNUP = documents.from_template(TemplateIn(key="shop", name="Shop", template="signup"))
START = datetime(2026, 3, 2, tzinfo=UTC)


def patch(*operations: dict[str, Any]) -> JourneyPatch:
    return JourneyPatch.model_validate({"operations": list(operations)})


def skip(stage: str) -> dict[str, Any]:
    return {"op": "skip_stage", "stage": stage}


def page(key: str, **fields: Any) -> dict[str, Any]:
    return {"key": key, "name": key, **fields}


def stages(graph: JourneyGraph) -> list[str]:
    return [stage.key for stage in graph.stages]


def points(graph: JourneyGraph, stage: str) -> list[str]:
    found = graph.stage(stage)
    assert found is not None
    return [point.key for point in found.touchpoints]


def rules_broken(journey: JourneyIn, graph: JourneyGraph) -> list[str]:
    """What is wrong with a map, apart from contents, which the journey brings along."""
    metrics = {metric.key for metric in journey.metrics}
    found = problems(graph, metrics=metrics, contents={})
    return [str(item) for item in found if not item.pointer.endswith("/content")]


@st.composite
def operations(draw: st.DrawFn) -> dict[str, Any]:
    """Any operation on the customer template; many do not fit after others."""
    stage = draw(st.sampled_from(stages(CUSTOMER.graph)))
    other = draw(st.sampled_from(stages(CUSTOMER.graph)))
    point = draw(st.sampled_from([item.key for _, item in touchpoints(CUSTOMER.graph)]))
    new = draw(st.sampled_from(["new-one", "new-two"]))
    goal_metric = CUSTOMER.graph.stages[0].goal_metric
    added = {"key": new, "name": new, "entry_rule": {"event": new}, "goal_metric": goal_metric}
    return draw(
        st.sampled_from(
            [
                skip(stage),
                {"op": "merge_stages", "stages": sorted({stage, other, "aware"}), "into": stage},
                {"op": "add_stage", "after": stage, "stage": {**added, "touchpoints": [page(new)]}},
                {"op": "skip_touchpoint", "touchpoint": point},
                {"op": "add_touchpoint", "stage": stage, "touchpoint": page(new)},
                {"op": "move_touchpoint", "touchpoint": point, "stage": stage},
                {"op": "replace_touchpoint", "touchpoint": point, "by": page(new)},
                {"op": "set_wait", "touchpoint": point, "hours": 48},
                {"op": "set_channel", "touchpoint": point, "channels": ["email"]},
            ]
        )
    )


def fitting(asked: list[dict[str, Any]]) -> tuple[JourneyPatch, JourneyGraph]:
    """As many of the operations as fit, one after the other, and the map they make."""
    graph, kept = CUSTOMER.graph, []
    for operation in asked:
        try:
            graph = apply(JourneyPatch.model_validate({"operations": [operation]}), graph)
        except (InvalidError, ValueError):
            continue
        kept.append(operation)
    return patch(*kept), graph


def test_apply__nothing__is_the_map_itself():
    assert apply(patch(), CUSTOMER.graph) == CUSTOMER.graph


@given(asked=st.lists(operations(), max_size=5))
def test_apply__what_fits__keeps_every_rule_of_maps(asked: list[dict[str, Any]]):
    found, expected = fitting(asked)
    after = apply(found, CUSTOMER.graph)
    assert after == expected
    assert rules_broken(CUSTOMER, after) == []
    assert after.goal in reachable_from_entries(after)


@given(asked=st.lists(operations(), min_size=1, max_size=4))
def test_divergence__of_any_patch__is_a_stage_of_both_maps(asked: list[dict[str, Any]]):
    _, after = fitting(asked)
    found = divergence(CUSTOMER.graph, [after])
    if found is None:
        assert after.entry_points != CUSTOMER.graph.entry_points or all(
            stage == after.stage(stage.key)
            for stage in CUSTOMER.graph.stages
            if stage.key in reachable_from_entries(CUSTOMER.graph)
        )
        return
    before_stage, after_stage = CUSTOMER.graph.stage(found.stage), after.stage(found.stage)
    assert before_stage is not None
    assert after_stage is not None
    assert before_stage != after_stage
    for key in found.touchpoints:
        assert CUSTOMER.graph.touchpoint(key) or after.touchpoint(key)
    for stage in common_later_stages(CUSTOMER.graph, [after], after=found.stage):
        assert after.stage(stage.key) is not None


def test_skip_stage__in_the_middle__leads_past_it_and_parts_where_it_was_asked_for():
    after = apply(patch(skip("signup")), SIGNUP.graph)
    visit = after.stage("visit")
    assert visit is not None
    assert "signup" not in stages(after)
    assert visit.next[0] == "activate"
    found = divergence(SIGNUP.graph, [after])
    assert found is not None
    assert (found.stage, found.touchpoints) == ("visit", tuple(points(SIGNUP.graph, "signup")))
    later = common_later_stages(SIGNUP.graph, [after], after="visit")
    assert [stage.key for stage in later][:2] == ["activate", "subscribe"]


def test_skip_stage__where_the_journey_begins__has_no_point_before_it():
    after = apply(patch(skip("visit")), SIGNUP.graph)
    assert divergence(SIGNUP.graph, [after]) is None


def test_merge_stages__two__keeps_all_touchpoints_under_one_rule():
    asked = {"op": "merge_stages", "stages": ["signup", "activate"], "into": "activate"}
    after = apply(patch(asked), SIGNUP.graph)
    both = points(SIGNUP.graph, "signup") + points(SIGNUP.graph, "activate")
    assert points(after, "activate") == both
    assert "signup" not in stages(after)
    assert rules_broken(SIGNUP, after) == []


def test_add_stage__without_next__is_walked_through():
    added = {
        "key": "tour",
        "name": "Tour",
        "entry_rule": {"event": "Tour"},
        "goal_metric": "shop.visit",
    }
    asked = {"op": "add_stage", "after": "visit", "stage": added}
    after = apply(patch(asked), SIGNUP.graph)
    visit, tour = after.stage("visit"), after.stage("tour")
    assert visit is not None
    assert tour is not None
    assert visit.next == ["tour"]
    assert tour.next == SIGNUP.graph.stages[0].next


def test_move_touchpoint__before_another__goes_there_and_differs():
    asked = {
        "op": "move_touchpoint",
        "touchpoint": "plan_page",
        "stage": "visit",
        "before": "landing_page",
    }
    after = apply(patch(asked), SIGNUP.graph)
    assert points(after, "visit") == ["plan_page", "landing_page"]
    assert set(differing_touchpoints(SIGNUP.graph, after)) == {"plan_page"}


def test_set_wait_and_channel__on_a_touchpoint__change_only_that():
    after = apply(
        patch(
            {"op": "set_wait", "touchpoint": "plan_page", "hours": 24},
            {"op": "set_channel", "touchpoint": "plan_page", "channels": ["email"]},
        ),
        SIGNUP.graph,
    )
    changed = after.touchpoint("plan_page")
    assert changed is not None
    assert (changed.wait_hours, changed.channels) == (24, ["email"])
    assert differing_touchpoints(SIGNUP.graph, after) == ["plan_page"]


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        (skip("subscribe"), "skip_stage does not fit: 'subscribe' is the goal"),
        (skip("nowhere"), "there is no stage 'nowhere'; there are visit"),
        ({"op": "skip_touchpoint", "touchpoint": "nothing"}, "there is no touchpoint 'nothing'"),
        (
            {"op": "add_touchpoint", "stage": "visit", "touchpoint": page("plan_page")},
            "there is a touchpoint 'plan_page' already",
        ),
        (
            {"op": "move_touchpoint", "touchpoint": "plan_page", "stage": "visit", "before": "x"},
            "stage 'visit' has no touchpoint 'x'",
        ),
        (
            {"op": "merge_stages", "stages": ["activate", "subscribe"], "into": "activate"},
            "'subscribe' is the goal; merge the others into it",
        ),
    ],
)
def test_apply__operation_that_does_not_fit__is_named(operation: dict[str, Any], words: str):
    with pytest.raises(InvalidError) as caught:
        apply(
            patch({"op": "set_wait", "touchpoint": "plan_page", "hours": 1}, operation),
            SIGNUP.graph,
        )
    assert caught.value.problems[0].pointer == "/operations/1"
    assert words in str(caught.value)


@given(mine=st.lists(operations(), max_size=3), yours=st.lists(operations(), max_size=3))
def test_merge__one_side_unchanged__is_the_other_side(
    mine: list[dict[str, Any]], yours: list[dict[str, Any]]
):
    base, (_, one), (_, other) = CUSTOMER.graph, fitting(mine), fitting(yours)
    assert merge(base, base, one).graph == one
    assert merge(base, one, base).graph == one
    assert merge(base, one, one).graph == one
    there, back = merge(base, one, other), merge(base, other, one)
    assert set(there.conflicts) == set(back.conflicts)


def test_merge__changes_at_different_places__holds_both():
    mine = apply(patch({"op": "set_wait", "touchpoint": "plan_page", "hours": 1}), SIGNUP.graph)
    yours = apply(patch({"op": "add_touchpoint", "stage": "visit", "touchpoint": page("x")}), mine)
    base = SIGNUP.graph
    only_yours = apply(
        patch({"op": "add_touchpoint", "stage": "visit", "touchpoint": page("x")}), base
    )
    assert merge(base, mine, only_yours).graph == yours


def test_merge__same_place_changed__names_it():
    waits = [
        apply(patch({"op": "set_wait", "touchpoint": "plan_page", "hours": hours}), SIGNUP.graph)
        for hours in (1, 2)
    ]
    found = merge(SIGNUP.graph, *waits)
    assert found.graph is None
    assert len(found.conflicts) == 1
    assert found.conflicts[0].endswith("touchpoints/plan_page/wait_hours")


def test_merge__skipped_here_and_changed_there__is_a_conflict():
    skipped = apply(patch({"op": "skip_touchpoint", "touchpoint": "plan_page"}), SIGNUP.graph)
    waiting = apply(patch({"op": "set_wait", "touchpoint": "plan_page", "hours": 1}), SIGNUP.graph)
    found = merge(SIGNUP.graph, waiting, skipped)
    assert [place.rpartition("/")[2] for place in found.conflicts] == ["plan_page"]


def with_headline(graph: JourneyGraph, content: str) -> JourneyGraph:
    document = graph.model_dump()
    document["stages"][0]["touchpoints"][0]["slots"][0]["content"] = content
    return JourneyGraph.model_validate(document)


def history(*published: tuple[JourneyGraph, str]) -> list[Publication]:
    return [
        Publication(
            number=number,
            graph=graph,
            published_at=START + timedelta(days=number),
            in_flight=in_flight,
        )
        for number, (graph, in_flight) in enumerate(published, start=1)
    ]


SHORT = apply(patch(skip("signup")), SIGNUP.graph)


@pytest.mark.parametrize(
    ("in_flight", "at_next_stage", "expected"),
    [
        ("pinned", True, 1),
        ("next_stage", False, 1),
        ("next_stage", True, 2),
        ("now", False, 2),
    ],
)
def test_walked__new_path__is_what_the_publication_says(
    in_flight: str, at_next_stage: bool, expected: int
):
    chain = history((SIGNUP.graph, "now"), (SHORT, in_flight))
    later = START + timedelta(days=9)
    assert walked(chain, 1, until=later, at_next_stage=at_next_stage).number == expected
    assert walked(chain, 1, until=START, at_next_stage=at_next_stage).number == 1


def test_walked__only_content_is_new__leaves_those_on_an_older_path_there():
    chain = history((SIGNUP.graph, "now"), (SHORT, "pinned"), (with_headline(SHORT, "b"), "now"))
    later = START + timedelta(days=9)
    assert walked(chain, 1, until=later, at_next_stage=True).number == 1
    assert walked(chain, 2, until=later, at_next_stage=False).number == 3


def test_carried__slot_of_both_paths__shows_the_newest_content():
    newest = with_headline(SHORT, "better")
    chain = history((SIGNUP.graph, "now"), (SHORT, "pinned"), (newest, "now"))
    graph = carried(chain, 1)
    assert path_of(graph) == path_of(SIGNUP.graph)
    assert graph == with_headline(SIGNUP.graph, "better")


def test_carried__content_that_came_with_the_other_path__stays_with_it():
    changed = with_headline(SHORT, "of-the-short-path")
    chain = history((SIGNUP.graph, "now"), (changed, "pinned"))
    assert carried(chain, 1) == SIGNUP.graph


def test_in_force__before_the_first_publication__is_the_first():
    chain = history((SIGNUP.graph, "now"), (SHORT, "pinned"))
    found = [in_force(chain, START + timedelta(days=days)) for days in (-5, 1, 9)]
    assert [item.number for item in found if item] == [1, 1, 2]
    assert in_force([], START) is None
