"""Files with a row per visitor against the figures that were published about them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine

from experiments.analysis.schemas import FixedHorizon, MetricReadout, Readout
from experiments.audit.schemas import Actor, ActorKind
from experiments.database import transaction
from experiments.decisions.schemas import Outcome
from experiments.decisions.service import decide
from experiments.imports.schemas import ImportSummary, Refusal

Import = Callable[[str, str], ImportSummary]
Read = Callable[[str], Readout]


def figures(metric: MetricReadout) -> dict[str, Any]:
    return {arm.variant: arm.figure for arm in metric.arms}


def fixed(metric: MetricReadout, variant: str) -> FixedHorizon:
    found = metric.comparison(variant).fixed
    assert isinstance(found, FixedHorizon)
    return found


@pytest.mark.slow
def test_karlan_list__imported__then_published_rates_and_no_alarm(
    import_real: Import, read_out: Read
) -> None:
    assert import_real("karlan-list", "karlan_list_letters.csv.gz").stored == 50_083
    readout = read_out("karlan-list-match")
    assert figures(readout.metric("karlan-list.gave")) == pytest.approx(
        {"control": 0.0179, "match-1": 0.0207, "match-2": 0.0226, "match-3": 0.0227}, abs=5e-5
    )
    assert figures(readout.metric("karlan-list.gift")) == pytest.approx(
        {"control": 0.813, "match-1": 0.937, "match-2": 1.026, "match-3": 0.933}, abs=5e-4
    )
    ratio = readout.quality.sample_ratio
    assert ratio.observed == {
        "control": 16_687,
        "match-1": 11_133,
        "match-2": 11_134,
        "match-3": 11_129,
    }
    assert not ratio.warning
    assert not ratio.alarm


@pytest.mark.slow
def test_cookie_cats__imported__then_published_test_and_a_warning(
    store: Engine, import_real: Import, read_out: Read
) -> None:
    assert import_real("cookie-cats", "cookie_cats.csv.gz").stored == 90_189
    readout = read_out("cookie-cats-gate")
    day_1, day_7 = readout.metric("cookie-cats.day-1"), readout.metric("cookie-cats.day-7")
    assert figures(day_1) == pytest.approx({"gate-30": 0.4482, "gate-40": 0.4423}, abs=5e-5)
    assert figures(day_7) == pytest.approx({"gate-30": 0.1902, "gate-40": 0.1820}, abs=5e-5)
    assert fixed(day_1, "gate-40").p_two_sided == pytest.approx(0.0744, abs=5e-5)
    assert fixed(day_7, "gate-40").p_two_sided == pytest.approx(0.0016, abs=5e-5)
    assert fixed(day_7, "gate-40").effect_abs.ci_low == pytest.approx(-0.0133, abs=5e-5)
    assert fixed(day_7, "gate-40").effect_abs.ci_high == pytest.approx(-0.0031, abs=5e-5)
    ratio = readout.quality.sample_ratio
    assert ratio.p_value == pytest.approx(0.0086, abs=5e-5)
    assert (ratio.warning, ratio.alarm) == (True, False)
    with transaction(store) as session:
        actor = Actor(kind=ActorKind.OPERATOR, name="test")
        now = datetime(2026, 3, 2, 9, tzinfo=UTC)
        decision = decide(session, "cookie-cats-gate", actor=actor, now=now)
    assert decision.outcome is not Outcome.PROMOTE


def test_adsmart__imported__then_stages_and_the_broken_hour(
    import_real: Import, read_out: Read
) -> None:
    assert import_real("adsmart", "adsmart_brand_lift.csv.gz").stored == 8_077
    readout = read_out("adsmart-creative")
    answered, said_yes = readout.metric("adsmart.answered"), readout.metric("adsmart.yes")
    assert [arm.conversions for arm in answered.arms] == [264 + 322, 308 + 349]
    assert [arm.conversions for arm in said_yes.arms] == [264, 308]
    worst = max(readout.quality.broken_periods, key=lambda period: period.log_e_value)
    assert worst.period == "15:00 UTC"
    assert worst.observed == {"control": 1_673, "exposed": 222}


@pytest.mark.slow
def test_landing_page__imported__then_mismatches_are_refused_and_counted(
    import_real: Import, read_out: Read
) -> None:
    summary = import_real("landing-page", "landing_page_excerpt.csv.gz")
    assert summary.reasons == {Refusal.MISMATCH: 614}
    assert (summary.rows, summary.stored) == (45_585, 44_971)
    split = read_out("landing-page-new").quality.sample_ratio.observed
    assert split == {"control": 22_454, "treatment": 22_517}
