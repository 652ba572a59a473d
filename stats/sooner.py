"""Sooner is not more: converting earlier is told apart from converting more often."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from stats.arrays import Estimates, FloatArray, open_probability
from stats.errors import InvalidInputError
from stats.means import welch
from stats.moments import Counts, Moments
from stats.proportions import unpooled_z


class SoonerVerdict(StrEnum):
    """What a variant does to conversions; only `MORE` may be promoted for a conversion metric."""

    MORE = "more"
    SOONER = "sooner"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversionTiming:
    """Visitors of an arm whose conversion window is over, and how long the converters took.

    Attributes:
        matured: visitors past their window and their conversions inside it, shape (...).
        delays: moments of the time from exposure to conversion, one unit per conversion.
    """

    matured: Counts
    delays: Moments

    def __post_init__(self) -> None:
        if not np.array_equal(self.matured.conversions, self.delays.n):
            raise InvalidInputError("delays", "must hold one delay for each matured conversion")


@dataclass(frozen=True, slots=True, kw_only=True)
class SoonerTest(Estimates):
    """Change in matured conversion beside the change in the time it takes.

    Attributes:
        effect_abs: matured conversion rate, treatment minus control.
        p_more: p-value against "treatment does not convert more".
        delay_change: mean time to convert, treatment minus control, in the unit of the delays.
        p_sooner: p-value against "treatment's converters are not faster".
    """

    effect_abs: FloatArray
    p_more: FloatArray
    delay_change: FloatArray
    p_sooner: FloatArray

    def verdict(self, alpha: float = 0.05) -> SoonerVerdict:
        """Name what one element shows (of the result of `at`, or of a result without shape).

        Args:
            alpha: error of each of the two claims.

        Raises:
            InvalidInputError: alpha is not inside (0, 1), or the result is an array or undefined.
        """
        open_probability("alpha", alpha)
        if np.ndim(self.reason) or self.reason != 0:
            raise InvalidInputError("verdict", "needs one defined element; use .at(index)")
        if self.p_more <= alpha:
            return SoonerVerdict.MORE
        return SoonerVerdict.SOONER if self.p_sooner <= alpha else SoonerVerdict.NEITHER


def sooner_not_more(control: ConversionTiming, treatment: ConversionTiming) -> SoonerTest:
    """Test whether treatment brings more conversions or only earlier ones.

    Only matured visitors count, so that a head start cannot look like a gain. The delays are
    compared among converters, which describes a pure shift exactly; where the number of
    conversions changes as well, "more" takes precedence.

    Args:
        control: matured visitors of control, shape (...).
        treatment: matured visitors of treatment, broadcast with control.

    Returns:
        Both comparisons; undefined below two conversions in an arm, or when nothing varies.

    References:
        Welch (1947), doi:10.1093/biomet/34.1-2.28, for the delays.

    >>> delays = Moments.from_mean_sd(n=500, mean=5.0, sd=5.0)
    >>> control = ConversionTiming(matured=Counts(visitors=9000, conversions=500), delays=delays)
    >>> delays = Moments.from_mean_sd(n=505, mean=3.0, sd=3.0)
    >>> fast = ConversionTiming(matured=Counts(visitors=9000, conversions=505), delays=delays)
    >>> print(sooner_not_more(control, fast).verdict())
    sooner
    """
    final = unpooled_z(control.matured, treatment.matured)
    delay = welch(treatment.delays, control.delays)
    return SoonerTest(
        reason=np.where(final.reason != 0, final.reason, delay.reason),
        effect_abs=final.effect_abs,
        p_more=final.p_greater,
        delay_change=-delay.effect_abs,
        p_sooner=delay.p_greater,
    )
