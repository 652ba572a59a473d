"""Sufficient statistics of one arm: they add exactly, and everything else is computed from them."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from stats.arrays import (
    FloatArray,
    Numbers,
    counts,
    finite,
    non_negative,
    undefined_is_masked,
)
from stats.errors import InvalidInputError

# Sums of squares carry rounding errors: below the first share of the sum a variance cannot be
# told from zero; a variance below minus the second share cannot come from rounding.
_UNRESOLVED = 8 * np.finfo(np.float64).eps
_IMPOSSIBLE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Randomised visitors of an arm and how many of them converted, shape (...).

    >>> Counts(visitors=1000, conversions=50) + Counts(visitors=500, conversions=30)
    Counts(visitors=array(1500.), conversions=array(80.))
    """

    visitors: FloatArray
    conversions: FloatArray

    def __init__(self, *, visitors: Numbers, conversions: Numbers) -> None:
        n, x = np.broadcast_arrays(counts("visitors", visitors), counts("conversions", conversions))
        if np.any(x > n):
            raise InvalidInputError("conversions", "must not exceed the visitors")
        object.__setattr__(self, "visitors", n)
        object.__setattr__(self, "conversions", x)

    def __add__(self, other: Self) -> Self:
        return type(self)(
            visitors=np.asarray(self.visitors + other.visitors),
            conversions=np.asarray(self.conversions + other.conversions),
        )

    @property
    @undefined_is_masked
    def rate(self) -> FloatArray:
        """Conversions per visitor; NaN without visitors."""
        return self.conversions / self.visitors


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """Units, mean and sum of squared deviations of one metric in an arm, shape (...).

    Merging follows Chan, Golub and LeVeque (1983), doi:10.1080/00031305.1983.10483115, and keeps
    precision where sums of squares cancel (mean 1e9 with standard deviation 1).

    >>> Moments.from_values([1.0, 2.0]) + Moments.from_values([6.0])
    Moments(n=array(3.), mean=array(3.), m2=array(14.))
    """

    n: FloatArray
    mean: FloatArray
    m2: FloatArray

    def __init__(self, *, n: Numbers, mean: Numbers, m2: Numbers) -> None:
        units, centre, squares = np.broadcast_arrays(
            counts("n", n), finite("mean", mean), non_negative("m2", m2)
        )
        object.__setattr__(self, "n", units)
        object.__setattr__(self, "mean", centre)
        object.__setattr__(self, "m2", squares)

    @classmethod
    def from_values(cls, values: Numbers) -> Self:
        """Summarise the values of single units, shape (..., n_units)."""
        array = finite("values", values)
        n = array.shape[-1]
        mean = array.sum(axis=-1) / max(n, 1)
        return cls(n=n, mean=mean, m2=((array - mean[..., None]) ** 2).sum(axis=-1))

    @classmethod
    def from_mean_sd(cls, *, n: Numbers, mean: Numbers, sd: Numbers) -> Self:
        """Take a mean and the n-1 standard deviation as a report prints them."""
        spread = non_negative("sd", sd)
        return cls(n=n, mean=mean, m2=spread**2 * np.maximum(counts("n", n) - 1, 0))

    @classmethod
    def from_sums(cls, *, n: Numbers, total: Numbers, total_squares: Numbers) -> Self:
        """Take raw sums as a database delivers them.

        Raises:
            InvalidInputError: the sum of squares is below total^2 / n, or units are missing.
        """
        joint = JointMoments.from_sums(
            n=n,
            totals=finite("total", total)[..., None],
            products=finite("total_squares", total_squares)[..., None, None],
        )
        return cls(n=joint.n, mean=joint.means[..., 0], m2=joint.comoments[..., 0, 0])

    def __add__(self, other: Self) -> Self:
        n = self.n + other.n
        share = other.n / np.maximum(n, 1)
        delta = other.mean - self.mean
        return type(self)(
            n=np.asarray(n),
            mean=np.asarray(self.mean + delta * share),
            m2=np.asarray(self.m2 + other.m2 + delta**2 * self.n * share),
        )

    @property
    @undefined_is_masked
    def variance(self) -> FloatArray:
        """Sample variance with n - 1; NaN below two units."""
        return np.where(self.n > 1, self.m2 / (self.n - 1), np.nan)


