"""An export is what SQL holds of a period, the same in both formats, and overwrites nothing."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pyarrow import parquet

from experiments.analysis.service import analyse
from experiments.database import transaction
from experiments.errors import ConflictError
from experiments.exports import service
from experiments.exports.schemas import Format, Part, Period

DAY = timedelta(days=1)


@pytest.fixture
def filled(session, start_trial, act, now):
    """An experiment with six visitors on two days, four of whom signed up."""
    trial = start_trial()
    for day, arm in enumerate(("control", "bold")):
        trial.expose(arm, 2, at=now + day * DAY, acts=[act("Signed Up", 1, {"price": 9.5})])
        trial.expose(arm, 1, at=now + day * DAY, contaminated=True)
    return trial


@pytest.fixture
def written(session, filled, engine, tmp_path, now):
    """Writes a part to a file and reads it."""
    session.commit()

    def write(part: Part, form: Format = Format.NDJSON, **period: datetime) -> list[dict]:
        path = tmp_path / f"{part}.{form}"
        rows = service.export(
            engine, part, path, form=form, period=Period(**period), now=now + 9 * DAY
        )
        if form is Format.PARQUET:
            found = parquet.read_table(path).to_pylist()
        else:
            found = [json.loads(line) for line in path.read_text().splitlines()]
        assert len(found) == rows
        return found

    return write


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_export__events__are_all_there_with_their_properties(written):
    found = written(Part.EVENTS)
    assert [row["visitor"] for row in found] == [1, 2, 4, 5]
    assert found[0]["properties"] == {"price": 9.5}
    assert found[0]["occurred_at"] == "2026-03-02T10:00:00+00:00"


def test_export__exposures_and_assignments__name_experiment_and_arm(written):
    exposures, assignments = written(Part.EXPOSURES), written(Part.ASSIGNMENTS)
    arms = [("headline", arm, 1) for arm in ("control", "bold") for _ in range(3)]
    for rows in (exposures, assignments):
        assert [(row["experiment"], row["variant"], row["phase"]) for row in rows] == arms
    assert [row["contaminated"] for row in assignments] == [False, False, True] * 2


def test_export__results__are_the_readouts(engine, written, now):
    with transaction(engine) as session:
        analyse(session, "headline", now=now + 3 * DAY)
    (row,) = written(Part.RESULTS)
    assert (row["experiment"], row["look"]) == ("headline", 1)
    assert row["readout"]["metrics"]


@pytest.mark.parametrize("part", Part)
def test_export__both_formats__say_the_same(written, part):
    lines, columns = written(part), written(part, Format.PARQUET)
    for line, row in zip(lines, columns, strict=True):
        for name, value in row.items():
            if isinstance(value, datetime):
                assert datetime.fromisoformat(line[name]) == value
            elif isinstance(line[name], dict):
                assert line[name] == json.loads(value)
            else:
                assert line[name] == value


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_export__a_period__has_its_first_and_not_its_last_moment(written, now):
    rows = written(Part.EXPOSURES, since=now + DAY, until=now + DAY + DAY / 2)
    assert [row["variant"] for row in rows] == ["bold"] * 3
    assert written(Part.ASSIGNMENTS, until=now) == []


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_export__more_rows_than_a_chunk__loses_and_doubles_none(written, monkeypatch):
    monkeypatch.setattr(service, "CHUNK", 2)
    assert [row["id"] for row in written(Part.EXPOSURES)] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_export__a_file_of_that_name__stays_as_it_is(written, tmp_path: Path):
    path = tmp_path / "events.ndjson"
    path.write_text("mine")
    with pytest.raises(ConflictError, match="exists"):
        written(Part.EVENTS)
    assert path.read_text() == "mine"


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_export__it_fails_halfway__leaves_no_file_that_looks_whole(written, monkeypatch, tmp_path):
    def fail(*_):
        raise OSError

    monkeypatch.setattr(service, "fetched", fail)
    with pytest.raises(OSError):  # noqa: PT011 (it has no words)
        written(Part.EVENTS)
    assert not (tmp_path / "events.ndjson").exists()
