"""The commands of the catalogue, exclusion, content, visitors and resolving, as they are typed."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from click.testing import Result
from sqlalchemy import text

from experiments.assignment import service as assignment
from experiments.assignment.schemas import AliasKind
from experiments.database import open_engine, transaction
from experiments.notifications.schemas import Notice, Severity
from experiments.notifications.service import notify

Type = Callable[..., Result]
METRIC = """
key: bought
name: Bought
rule: { event: Order Completed }
window_hours: 48
"""
HOLDOUT = "{ key: keep-out, name: Kept out, journey: shop, share: 0.05 }"


def test_metric__created_and_corrected__is_listed_as_it_is_now(type_in: Type) -> None:
    type_in("metric", "create", document=METRIC)
    longer = METRIC.replace("48", "72")

    changed = type_in("metric", "update", "--reason", "too short", "bought", document=longer)

    assert "'bought' is corrected" in changed.output
    assert "72 h" in type_in("metric", "list").output


def test_metric__key_is_taken__is_a_sentence_and_exit_code_2(type_in: Type) -> None:
    type_in("metric", "create", document=METRIC)

    refused = type_in("metric", "create", document=METRIC, code=2)

    assert refused.output.startswith("Error: There is a metric 'bought' already")


def test_layer__experiment_was_given_a_part__is_listed_in_it(shop: Type) -> None:
    shop("layer", "create", "hero", "--name", "Hero")
    placed = """
key: second
name: Second
journey: shop
touchpoint: landing_page
slot: hero_headline
primary_metric: shop.visit
place: { layer: hero, start: 0.5, end: 1.0 }
variants:
  - { key: control, control: true, weight: 0.5 }
  - { key: gain, weight: 0.5, content: Win time. }
"""
    shop("experiment", "create", document=placed)

    listed = " ".join(shop("layer", "list").output.split())

    assert "second 50% to 100% (draft)" in listed


def test_holdout__created_and_ended__says_both(shop: Type) -> None:
    made = shop("holdout", "create", document=HOLDOUT)
    assert "'keep-out' keeps 5.00% out" in made.output

    shop("holdout", "end", "keep-out", "--reason", "enough learned")

    assert "UTC" in shop("holdout", "list").output


def test_content__added_and_approved__may_be_shown(shop: Type) -> None:
    new = "{ key: hero-headline, type: string, payload: Start today. }"

    assert "version 2 is written" in shop("content", "add", "shop", document=new).output
    shop("content", "approve", "shop", "hero-headline", "2")

    assert "Start today." in shop("content", "list", "shop").output


def test_experiment__draft_edited_and_started__goes_on_in_a_second_phase(
    shop: Type, draft: str
) -> None:
    shop("experiment", "edit", "headline", document=draft + "coverage: 0.5\n")
    shop("experiment", "start", "headline")

    opened = shop("experiment", "phase", "headline", document="{ coverage: 1.0, reason: fine }")

    assert "Phase 2 of 'headline' is open." in opened.output


def test_resolve__explained__tells_every_rung_and_writes_nothing(
    shop: Type, tmp_path: Path
) -> None:
    shop("experiment", "start", "headline")

    told = shop("resolve", "shop", "landing_page", "--visitor", "alice", "--explain").output

    assert "holdout" in told
    assert "experiment" in told
    stored = open_engine(f"sqlite:///{tmp_path}/store/desireline.db")
    with stored.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM visitor")).scalar() == 0
    stored.dispose()


def test_visitor__known__is_shown_with_ids(shop: Type, tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/store/desireline.db")
    with transaction(engine) as session:
        at = datetime(2026, 3, 2, tzinfo=UTC)
        assignment.visitor(session, "alice", kind=AliasKind.USER, now=at)
    engine.dispose()

    told = shop("visitor", "show", "alice").output

    assert "Visitor alice, first seen 2026-03-02" in told


def test_visitor__unknown__is_a_sentence_and_exit_code_2(type_in: Type) -> None:
    refused = type_in("visitor", "show", "nobody", code=2)

    assert refused.output == "Error: There is no visitor 'nobody'.\n"


def test_notification__read__is_left_out_of_the_list(shop: Type, tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'store' / 'desireline.db'}")
    subject = ("experiment", "headline")
    notice = Notice(key="k", severity=Severity.INFO, what="It is over.", subject=subject)
    with transaction(engine) as session:
        notify(session, notice, now=datetime(2026, 3, 2, tzinfo=UTC))
    engine.dispose()

    assert "It is over." in shop("notification", "list").output
    shop("notification", "read", "1")

    assert "It is over." not in shop("notification", "list").output
    assert "It is over." in " ".join(shop("notification", "list", "--all").output.split())


def test_trust__test_that_nobody_saw__is_told_with_results_and_in_the_list(
    shop: Type, tmp_path: Path
) -> None:
    shop("experiment", "start", "headline")
    shop("jobs", "run", "analyse")

    told = shop("experiment", "results", "headline").output
    reason = told.split("Trust: ")[1].split()
    assert reason[0] == "AMBER"
    assert len(reason) > 3
    listed = shop("trust", "lights").output.split()
    assert {"headline", "AMBER"} <= set(listed)
    assert "no " in " ".join(shop("trust", "aa").output.split()[-20:]).lower()
    assert "headline beside" in shop("experiment", "interferences", "headline").output
