"""Jumping: from a few letters to the page that is meant, and the keys that spare the mouse."""

from collections.abc import Iterator
from itertools import islice

from flask import Blueprint, redirect, render_template, request, url_for

from experiments.accounts.schemas import Role
from experiments.database import reading
from experiments.design import listing
from experiments.design.listing import Wanted
from experiments.journeys import queries as journeys
from experiments.metrics import queries as metrics
from web import access, navigation
from web.access import Page
from web.requests import runtime

blueprint = Blueprint("jump", __name__, template_folder="templates")
FOUND_SHOWN = 30
Found = tuple[str, str, str]
"""Where it leads, how it is called, what it is."""


@blueprint.get("/jump")
@access.needs(Role.VIEWER)
def page() -> Page:
    """What the letters may mean; straight to it when it can only be one thing."""
    wanted = request.args.get("q", "").strip()
    found = list(islice(_find(wanted.casefold()), FOUND_SHOWN))
    if wanted and len(found) == 1:
        return redirect(found[0][0])
    return render_template("jump/page.html", wanted=wanted, found=found)


def _find(wanted: str) -> Iterator[Found]:
    for place in navigation.places():
        if wanted in place.label.casefold():
            yield url_for(place.endpoint), place.label, "page"
    if not wanted:
        return
    with reading(runtime().engine) as session:
        for journey in journeys.journeys(session):
            if wanted in f"{journey.key} {journey.name}".casefold():
                yield url_for("journeys.show", key=journey.key), journey.name, "journey"
        ids = listing.matching(session, Wanted(text=wanted), limit=FOUND_SHOWN)
        lines = listing.lines_of(session, list(ids))
        for test in (lines[number] for number in ids):
            yield url_for("experiments.show", key=test.key), test.name, "experiment"
        for metric in metrics.metrics(session):
            if wanted in f"{metric.key} {metric.name}".casefold():
                yield url_for("metrics.show", key=metric.key), metric.name, "metric"
