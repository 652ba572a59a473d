"""Whether an effect differs between groups of visitors: described, never decided on."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from experiments.analysis.comparison import SHOWN_ALPHA
from experiments.analysis.protocol import DEFAULT_N_STAR
from experiments.analysis.schemas import Estimate
from experiments.analysis.strata import compared_arms
from experiments.descriptions.counting import Division
from experiments.descriptions.schemas import Group, Segmentation
from experiments.metrics.schemas import MetricKind
from stats.arrays import Reason
from stats.confidence_sequences import asymptotic_cs_two_sided
from stats.effects import ArmEstimate, EffectEstimate, z_effect
from stats.heterogeneity import ShrunkEffects, interaction_test, shrunk_effects
from stats.multiplicity import holm_p_values
from stats.results import NotEstimable

FEWEST_VISITORS = 100
"""A smaller group has no effect of its own that the normal approximation could judge."""

TOO_FEW = NotEstimable(f"fewer than {FEWEST_VISITORS} matured visitors in an arm")
NOT_YET = NotEstimable(
    "that is tested once, at the end of the plan; a test that is decided before leaves it open"
)


def segmentations(
    divisions: Iterable[Division],
    *,
    control: str,
    treatments: Sequence[str],
    kind: MetricKind,
    finished: bool,
) -> list[Segmentation]:
    """The effect of every treatment by every attribute, with tests adjusted for all of them."""
    drafts = [
        (division, variant, _pairs(division, control, variant, kind))
        for division in divisions
        for variant in treatments
    ]
    p_values = _p_values([pairs for _, _, pairs in drafts]) if finished else [NOT_YET] * len(drafts)
    return [
        Segmentation(
            attribute=division.attribute,
            variant=variant,
            groups=_groups(pairs),
            p_value=p_value,
        )
        for (division, variant, pairs), p_value in zip(drafts, p_values, strict=True)
    ]


_Pairs = dict[str, tuple[ArmEstimate, ArmEstimate]]


def _pairs(division: Division, control: str, variant: str, kind: MetricKind) -> _Pairs:
    return {
        value: compared_arms(arms.get(control, []), arms.get(variant, []), kind=kind)
        for value, arms in sorted(division.cells.items())
    }


def _is_enough(control: ArmEstimate, treatment: ArmEstimate) -> bool:
    return min(float(control.n), float(treatment.n)) >= FEWEST_VISITORS


def _groups(pairs: _Pairs) -> list[Group]:
    enough = {value: pair for value, pair in pairs.items() if _is_enough(*pair)}
    shrunk = shrunk_effects(_together(list(enough.values()))) if len(enough) > 1 else None
    expected = {} if shrunk is None else {value: shrunk.at(n) for n, value in enumerate(enough)}
    return [
        _group(value, *pair, expected=expected.get(value, TOO_FEW)) for value, pair in pairs.items()
    ]


def _group(
    value: str,
    control: ArmEstimate,
    treatment: ArmEstimate,
    *,
    expected: ShrunkEffects | NotEstimable,
) -> Group:
    effect: Estimate | NotEstimable = TOO_FEW
    if _is_enough(control, treatment):
        effect = _estimate(_effect(control, treatment), visitors=float(control.n + treatment.n))
    return Group(
        value=value,
        visitors=int(control.n + treatment.n),
        control=_figure(control),
        treatment=_figure(treatment),
        effect=effect,
        expected=(expected if isinstance(expected, NotEstimable) else float(expected.effect)),
    )


def _estimate(effect: EffectEstimate, *, visitors: float) -> Estimate | NotEstimable:
    found = effect.at()
    if isinstance(found, NotEstimable):
        return found
    interval = asymptotic_cs_two_sided(
        float(found.effect_abs),
        float(found.se),
        visitors=visitors,
        alpha=SHOWN_ALPHA,
        n_star=DEFAULT_N_STAR,
    ).at()
    if isinstance(interval, NotEstimable):
        return interval
    return Estimate(
        value=float(interval.effect_abs),
        ci_low=float(interval.ci_low),
        ci_high=float(interval.ci_high),
    )


def _effect(control: ArmEstimate, treatment: ArmEstimate) -> EffectEstimate:
    return z_effect(
        treatment.value - control.value,
        np.sqrt(control.variance + treatment.variance),
        reason=np.maximum(control.reason, treatment.reason),
    )


def _figure(arm: ArmEstimate) -> float | NotEstimable:
    if arm.reason != Reason.OK:
        return NotEstimable(Reason(int(arm.reason)).words)
    return float(arm.value)


def _p_values(asked: Sequence[_Pairs]) -> list[float | NotEstimable]:
    tests = [_test([pair for pair in pairs.values() if _is_enough(*pair)]) for pairs in asked]
    known = [test for test in tests if isinstance(test, float)]
    adjusted: Iterator[float] = iter(holm_p_values(np.array(known)).tolist() if known else [])
    return [next(adjusted) if isinstance(test, float) else test for test in tests]


def _test(pairs: Sequence[tuple[ArmEstimate, ArmEstimate]]) -> float | NotEstimable:
    if len(pairs) < 2:
        return NotEstimable("two groups with enough visitors are needed")
    found = interaction_test(_together(pairs)).at()
    return found if isinstance(found, NotEstimable) else float(found.p_value)


def _together(pairs: Sequence[tuple[ArmEstimate, ArmEstimate]]) -> EffectEstimate:
    effects = [_effect(*pair) for pair in pairs]
    return EffectEstimate(
        **{
            name: np.array([np.ma.getdata(getattr(effect, name)) for effect in effects])
            for name in EffectEstimate.__dataclass_fields__
        }
    )
