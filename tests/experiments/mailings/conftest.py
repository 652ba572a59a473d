"""A week in which much happened, written by hand."""

from datetime import UTC, datetime, timedelta

import pytest

from experiments.analysis.schemas import Light
from experiments.decisions.schemas import Outcome
from experiments.design.schemas import Status
from experiments.journeys.schemas import Change, StageKind
from experiments.reports import service
from experiments.reports.letter import Letter
from experiments.reports.schemas import (
    Alarm,
    Approval,
    Body,
    FunnelStage,
    JourneyChange,
    JourneyFunnel,
    Judgement,
    Lamp,
    ReportOut,
    Reworded,
    TakenBack,
    Waiting,
    Worth,
)
from experiments.reports.telling import tell

SINCE = datetime(2026, 3, 2, tzinfo=UTC)
UNTIL = SINCE + timedelta(days=7)
SPENT = [("Visit", 12480, 11920), ("Signed up", 2311, 2090), ("Activated", 844, 861)]


def judged(outcome: Outcome, name: str, sentence: str, **more: object) -> Judgement:
    shape = {
        "experiment": name.lower().replace(" ", "-"),
        "name": name,
        "journey": "shop",
        "outcome": outcome,
        "variant": "bold",
        "sentence": sentence,
        "at": SINCE + timedelta(days=2, hours=9),
        "actor": "job:decide",
        "rule": ["7 of 7 days are over.", "z is 3.42, the bound of this look is 2.36."],
        "worth": None,
        "worth_unknown": "Nothing was promoted, so nothing is claimed.",
        "trust": Lamp(light=Light.GREEN, reasons=[]),
    }
    return Judgement.model_validate(shape | more)


@pytest.fixture
def body() -> Body:
    worth = Worth(metric="Signed up within a day", value=0.081, low=0.021, high=0.142)
    return Body(
        week="2026-W10",
        since=SINCE,
        until=UNTIL,
        as_of=UNTIL + timedelta(hours=1),
        headline="1 change became part of a standard journey. 2 tests came to their end: 1 with "
        "a proven winner.",
        outcomes={Outcome.PROMOTE: 1, Outcome.INCONCLUSIVE: 1},
        changes=[
            JourneyChange(
                journey="shop",
                name="Shop",
                version=2,
                at=SINCE + timedelta(days=2, hours=9),
                by="job:decide",
                reason="The variant bold won the test Headline.",
                experiment="headline",
                reverts_to=None,
                reworded=[
                    Reworded(
                        touchpoint="Landing page",
                        slot="hero",
                        before="Try it for free.",
                        after="Stop losing <customers> & time.",
                    )
                ],
                changes=[Change(path="stages/visit/touchpoints/landing_page", kind="changed")],
            )
        ],
        promoted=[
            judged(
                Outcome.PROMOTE,
                "Headline",
                "The variant bold brings more people to sign up than the standard.",
                worth=worth,
            )
        ],
        harmful=[],
        nothing_to_conclude=[
            judged(
                Outcome.INCONCLUSIVE,
                "Button colour",
                "Five weeks did not show a difference as large as planned for.",
            )
        ],
        judgements_left_out=0,
        taken_back=[
            TakenBack(
                experiment="reminder",
                name="Reminder mail",
                journey="shop",
                variant="early",
                at=SINCE + timedelta(days=4),
            )
        ],
        approvals=[
            Approval(
                experiment="pricing",
                name="Pricing page",
                journey="club",
                variant="yearly",
                since=SINCE + timedelta(days=1),
            )
        ],
        waiting=[
            Waiting(
                experiment="tour",
                name="Guided tour",
                journey="shop",
                state=Status.RUNNING,
                needs="It needs 312 more matured visitors, about 4 days.",
                trust=Lamp(light=Light.AMBER, reasons=["Events come late."]),
            )
        ],
        waiting_left_out=0,
        alarms=[
            Alarm(
                experiment="tour",
                name="Guided tour",
                journey="shop",
                sentence="6% of the events of the source crm came more than a day late.",
                light=Light.AMBER,
            )
        ],
        alarms_left_out=0,
        funnels=[
            JourneyFunnel(
                journey=journey,
                name=name,
                stages=[
                    FunnelStage(
                        key=stage.lower().replace(" ", "-"),
                        name=stage,
                        kind=StageKind.PROGRESS,
                        visitors=visitors,
                        before=before,
                    )
                    for stage, visitors, before in SPENT
                ],
            )
            for journey, name in (("shop", "Shop"), ("club", "Club"))
        ],
    )


@pytest.fixture
def report(body: Body) -> ReportOut:
    return ReportOut(
        week=body.week,
        as_of=body.as_of,
        data_hash=service.fingerprint(body),
        body=body,
        created_at=body.as_of,
    )


@pytest.fixture
def letter(report: ReportOut) -> Letter:
    return tell(report)
