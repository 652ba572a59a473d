"""Where an id stands in plain text: answers that were logged, and what was refused."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, or_
from sqlmodel import col

from experiments.events.models import RejectedEvent
from experiments.inbox.models import DeadLetter
from experiments.replay.models import LoggedResolution


def of_answers(ids: Sequence[str]) -> ColumnElement[bool]:
    """Answers that were logged under one of these ids."""
    return col(LoggedResolution.visitor).in_(ids)


def of_refused(ids: Sequence[str]) -> ColumnElement[bool]:
    """Refused events that name one of these ids."""
    return _in_text(col(RejectedEvent.body), ids)


def of_dead_letters(ids: Sequence[str]) -> ColumnElement[bool]:
    """Dead letters that name one of these ids."""
    return or_(col(DeadLetter.body).in_(ids), _in_text(col(DeadLetter.body), ids))


def _in_text(body: Any, ids: Sequence[str]) -> ColumnElement[bool]:
    # As a value of JSON, so that an id is not found inside a longer one.
    return or_(*(body.contains(json.dumps(value), autoescape=True) for value in ids))
