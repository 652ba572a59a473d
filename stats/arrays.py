"""How numbers enter and leave the engine: validated float64 in, masked arrays with reasons out.

A method validates its arguments with the checks below, computes on whole arrays under
`undefined_is_masked`, names the undefined elements with `first_reason`, and returns a frozen
dataclass derived from `Estimates`, which masks them. No method can return NaN or infinity.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from enum import IntEnum
from typing import Self, TypeAlias

import numpy as np
import numpy.typing as npt

from stats.errors import InvalidInputError
from stats.results import NotEstimable

FloatArray: TypeAlias = npt.NDArray[np.float64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
ReasonArray: TypeAlias = npt.NDArray[np.int8]
Numbers: TypeAlias = npt.ArrayLike

undefined_is_masked = np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore")
"""Decorator of functions whose undefined elements are masked by `Estimates` afterwards."""


class Reason(IntEnum):
    """Why an element is undefined; `OK` (0) when it is not."""

    OK = 0
    NO_UNITS = 1
    TOO_FEW_UNITS = 2
    NO_VARIANCE = 3
    ZERO_BASELINE = 4
    ZERO_DENOMINATOR = 5
    UNBOUNDED = 6
    TOO_LARGE = 7
    NO_INFORMATION = 8
    NOT_REACHED = 9
    NO_COVARIATE = 10
    ZERO_TREATMENT = 11

    @property
    def words(self) -> str:
        """Say the reason in words a growth lead understands."""
        return _WORDS[self]


_WORDS = {
    Reason.OK: "defined",
    Reason.NO_UNITS: "an arm has no visitors yet",
    Reason.TOO_FEW_UNITS: "an arm has fewer visitors than the method needs",
    Reason.NO_VARIANCE: "every visitor has the same value, so chance cannot be judged",
    Reason.ZERO_BASELINE: "control is not above zero, so a relative change does not exist",
    Reason.ZERO_DENOMINATOR: "the denominator of the ratio is zero in an arm",
    Reason.UNBOUNDED: "control is too close to zero for a bounded interval",
    Reason.TOO_LARGE: "the numbers are too large or too small to compute with",
    Reason.NO_INFORMATION: "no information has arrived yet",
    Reason.NOT_REACHED: "too few visitors have reached this point",
    Reason.NO_COVARIATE: "the covariates do not vary independently",
    Reason.ZERO_TREATMENT: "treatment is not above zero, so a relative change has no interval",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates:
    """Base of all results: arrays of one shape, masked where `reason` is not `Reason.OK`.

    Fields of a subclass may be given as plain arrays; they are broadcast with `reason` and
    masked. What is undefined holds NaN under its mask, so that it cannot pass for a number even
    when the mask is ignored. Zero-dimensional results hold NumPy floats, or `numpy.ma.masked`.
    """

    reason: ReasonArray

    def __post_init__(self) -> None:
        names = [field.name for field in fields(self) if field.name != "reason"]
        values = np.broadcast_arrays(self.reason, *(getattr(self, name) for name in names))
        finite = np.logical_and.reduce([np.isfinite(np.ma.getdata(v)) for v in values])
        reason = np.where((values[0] == Reason.OK) & ~finite, Reason.TOO_LARGE, values[0])
        undefined = reason != Reason.OK
        object.__setattr__(self, "reason", reason.astype(np.int8)[()])
        for name, value in zip(names, values[1:], strict=True):
            hidden = np.where(undefined, np.nan, value) if undefined.any() else value
            object.__setattr__(self, name, np.ma.array(hidden, mask=undefined)[()])

    def at(self, index: int | tuple[int, ...] = ()) -> Self | NotEstimable:
        """Return one element as a result of NumPy floats, or the reason why it is undefined.

        Args:
            index: position in the result's shape; nothing for a zero-dimensional result.
        """
        code = Reason(int(np.asarray(self.reason)[index]))
        if code != Reason.OK:
            return NotEstimable(code.words)
        return replace(
            self, **{f.name: np.ma.getdata(getattr(self, f.name))[index] for f in fields(self)}
        )


def first_reason(
    *checks: tuple[npt.ArrayLike, Reason], known: npt.ArrayLike = Reason.OK
) -> ReasonArray:
    """Name what is `known` already, else the first check that holds, else `Reason.OK`.

    Args:
        checks: pairs of a condition, shape (...), and the reason it stands for.
        known: reason codes of earlier steps, shape (...).

    >>> first_reason(([True, False], Reason.NO_UNITS), ([True, True], Reason.NO_VARIANCE))
    array([1, 3], dtype=int8)
    """
    conditions = np.broadcast_arrays(*(np.asarray(condition, bool) for condition, _ in checks))
    found = np.select(conditions, [np.int8(reason) for _, reason in checks], np.int8(Reason.OK))
    earlier = np.asarray(known, np.int8)
    return np.where(earlier != Reason.OK, earlier, found)


def finite(field: str, values: Numbers) -> FloatArray:
    """Return `values` as float64, or raise `InvalidInputError` for what is not a finite number."""
    try:
        array = np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInputError(field, "must be numbers") from error
    return _require(field, array, np.isfinite, "must be finite numbers")


def non_negative(field: str, values: Numbers) -> FloatArray:
    """Return `values` as float64, or raise `InvalidInputError` unless all are >= 0."""
    return _require(field, finite(field, values), lambda x: x >= 0, "must not be negative")


def positive(field: str, values: Numbers) -> FloatArray:
    """Return `values` as float64, or raise `InvalidInputError` unless all are > 0."""
    return _require(field, finite(field, values), lambda x: x > 0, "must be above zero")


def counts(field: str, values: Numbers) -> FloatArray:
    """Return `values` as float64, or raise `InvalidInputError` unless all are whole and >= 0."""
    array = non_negative(field, values)
    return _require(field, array, lambda x: x == np.floor(x), "must be whole numbers")


def probability(field: str, values: Numbers) -> FloatArray:
    """Return `values` as float64, or raise `InvalidInputError` unless all are in [0, 1]."""
    array = finite(field, values)
    return _require(field, array, lambda x: (x >= 0) & (x <= 1), "must be between 0 and 1")


def open_probability(field: str, values: Numbers) -> FloatArray:
    """Return `values` as float64, or raise `InvalidInputError` unless all are inside (0, 1)."""
    array = finite(field, values)
    return _require(field, array, lambda x: (x > 0) & (x < 1), "must lie strictly inside 0 and 1")


def _require(
    field: str, array: FloatArray, holds: Callable[[FloatArray], BoolArray], fix: str
) -> FloatArray:
    if not np.all(holds(array)):
        raise InvalidInputError(field, fix)
    return array
