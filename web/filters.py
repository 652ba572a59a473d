"""What templates may call: the formats of numbers, dates and words, and YAML."""

from typing import Any

import yaml
from flask import Flask

from experiments.formats import (
    amount,
    as_of,
    count,
    date,
    difference,
    figure,
    lift,
    measured,
    moment,
    p_value,
    payload,
    percent,
    plural,
    points,
    said,
    score,
    share,
    span,
    who,
    words,
)


def yaml_text(value: Any) -> str:
    """A document as YAML, in the order in which it was written."""
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100)


def is_known(value: object) -> bool:
    """Whether a result exists; one that does not carries the reason instead."""
    return value is not None and not hasattr(value, "reason")


FILTERS = (
    amount,
    as_of,
    count,
    date,
    difference,
    figure,
    lift,
    measured,
    moment,
    p_value,
    payload,
    percent,
    plural,
    points,
    said,
    score,
    share,
    span,
    who,
    words,
    yaml_text,
)


def register(app: Flask) -> None:
    """Give the filters to the templates."""
    for fmt in FILTERS:
        app.add_template_filter(fmt)
    app.add_template_test(is_known, "known")
