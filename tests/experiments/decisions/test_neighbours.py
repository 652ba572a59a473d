"""In the world that another experiment leaves behind only one of its arms counts."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.decisions.neighbours import Neighbour, Turn, turn_of
from experiments.interference.schemas import InterferenceOut

OPEN = Neighbour(is_open=True, shipped=None)
KEPT = Neighbour(is_open=False, shipped=None)
EFFECTS = st.floats(-0.5, 0.5).filter(bool)


def worse(effect: float) -> bool:
    return effect < 0


def pair(beside_control: float, beside_variant: float, *, flagged: bool = True) -> InterferenceOut:
    return InterferenceOut(
        experiment="headline",
        variant="bold",
        other="banner",
        other_variant="calm",
        metric="signed-up",
        as_of=datetime(2026, 3, 2, tzinfo=UTC),
        visitors=1_200,
        effect_beside_control=beside_control,
        effect_beside_variant=beside_variant,
        interaction=beside_variant - beside_control,
        ci_low=-1.0,
        ci_high=1.0,
        p_adjusted=0.001,
        flagged=flagged,
        flips=flagged and beside_control * beside_variant < 0,
    )


@pytest.mark.parametrize(
    ("effects", "other", "expected"),
    [
        ((0.2, -0.1), OPEN, Turn.MAY_COME),
        ((0.2, 0.1), OPEN, None),
        ((0.2, -0.1), KEPT, None),
        ((-0.1, 0.2), KEPT, Turn.HAS_COME),
        ((0.2, -0.1), Neighbour(is_open=False, shipped="calm"), Turn.HAS_COME),
        ((-0.1, 0.2), Neighbour(is_open=False, shipped="calm"), None),
        ((0.2, -0.1), Neighbour(is_open=False, shipped="loud"), None),
    ],
)
def test_turn_of__other_experiment__counts_the_arm_that_stands(effects, other, expected):
    assert turn_of(pair(*effects), other, harms=worse) is expected


@given(alone=EFFECTS, beside=EFFECTS, shipped=st.sampled_from([None, "calm", "loud"]))
def test_turn_of__no_interference_flagged__is_never_in_the_way(alone, beside, shipped):
    for is_open in (True, False):
        other = Neighbour(is_open=is_open, shipped=shipped)
        assert turn_of(pair(alone, beside, flagged=False), other, harms=worse) is None


@given(alone=EFFECTS, beside=EFFECTS)
def test_turn_of__metric_to_be_lowered__is_the_mirror_image(alone, beside):
    for shipped in (None, "calm"):
        other = Neighbour(is_open=False, shipped=shipped)
        mirrored = turn_of(pair(-alone, -beside), other, harms=lambda effect: effect > 0)
        assert turn_of(pair(alone, beside), other, harms=worse) is mirrored
