"""Another path as rows of a form: what is done, with which stage or touchpoint, and how.

What the rows cannot say (new stages, touchpoints with several slots) is shown as a document
instead, so that nothing is lost when somebody edits what a program wrote.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from experiments.errors import InvalidError
from experiments.journeys.operations import JourneyPatch
from experiments.journeys.schemas import ContentOut, ContentType, Touchpoint
from experiments.shapes import key_of
from web.filters import yaml_text
from web.requests import listing, text, whole_number

MOST_ROWS = 12
PARTED, PARTED_TIMES = "@", 2
OPERATIONS = (
    ("", "Choose"),
    ("skip_touchpoint", "Leave the touchpoint out"),
    ("skip_stage", "Leave the stage out"),
    ("move_touchpoint", "Move the touchpoint to the stage …"),
    ("replace_touchpoint", "Replace the touchpoint by a new one named …"),
    ("add_touchpoint", "Add a touchpoint named … to the stage …"),
    ("set_wait", "Let the touchpoint wait … hours"),
    ("set_channel", "Reach people at the touchpoint through …"),
    ("merge_stages", "Merge the stage into the stage …"),
)
ROW_FIELDS = ("op", "node", "stage", "value", "shows")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One operation as it stands in the form.

    `value` is a name, hours or channels; `shows` names the content of a new touchpoint's slot.
    """

    op: str = ""
    node: str = ""
    stage: str = ""
    value: str = ""
    shows: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PathForm:
    """A path as the form shows it: rows, or a document where rows cannot say it."""

    rows: tuple[Row, ...] = ()
    document: str = ""


def shown(patch: JourneyPatch | None) -> PathForm:
    """The form of a path, with room for one more operation."""
    given = patch.model_dump(mode="json", exclude_defaults=True)["operations"] if patch else []
    rows = [_row(operation) for operation in given]
    if None in rows:
        return PathForm(document=yaml_text(given))
    return PathForm(rows=(*(row for row in rows if row), Row()))


def typed(variant: int) -> PathForm:
    """What was typed for a variant, to be shown again beside what is wrong with it."""
    rows = (
        Row(**{field: text(f"{field}_{variant}_{number}") for field in ROW_FIELDS})
        for number in range(1, MOST_ROWS + 1)
    )
    return PathForm(
        rows=(*(row for row in rows if row.op), Row()), document=text(f"content_{variant}")
    )


def read(variant: int) -> list[object]:
    """The operations of a variant.

    Raises:
        InvalidError: when the document cannot be read, or hours are no whole number.
    """
    if text(f"content_{variant}"):
        return listing(f"content_{variant}")
    numbers = [n for n in range(1, MOST_ROWS + 1) if text(f"op_{variant}_{n}")]
    return [_operation(variant, number) for number in numbers]


def _operation(variant: int, number: int) -> Mapping[str, object]:
    op, node, stage, value, shows = (text(f"{field}_{variant}_{number}") for field in ROW_FIELDS)
    described = {"key": key_of(value), "name": value, **_slots(shows)}
    kinds: dict[str, Mapping[str, object]] = {
        "skip_stage": {"stage": node},
        "skip_touchpoint": {"touchpoint": node},
        "move_touchpoint": {"touchpoint": node, "stage": stage},
        "replace_touchpoint": {"touchpoint": node, "by": described},
        "add_touchpoint": {"stage": stage, "touchpoint": described},
        "set_channel": {"touchpoint": node, "channels": value.replace(",", " ").split()},
        "merge_stages": {"stages": [node, stage], "into": stage},
    }
    if op == "set_wait":
        hours = whole_number(f"value_{variant}_{number}")
        return {"op": op, "touchpoint": node, "hours": 0 if hours is None else hours}
    if op not in kinds:
        raise InvalidError.at(f"/op_{variant}_{number}", f"{op!r} is no operation")
    return {"op": op, **kinds[op]}


def content_option(content: ContentOut) -> str:
    """How a row names a content: its key, version and type."""
    return PARTED.join((content.key, str(content.number), content.type))


def _slots(shows: str) -> dict[str, object]:
    """The slot of a new touchpoint, called as what it shows; none when it shows nothing."""
    if shows.count(PARTED) != PARTED_TIMES:
        return {}
    content, number, kind = shows.split(PARTED)
    said = {"key": content, "content": content}
    if kind != ContentType.STRING:
        said["type"] = kind
    return {"slots": [said if number == "1" else {**said, "content_version": number}]}


def _shows(touchpoint: object) -> str:
    """What the one slot of a touchpoint shows, as a row names it; empty without one."""
    match touchpoint:
        case {"slots": [{"content": str(content), **more}]}:
            number, kind = more.get("content_version", 1), more.get("type", ContentType.STRING)
            return PARTED.join((content, str(number), str(kind)))
    return ""


def _plain(row: Row) -> Mapping[str, object]:
    """A touchpoint that a row can say, as it is stored."""
    made = Touchpoint.model_validate(
        {"key": key_of(row.value), "name": row.value, **_slots(row.shows)}
    )
    return made.model_dump(mode="json", exclude_defaults=True)


def _row(operation: Mapping[str, object]) -> Row | None:
    """The row of an operation; none when it says more than a row can."""
    match operation:
        case {"op": "skip_stage", "stage": str(node)} | {
            "op": "skip_touchpoint",
            "touchpoint": str(node),
        }:
            return Row(op=str(operation["op"]), node=node)
        case {"op": "set_wait", "touchpoint": str(node), "hours": int(hours)}:
            return Row(op="set_wait", node=node, value=str(hours))
        case {"op": "set_channel", "touchpoint": str(node), "channels": [*channels]}:
            return Row(op="set_channel", node=node, value=", ".join(map(str, channels)))
        case {"op": "merge_stages", "stages": [*stages], "into": str(into)} if len(stages) == 2:
            node = next(str(stage) for stage in stages if stage != into)
            return Row(op="merge_stages", node=node, stage=into)
        case {"op": "move_touchpoint", "touchpoint": str(node), "stage": str(stage)} if (
            not operation.get("before")
        ):
            return Row(op="move_touchpoint", node=node, stage=stage)
        case {"op": "replace_touchpoint", "touchpoint": str(node), "by": {"name": str(name)} as by}:
            found = Row(op="replace_touchpoint", node=node, value=name, shows=_shows(by))
            return found if by == _plain(found) else None
        case {"op": "add_touchpoint", "stage": str(stage), "touchpoint": {"name": str(name)} as by}:
            found = Row(op="add_touchpoint", stage=stage, value=name, shows=_shows(by))
            return found if by == _plain(found) and not operation.get("before") else None
    return None
