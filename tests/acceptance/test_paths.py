"""Experiments on paths through HTTP: one that wins, and one that loses."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient

from app import create_app
from experiments.accounts import service as accounts
from experiments.accounts.schemas import TokenIn
from experiments.audit.schemas import Actor, ActorKind
from experiments.database import transaction
from experiments.replay.proving import prove
from experiments.runtime import Runtime
from experiments.settings import Settings

ALICE = Actor(kind=ActorKind.PERSON, name="alice@example.org")
VISITORS = 560
NEWCOMERS = 40
LOOKS_AT_BOTH = 20
SKIP_SIGNUP = {"operations": [{"op": "skip_stage", "stage": "signup"}]}


@dataclass
class Site:
    """A site that talks to the server over HTTP, and a clock that it sets."""

    client: FlaskClient
    clock: Any
    headers: dict[str, str]
    runtime: Runtime

    def ask(self, method: str, address: str, document: Any = None) -> Any:
        found = self.client.open(
            f"/api/v1{address}", method=method, json=document, headers=self.headers
        )
        assert found.status_code < 300, found.text
        return found.get_json()

    def run(self, *jobs: str) -> None:
        for job in jobs:
            self.ask("POST", f"/jobs/{job}/run")

    def show(self, visitor: str, touchpoint: str) -> Any:
        asked = {"visitor": visitor, "journey": "shop", "touchpoint": touchpoint}
        return self.ask("POST", "/resolve", asked)

    def notice(self) -> None:
        """Let this process see what changed, as it does by itself every second."""
        self.runtime.rulesets.look()

    def send(self, events: list[tuple[str, str]]) -> None:
        batch = [
            {
                "type": "track",
                "event": event,
                "userId": visitor,
                "messageId": f"{visitor}-{event}",
                "timestamp": self.clock.at.isoformat(),
            }
            for visitor, event in events
        ]
        for start in range(0, len(batch), 400):
            document = {"batch": batch[start : start + 400]}
            sent = self.client.post("/v1/batch", json=document, headers=self.headers)
            assert sent.status_code == 200, sent.text

    def stages(self, visitor: str) -> list[Any]:
        found = self.ask("GET", f"/visitors/{visitor}/journeys")
        walks: list[Any] = found["data"]
        return walks


@pytest.fixture
def site(tmp_path: Path, migrated_sqlite: Path, clock: Any) -> Iterator[Site]:
    shutil.copyfile(migrated_sqlite, tmp_path / "desireline.db")
    settings = Settings(
        data_dir=tmp_path, database_url="", secret_key="test", seed=7, resolution_log_share=1
    )
    app = create_app(settings, clock)
    runtime: Runtime = app.extensions["desireline"]
    token = TokenIn(name="test", scopes=["read", "manage", "evaluate", "ingest"])
    with transaction(runtime.engine) as session:
        secret = accounts.create_token(session, token, actor=ALICE, now=clock.at).secret
    site = Site(app.test_client(), clock, {"Authorization": f"Bearer {secret}"}, runtime)
    site.ask(
        "POST", "/journeys-from-templates", {"key": "shop", "name": "Shop", "template": "signup"}
    )
    site.ask("POST", "/journeys/shop/versions/1/publish", {"reason": "first"})
    site.ask(
        "POST",
        "/metrics",
        {
            "key": "activated",
            "name": "Activated",
            "rule": {"event": "Activated"},
            "window_hours": 24,
        },
    )
    yield site
    runtime.engine.dispose()


def experiment(**changes: Any) -> dict[str, Any]:
    return {
        "key": "straight-in",
        "name": "Straight in",
        "journey": "shop",
        "level": "path",
        "hypothesis": {"because": "many stop", "if_we": "skip a stage", "then": "more go on"},
        "variants": [
            {"key": "control", "control": True, "weight": 0.5},
            {"key": "short", "weight": 0.5, "patch": SKIP_SIGNUP},
        ],
        "primary_metric": "activated",
        "plan": {"minimum_days": 7, "maximum_days": 7, "promotion": "automatic"},
        **changes,
    }


def walk_everybody(site: Site, *, activated: dict[str, float]) -> dict[str, list[str]]:
    """Let visitors walk for a week; which arm everybody was in."""
    arms: dict[str, list[str]] = {"control": [], "short": []}
    events = []
    for number in range(VISITORS):
        visitor = f"v{number}"
        early = site.show(visitor, "landing_page") if number < LOOKS_AT_BOTH else None
        seen = site.show(visitor, "first_steps")
        arm = seen["path"]["variant"]
        assert early is None or early["path"]["variant"] == arm
        assert seen["on_path"] is (arm == "control")
        arms[arm].append(visitor)
        events.append((visitor, "Page Viewed"))
        if len(arms[arm]) % 10 < 10 * activated[arm]:
            events.append((visitor, "Activated"))
    site.clock.at += timedelta(minutes=5)
    site.send(events)
    site.run("locate")
    return arms


def decide(site: Site) -> dict[str, Any]:
    site.clock.at += timedelta(days=8)
    site.run("activate", "analyse", "decide")
    found: dict[str, Any] = site.ask("GET", "/experiments/straight-in")
    return found


def newcomers(site: Site) -> dict[bool, list[str]]:
    """People who come after a promotion, by whether the earlier path is kept for them."""
    kept: dict[bool, list[str]] = {True: [], False: []}
    for number in range(NEWCOMERS):
        visitor = f"n{number}"
        kept[site.show(visitor, "first_steps")["on_path"]].append(visitor)
    return kept


def test_path_that_wins__when_promoted__then_most_newcomers_walk_it_and_others_stay(
    site: Site,
) -> None:
    plan = {**experiment()["plan"], "holdback_share": 0.2}
    made = site.ask("POST", "/experiments", experiment(plan=plan))
    assert made["divergence"] == {"stage": "visit", "touchpoints": ["first_steps"]}
    assert [item["severity"] for item in site.ask("GET", "/experiments/straight-in/check")["data"]]
    site.ask("POST", "/experiments/straight-in/start")
    arms = walk_everybody(site, activated={"control": 0.4, "short": 0.7})
    activated, still = arms["short"][0], arms["control"][4]
    [walk] = site.stages(activated)
    steps = [(step["to_stage"], step["kind"], step["conforming"]) for step in walk["transitions"]]
    assert steps == [("visit", "forward", True), ("activate", "forward", True)]
    [walk] = site.stages(still)
    assert (walk["version"], walk["stage"]) == (1, "visit")

    ended = decide(site)
    assert ended["status"] == "promoted"
    journey = site.ask("GET", "/journeys/shop")
    assert journey["standard"] == 2
    version = site.ask("GET", "/journeys/shop/versions/2")
    assert "signup" not in [stage["key"] for stage in version["graph"]["stages"]]
    assert version["in_flight"] == "pinned"
    assert version["provenance"]["experiment"] == "straight-in"

    site.notice()
    come = newcomers(site)
    assert 0 < len(come[True]) < len(come[False])
    newcomer, held_back = come[False][0], come[True][0]
    assert site.show(newcomer, "first_steps")["journey_version"] == 2
    under_way = site.show(still, "first_steps")
    assert (under_way["on_path"], under_way["journey_version"]) == (True, 1)
    site.send([(newcomer, "Page Viewed"), (newcomer, "Activated")])
    site.run("locate")
    [walk] = site.stages(newcomer)
    assert (walk["version"], walk["stage"]) == (2, "activate")
    assert all(step["conforming"] for step in walk["transitions"])

    [decision, *_] = site.ask("GET", "/experiments/straight-in/decisions")["data"]
    number = decision["promotion"]["id"]
    promoted_at = site.clock.at
    site.clock.at += timedelta(minutes=1)
    taken_back = {"reason": "It was too early."}
    site.ask("POST", f"/experiments/straight-in/promotions/{number}/revert", taken_back)
    restored = site.ask("GET", "/journeys/shop/versions/3")["graph"]
    assert restored == site.ask("GET", "/journeys/shop/versions/1")["graph"]
    site.notice()
    assert site.show(newcomer, "first_steps")["on_path"]
    for visitor, version in ((newcomer, 2), (held_back, 2), (still, 1)):
        query = urlencode(
            {"journey": "shop", "touchpoint": "first_steps", "at": promoted_at.isoformat()}
        )
        replayed = site.ask("GET", f"/visitors/{visitor}/replay?{query}")
        assert replayed["journey_version"] == version
    site.runtime.commits.stop()
    proof = prove(site.runtime.engine)
    assert proof.logged > VISITORS + NEWCOMERS
    assert (proof.equal, proof.differing) == (proof.logged, [])


@pytest.mark.slow
def test_path_that_loses__when_decided__then_the_standard_stays(site: Site) -> None:
    site.ask("POST", "/experiments", experiment())
    site.ask("POST", "/experiments/straight-in/start")
    arms = walk_everybody(site, activated={"control": 0.7, "short": 0.4})
    ended = decide(site)
    assert ended["status"] not in {"promoted", "running"}
    assert site.ask("GET", "/journeys/shop")["standard"] == 1
    site.notice()
    for visitor in (arms["short"][0], "newcomer"):
        assert site.show(visitor, "first_steps")["on_path"]


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"primary_metric": "shop.visit"}, "/primary_metric", "does not count who reaches"),
        ({"secondary_metrics": ["rate"]}, "/secondary_metrics/0", "a rate among those who"),
    ],
)
def test_path__judged_by_who_came_so_far__is_refused(
    site: Site, changes: dict[str, Any], field: str, words: str
) -> None:
    site.ask(
        "POST",
        "/metrics",
        {
            "key": "rate",
            "name": "Rate",
            "kind": "ratio",
            "rule": {"event": "Subscribed"},
            "value_property": "amount",
            "denominator": {"event": "Activated"},
        },
    )
    site.ask("POST", "/experiments", experiment(**changes))
    found = site.ask("GET", "/experiments/straight-in/check")["data"]
    [error] = [item for item in found if item["severity"] == "error"]
    assert error["field"] == field
    assert words in error["message"]
