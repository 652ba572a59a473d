"""Long answers in pages: an opaque cursor says where the next page begins."""

from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

from pydantic import Field

from experiments.errors import InvalidError
from experiments.shapes import In, Out

LARGEST_ID = 2**63 - 1


class Query(In):
    """What a view takes from the address behind the question mark."""


class Paging(Query):
    """Which page of a list."""

    limit: int = Field(default=50, ge=1, le=200, description="How many items at most.")
    cursor: str = Field(
        default="", max_length=400, description="`next_cursor` of the page before; empty to begin."
    )

    @property
    def after(self) -> str:
        """The key of the last item of the page before, empty for the first page.

        Raises:
            InvalidError: when the cursor is none of ours.
        """
        try:
            padded = self.cursor + "=" * (-len(self.cursor) % 4)
            return b64decode(padded, altchars=b"-_", validate=True).decode()
        except ValueError as error:  # also what base64 and UTF-8 refuse
            raise _unknown() from error

    @property
    def after_id(self) -> int | None:
        """The same, of a list whose items are told apart by their number.

        Raises:
            InvalidError: when the cursor is none of ours.
        """
        key = self.after
        if not key:
            return None
        if not (key.isascii() and key.isdigit()) or int(key) > LARGEST_ID:
            raise _unknown()
        return int(key)


class Numbered(Protocol):
    """An item with a number of its own."""

    @property
    def id(self) -> int:
        """The number."""


Item = TypeVar("Item", bound=Out)
NumberedItem = TypeVar("NumberedItem", bound=Numbered)
AnyItem = TypeVar("AnyItem")


class Page(Out, Generic[AnyItem]):
    """Some items of a list, and where the next ones begin."""

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """The name that the document of the API gives to a page of such items."""
        return f"{params[0].__name__}Page"

    data: list[AnyItem]
    next_cursor: str | None = Field(description="Send it as `cursor`; null on the last page.")


def page_of(items: Sequence[Item], asked: Paging, key: Callable[[Item], object]) -> "Page[Item]":
    """One page of a list that is all there; `key` tells its items apart.

    Raises:
        InvalidError: when the item that the cursor names is not in the list.
    """
    keys = [str(key(item)) for item in items]
    if asked.after and asked.after not in keys:
        raise _unknown()
    start = keys.index(asked.after) + 1 if asked.after else 0
    end = start + asked.limit
    return Page(
        data=list(items[start:end]), next_cursor=_cursor(keys[end - 1]) if end < len(keys) else None
    )


def page_by_id(found: Sequence[NumberedItem], asked: Paging) -> "Page[NumberedItem]":
    """One page of a list that was read up to one item more than the page takes."""
    shown = list(found[: asked.limit])
    following = _cursor(str(shown[-1].id)) if len(found) > len(shown) else None
    return Page(data=shown, next_cursor=following)


def _cursor(key: str) -> str:
    return urlsafe_b64encode(key.encode()).decode().rstrip("=")


def _unknown() -> InvalidError:
    return InvalidError.at("/cursor", "is no `next_cursor` of this list; leave it out to begin")