@dataclass(frozen=True, slots=True, kw_only=True)
class JointMoments:
    """Units, means and co-moments of k quantities measured on the same units of an arm.

    `n` has shape (...), `means` (..., k), and `comoments` (..., k, k): the sums of products of
    deviations. A ratio metric has k = 2; a metric with c covariates has k = 1 + c.
    """

    n: FloatArray
    means: FloatArray
    comoments: FloatArray

    def __init__(self, *, n: Numbers, means: Numbers, comoments: Numbers) -> None:
        units, centres = counts("n", n), finite("means", means)
        products = finite("comoments", comoments)
        if centres.ndim < 1 or products.shape[-2:] != (centres.shape[-1],) * 2:
            raise InvalidInputError("comoments", "must end in a k x k matrix for k means")
        _require_possible(products)
        object.__setattr__(self, "n", units)
        object.__setattr__(self, "means", centres)
        object.__setattr__(self, "comoments", products)

    @classmethod
    def from_values(cls, values: Numbers) -> Self:
        """Summarise rows of units, shape (..., n_units, k)."""
        rows = finite("values", values)
        n = rows.shape[-2]
        means = rows.sum(axis=-2) / max(n, 1)
        centred = rows - means[..., None, :]
        return cls(n=n, means=means, comoments=centred.swapaxes(-1, -2) @ centred)

    @classmethod
    def from_sums(cls, *, n: Numbers, totals: Numbers, products: Numbers) -> Self:
        """Take raw sums, shape (..., k), and raw sums of products, shape (..., k, k).

        Raises:
            InvalidInputError: no data could have these sums.
        """
        units, sums = counts("n", n), finite("totals", totals)
        raw = finite("products", products)
        if np.any((units == 0) & (np.any(sums != 0, axis=-1) | np.any(raw != 0, axis=(-2, -1)))):
            raise InvalidInputError("n", "is zero although sums are not")
        means = sums / np.maximum(units, 1)[..., None]
        centred = raw - means[..., :, None] * sums[..., None, :]
        squares = np.sqrt(np.abs(np.diagonal(raw, axis1=-2, axis2=-1)))
        scale = squares[..., :, None] * squares[..., None, :]
        if np.any(np.diagonal(centred < -_IMPOSSIBLE * scale, axis1=-2, axis2=-1)):
            raise InvalidInputError("total_squares", "must be at least total^2 / n")
        return cls(
            n=units,
            means=means,
            comoments=np.where(np.abs(centred) <= _UNRESOLVED * scale, 0.0, centred),
        )

    def __add__(self, other: Self) -> Self:
        n = self.n + other.n
        share = other.n / np.maximum(n, 1)
        delta = other.means - self.means
        between = delta[..., :, None] * delta[..., None, :] * (self.n * share)[..., None, None]
        return type(self)(
            n=np.asarray(n),
            means=self.means + delta * share[..., None],
            comoments=self.comoments + other.comoments + between,
        )

    def marginal(self, position: int) -> Moments:
        """Return the moments of one of the k quantities."""
        return Moments(
            n=self.n,
            mean=self.means[..., position],
            m2=self.comoments[..., position, position],
        )

    @property
    @undefined_is_masked
    def covariance(self) -> FloatArray:
        """Sample covariance with n - 1, shape (..., k, k); NaN below two units."""
        n = self.n[..., None, None]
        return np.where(n > 1, self.comoments / (n - 1), np.nan)


def _require_possible(comoments: FloatArray) -> None:
    squares = np.diagonal(comoments, axis1=-2, axis2=-1)
    if np.any(squares < 0):
        raise InvalidInputError("comoments", "must not have negative sums of squares")
    # The root before the product, which would vanish for tiny squares.
    limit = np.sqrt(squares)[..., :, None] * np.sqrt(squares)[..., None, :]
    # Raw sums lose the last digits of a co-moment, so that only a clear breach is an error.
    largest = np.max(np.abs(comoments), axis=(-2, -1), keepdims=True, initial=0.0)
    if np.any(np.abs(comoments) > limit + 1e-6 * largest):
        raise InvalidInputError("comoments", "break the Cauchy-Schwarz inequality")
