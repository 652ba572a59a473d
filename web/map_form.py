"""Stages and touchpoints as forms: what was typed as fields of a map, pain points row by row."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flask import request

from experiments.journeys.schemas import ContentIn, JourneyGraph, Stage, Touchpoint
from experiments.shapes import parse
from web.contents import read_payload
from web.requests import document, number, text, whole_number

MOST_ROWS = 20
CHANNELS = "web, app, email, phone, paper, shop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Text typed for a slot that becomes new content, and the row of the slot that shows it."""

    row: int
    content: ContentIn


def read_graph(graph: JourneyGraph) -> JourneyGraph:
    """The map with the entry points and the goal that were chosen."""
    chosen = {"entry_points": request.form.getlist("entry_points"), "goal": text("goal")}
    return parse(JourneyGraph, {**graph.model_dump(), **chosen})


def read_stage(before: Stage) -> Stage:
    """A stage as it was typed; its key and its touchpoints stay."""
    return parse(
        Stage,
        {
            "key": before.key,
            "touchpoints": before.touchpoints,
            "name": text("name"),
            "kind": text("kind"),
            "customer_question": text("customer_question"),
            "entry_rule": {"event": text("event"), "where": document("where")},
            "goal_metric": text("goal_metric"),
            "expected_dwell_hours": whole_number("expected_dwell_hours"),
            "next": request.form.getlist("next"),
            "pain_points": list(_pain_points()),
        },
    )


def read_touchpoint(before: Touchpoint, slots: Sequence[dict[str, object]]) -> Touchpoint:
    """A touchpoint as it was typed, with these slots; its key stays."""
    fields = ("name", "initiator", "owner", "expose")
    return parse(
        Touchpoint,
        {
            "key": before.key,
            **{field: text(field) for field in fields},
            "channels": text("channels").replace(",", " ").split() or ["web"],
            "required": bool(request.form.get("required")),
            "repeatable": bool(request.form.get("repeatable")),
            "wait_hours": whole_number("wait_hours"),
            "promise": _promise(),
            "slots": list(slots),
        },
    )


def read_slots(touchpoint: str) -> tuple[list[dict[str, object]], list[Written]]:
    """The slots that were typed, and the texts among them that must become content first."""
    slots: list[dict[str, object]] = []
    written: list[Written] = []
    for row in _rows("slot_key"):
        key, kind = text(f"slot_key_{row}"), text(f"slot_type_{row}") or "string"
        content, _, version = text(f"slot_content_{row}").rpartition("@")
        shown = {"content": content or f"{touchpoint}-{key}", "content_version": int(version or 1)}
        typed = text(f"slot_text_{row}")
        if typed:
            payload = read_payload(kind, typed, f"/slot_text_{row}")
            made = {"key": shown["content"], "type": kind, "payload": payload}
            written.append(Written(row=len(slots), content=parse(ContentIn, made)))
        slots.append({"key": key, "type": kind, **shown})
    return slots, written


def _pain_points() -> Iterator[dict[str, object]]:
    for row in _rows("pain"):
        yield {
            "statement": text(f"pain_{row}"),
            "evidence": text(f"evidence_{row}"),
            "severity": whole_number(f"severity_{row}") or 2,
            "status": text(f"status_{row}") or "open",
        }


def _promise() -> dict[str, object] | None:
    if not text("promise"):
        return None
    return {
        "statement": text("promise"),
        "metric": text("promise_metric") or None,
        "threshold": number("promise_threshold"),
        "window_hours": whole_number("promise_window"),
    }


def _rows(field: str) -> list[int]:
    return [row for row in range(1, MOST_ROWS + 1) if text(f"{field}_{row}")]
