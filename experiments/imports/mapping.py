"""Reading a mapping file, and the columns that a mapping needs of its data file."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from experiments.errors import InvalidError, MalformedError
from experiments.imports.fields import places
from experiments.imports.parts import FigureColumns, TimeRule, When
from experiments.imports.reading import FileForm
from experiments.imports.schemas import (
    AnyMapping,
    EventsMapping,
    Kind,
    SnapshotsMapping,
    TotalsMapping,
    VisitorsMapping,
)
from experiments.journeys.documents import load
from experiments.shapes import parse

Need = tuple[str, Iterable[str]]


def read_mapping(path: Path) -> AnyMapping:
    """The mapping that a YAML (or JSON) file holds.

    Raises:
        MalformedError: when the file cannot be read as YAML.
        InvalidError: naming the fields that are wrong.
    """
    try:
        said = path.read_text(encoding="utf-8")
    except OSError as error:
        message = f"{path} cannot be opened: {error.strerror}."
        raise MalformedError(message) from error
    except UnicodeDecodeError as error:
        message = f"{path.name} is not UTF-8 (byte {error.start + 1}); save it as UTF-8."
        raise MalformedError(message) from error
    return parse_mapping(load(said))


def parse_mapping(document: Mapping[str, Any]) -> AnyMapping:
    """The mapping in `document`, in the shape that its kind asks for.

    Raises:
        InvalidError: naming the fields that are wrong.
    """
    match document.get("kind"):
        case Kind.VISITORS:
            return parse(VisitorsMapping, document)
        case Kind.EVENTS:
            return parse(EventsMapping, document)
        case Kind.TOTALS:
            return parse(TotalsMapping, document)
        case Kind.SNAPSHOTS:
            return parse(SnapshotsMapping, document)
        case _:
            raise InvalidError.at("/kind", f"must be one of: {', '.join(Kind)}")


def file_form(mapping: AnyMapping) -> FileForm:
    """How the mapping says that its file is written."""
    return FileForm(delimiter=mapping.delimiter, missing=frozenset(mapping.missing))


def needed_columns(mapping: AnyMapping) -> dict[str, str]:
    """Every column that the mapping names, with the place in the mapping that names it."""
    found: dict[str, str] = {}
    for pointer, columns in _needs(mapping):
        for column in columns:
            found.setdefault(column, pointer)
    return found


def condition_columns(condition: Mapping[str, Any]) -> Iterator[str]:
    """The columns that a condition looks at."""
    for key, value in condition.items():
        if key in {"$and", "$or", "$nor"}:
            for part in value:
                yield from condition_columns(part)
        elif key == "$not":
            yield from condition_columns(value)
        else:
            yield key


def _needs(mapping: AnyMapping) -> Iterator[Need]:
    if isinstance(mapping, VisitorsMapping):
        yield from _of_visitors(mapping)
    elif isinstance(mapping, EventsMapping):
        yield from _of_events(mapping)
    elif isinstance(mapping, TotalsMapping):
        yield from _of_totals(mapping)
    else:
        yield from _of_snapshots(mapping)


def _of_visitors(mapping: VisitorsMapping) -> Iterator[Need]:
    yield "/visitor", places(mapping.visitor)
    yield "/at/text", _of_time(mapping.at)
    yield "/variant", places(mapping.variant)
    for number, outcome in enumerate(mapping.outcomes):
        yield f"/outcomes/{number}/where", condition_columns(outcome.where)
    for number, amount in enumerate(mapping.amounts):
        yield f"/amounts/{number}/column", [amount.column]
    for key, column in mapping.attributes.items():
        yield f"/attributes/{key}", [column]
    for key, condition in mapping.fits.items():
        yield f"/fits/{key}", condition_columns(condition)


def _of_events(mapping: EventsMapping) -> Iterator[Need]:
    yield "/visitor", places(mapping.visitor)
    yield "/at/text", _of_time(mapping.at)
    yield "/event", places(mapping.event)
    yield "/message_id", places(mapping.message_id or "")
    for name, column in mapping.properties.items():
        yield f"/properties/{name}", [column]


def _of_totals(mapping: TotalsMapping) -> Iterator[Need]:
    yield "/experiment/key", places(mapping.experiment.key)
    yield "/experiment/name", places(mapping.experiment.name)
    yield "/variant", places(mapping.variant)
    yield "/variant_name", places(mapping.variant_name or "")
    yield "/at/text", _of_time(mapping.at)
    yield "/visitors", [mapping.visitors]
    for number, outcome in enumerate(mapping.outcomes):
        yield f"/outcomes/{number}/column", [outcome.column]
    for number, amount in enumerate(mapping.amounts):
        yield f"/amounts/{number}/sum", [amount.sum]
        yield f"/amounts/{number}/squares", [amount.squares]


def _of_snapshots(mapping: SnapshotsMapping) -> Iterator[Need]:
    yield "/experiment/key", places(mapping.experiment.key)
    yield "/experiment/name", places(mapping.experiment.name)
    yield "/variant", places(mapping.variant)
    yield "/metric", places(mapping.metric)
    yield "/day", [mapping.day]
    yield from _of_figures("/figures", mapping.figures)
    if mapping.control is not None:
        yield from _of_figures("/control", mapping.control)


def _of_time(when: When) -> list[str]:
    return places(when.text) if isinstance(when, TimeRule) else []


def _of_figures(pointer: str, figures: FigureColumns) -> Iterator[Need]:
    yield f"{pointer}/visitors", [figures.visitors]
    yield f"{pointer}/mean", [figures.mean]
    yield f"{pointer}/variance", [figures.variance]
