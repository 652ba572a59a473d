import json
from itertools import pairwise

import pytest

from experiments.errors import InvalidError, MalformedError
from experiments.journeys.documents import from_template, read
from experiments.journeys.graph import reachable_from_entries
from experiments.journeys.schemas import StageKind, Template, TemplateIn

CUSTOMER_STAGES = [
    "aware",
    "interested",
    "shows_interest",
    "on_the_list",
    "asks_for_information",
    "informed",
    "chooses",
    "trusts",
    "loyal",
    "declined",
    "dormant",
]


def test_read__json__is_read_like_yaml() -> None:
    made = from_template(TemplateIn(key="shop", name="Shop"))
    assert read(json.dumps(made.model_dump(mode="json"))) == made


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("key: [a\nname: b", "line 2"),
        ("\tkey: a", "line 1, column 1"),
        ("- a\n- b", "must be a mapping"),
        ("", "must be a mapping"),
        ("key: \x00", "not valid YAML"),
    ],
)
def test_read__unreadable__says_where(text: str, sentence: str) -> None:
    with pytest.raises(MalformedError, match=sentence):
        read(text)


def test_read__wrong_fields__names_every_one() -> None:
    with pytest.raises(InvalidError) as caught:
        read("{key: 'a b', name: A, stages: []}")
    pointers = {problem.pointer for problem in caught.value.problems}
    assert pointers == {"/key", "/graph", "/stages"}


def test_read__payload_of_another_type__is_refused() -> None:
    text = "{key: a, name: A, contents: [{key: c, type: integer, payload: 'x'}], graph: {}}"
    with pytest.raises(InvalidError, match="is not of type integer"):
        read(text)


def test_from_template__customer__has_the_stages_in_order() -> None:
    made = from_template(TemplateIn(key="shop", name="Our shop", owner="Ann"))
    assert (made.key, made.name, made.owner) == ("shop", "Our shop", "Ann")
    assert [stage.key for stage in made.graph.stages] == CUSTOMER_STAGES


@pytest.mark.parametrize("template", list(Template))
def test_from_template__any__is_complete(template: Template) -> None:
    made = from_template(TemplateIn(key="shop", name="Shop", template=template))
    kinds = {stage.kind for stage in made.graph.stages}
    assert {StageKind.DECLINED, StageKind.DORMANT} <= kinds
    assert {metric.key for metric in made.metrics} == {
        f"shop.{stage.key}" for stage in made.graph.stages
    }
    named = {
        slot.content
        for stage in made.graph.stages
        for point in stage.touchpoints
        for slot in point.slots
    }
    assert {content.key for content in made.contents} == named
    assert all(stage.customer_question for stage in made.graph.stages)
    entered = reachable_from_entries(made.graph)
    assert made.graph.goal in entered
    assert entered == {stage.key for stage in made.graph.stages}


def test_from_template__goal_of_a_stage__is_the_entry_into_the_next() -> None:
    made = from_template(TemplateIn(key="shop", name="Shop"))
    rules = {metric.key: metric.rule for metric in made.metrics}
    progress = [stage for stage in made.graph.stages if stage.kind is StageKind.PROGRESS]
    for stage, following in pairwise(progress):
        assert rules[stage.goal_metric] == following.entry_rule
