"""Numbers in addresses, no larger than a key of a table can be."""

from typing import Any

from werkzeug.routing import IntegerConverter, Map

LARGEST_NUMBER = 2**31 - 1


class NumberConverter(IntegerConverter):
    """A whole number that every database can look up."""

    def __init__(self, map: Map, **given: Any) -> None:  # noqa: A002 (Werkzeug's name)
        super().__init__(map, **{"max": LARGEST_NUMBER, **given})
