"""Mappings: what is wrong in them is named with its fix."""

from pathlib import Path
from typing import Any

import pytest

from experiments.errors import InvalidError, MalformedError
from experiments.imports.mapping import parse_mapping, read_mapping
from experiments.imports.schemas import Kind

MAPPINGS = Path(__file__).parents[3] / "docs/how-to/import-mappings"


@pytest.mark.parametrize("path", sorted(MAPPINGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_mapping__of_the_documentation__then_it_reads(path: Path) -> None:
    assert read_mapping(path).kind in Kind


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"kind": "rows"}, "kind: must be one of: visitors, events, totals, snapshots"),
        ({"visiter": "{id}"}, "visiter: unknown field; check the spelling or remove it"),
        ({"variant": None}, "variant: Input should be a valid string"),
        ({"at": "2026-01-05T00:00:00"}, "must carry a time zone"),
        ({"at": {"text": "{t}", "zone": "Europe/Room"}}, "write one like Europe/Rome"),
        ({"fits": {"newer": {"a": 1}}}, "fits: 'newer' is not a variant"),
        ({"outcomes": []}, "outcomes: List should have at least 1 item"),
        ({"amounts": [{"key": "bought", "name": "B", "column": "b"}]}, "have the same key"),
        (
            {"outcomes": [{"key": "a", "name": "A", "where": {"n": {"$gt": [1]}}}]},
            "outcomes/0/where",
        ),
    ],
)
def test_mapping__wrong_field__then_error_names_it(
    visitors_mapping: dict[str, Any], change: dict[str, Any], problem: str
) -> None:
    with pytest.raises(InvalidError) as caught:
        parse_mapping(visitors_mapping | change)
    assert problem in str(caught.value)


def test_mapping__no_control_or_two__then_error_says_how_many(
    visitors_mapping: dict[str, Any],
) -> None:
    visitors_mapping["experiment"]["variants"][1]["control"] = True
    with pytest.raises(InvalidError, match="mark exactly one variant with `control: true`"):
        parse_mapping(visitors_mapping)


def test_mapping__broken_yaml__then_error_names_line(tmp_path: Path) -> None:
    path = tmp_path / "mapping.yaml"
    path.write_text("kind: visitors\n  journey: [", encoding="utf-8")
    with pytest.raises(MalformedError, match="line 2"):
        read_mapping(path)
