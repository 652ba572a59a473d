"""Conditions on attributes, in MongoDB-style JSON with the semantics of the GrowthBook SDKs."""

from collections.abc import Mapping
from typing import Any


def check_condition(condition: Mapping[str, Any]) -> None:
    """Refuse a condition that could not mean what its author thinks."""
