"""A dry run shows how rows would be read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from experiments.imports.mapping import parse_mapping
from experiments.imports.service import preview


def test_preview__good_and_bad_row__then_each_is_told(
    write: Callable[[str], Path], visitors_mapping: dict[str, Any]
) -> None:
    path = write("id,arm,bought,spent,country\nu1,A,1,20.5,DE\nu2,Z,0,,\n")
    good, bad = preview(parse_mapping(visitors_mapping), path)
    assert good.reading == {
        "visitor": "u1",
        "variant": "control",
        "at": "2026-01-05 00:00",
        "reached": "bought, spent 20.5",
        "attributes": "country=DE",
    }
    assert (bad.line, bad.problem) == (3, "variant 'Z' is not one of: A, B")
    assert list(path.parent.iterdir()) == [path]


def test_preview__many_rows__then_only_the_first(
    write: Callable[[str], Path], totals_mapping: dict[str, Any]
) -> None:
    rows = "".join(f"t{number},1,201446,10,1\n" for number in range(50))
    shown = preview(parse_mapping(totals_mapping), write(f"test,arm,week,shown,clicks\n{rows}"))
    assert len(shown) == 10
    assert shown[0].reading["arm-1: click"] == "0.1 of 10 by 2014-11-23 00:00"
