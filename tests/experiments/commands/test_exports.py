"""Taking data out at a terminal."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Type = Callable[..., Result]


def test_export__everything__is_a_file_a_part_in_the_folder(type_in: Type, tmp_path: Path) -> None:
    told = type_in("export", "all", str(tmp_path / "out"), "--format", "parquet").output
    names = ["assignments", "events", "exposures", "results"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        f"{name}.parquet" for name in names
    ]
    assert "0 events in" in told


def test_export__the_file_is_there_already__is_a_sentence(type_in: Type, tmp_path: Path) -> None:
    words = ("export", "events", str(tmp_path / "mine.ndjson"))
    type_in(*words)
    assert "exists; remove it" in type_in(*words, code=2).output


@pytest.mark.parametrize(
    ("target", "option", "words"),
    [
        ("mine.csv", (), "target: must end in .ndjson or .parquet"),
        ("mine.ndjson", ("--since", "2026-03-02"), "since:"),
    ],
)
def test_export__what_cannot_be__names_field_and_fix(
    type_in: Type, tmp_path: Path, target: str, option: tuple[str, ...], words: str
) -> None:
    refused = type_in("export", "events", str(tmp_path / target), *option, code=2)
    assert words in refused.output
