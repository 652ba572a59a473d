"""The steps of an experiment that a person takes from its page."""

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from experiments.accounts.schemas import Role
from experiments.analysis import service as analysis
from experiments.database import reading, transaction
from experiments.decisions import ramping, settling
from experiments.decisions import service as decisions
from experiments.design import queries, service
from experiments.design.schemas import PhaseIn
from experiments.errors import NotFoundError
from experiments.resolution import service as resolution
from experiments.resolution.schemas import PreviewIn
from experiments.shapes import parse
from web import access
from web.requests import number, reason, runtime, text

blueprint = Blueprint("steps", __name__, template_folder="templates")
SIMPLE: dict[str, tuple[Callable[..., object], str]] = {
    "schedule": (service.schedule, "It starts by itself when its time has come."),
    "start": (service.start, "It runs. The plan is frozen from now on."),
    "resume": (service.resume, "It runs again."),
    "archive": (service.archive, "It is out of sight, and nothing is lost."),
    "approve-step": (ramping.approve_step, "The step is approved; its other gates remain."),
}
REASONED = {
    "pause": (service.pause, "It is paused: nobody new is taken in."),
    "stop": (service.stop, "It takes in nobody any more and waits for the last visitors."),
    "abort": (service.abort, "It is over, without a decision."),
}

SETTLING = {
    "rebase": (settling.rebase, "The winner is merged over the newer standard."),
    "decline": (settling.decline, "The promotion is declined; the standard stays."),
    "revert": (
        settling.revert_promotion,
        "The promotion is taken back; the earlier content is the standard again.",
    ),
}


@blueprint.post("/experiments/<key>/steps/<step>")
@access.needs(Role.EDITOR)
def take(key: str, step: str) -> Response:
    """One step of the life of an experiment."""
    now, actor = runtime().clock.now(), access.actor()
    with transaction(runtime().engine) as session:
        if step in SIMPLE:
            act, told = SIMPLE[step]
            act(session, key, actor=actor, now=now)
        elif step in REASONED:
            act_why, told = REASONED[step]
            act_why(session, key, reason=reason(), actor=actor, now=now)
        else:
            raise NotFoundError("step", step)
    return _back(key, told)


@blueprint.post("/experiments/<key>/look")
@access.needs(Role.EDITOR)
def look(key: str) -> Response:
    """Analyse and decide now, as the scheduler would."""
    now, actor = runtime().clock.now(), access.actor()
    with transaction(runtime().engine) as session:
        analysis.analyse(session, key, now=now, engine=runtime().moments.looks)
        decision = decisions.decide(session, key, actor=actor, now=now)
    return _back(key, decision.sentence)


@blueprint.post("/experiments/<key>/phases")
@access.needs(Role.EDITOR)
def open_phase(key: str) -> Response:
    """Go on with another coverage."""
    now, actor = runtime().clock.now(), access.actor()
    coverage = number("coverage")
    share = None if coverage is None else coverage / 100
    data = parse(PhaseIn, {"coverage": share, "reason": reason()})
    with transaction(runtime().engine) as session:
        service.open_phase(session, key, data, actor=actor, now=now)
    return _back(key, "A new phase is open.")


@blueprint.post("/experiments/<key>/promotions/<int:promotion_id>/approve")
@access.needs(Role.EDITOR)
def approve(key: str, promotion_id: int) -> Response:
    """Make the winner the standard."""
    now, actor = runtime().clock.now(), access.actor()
    with transaction(runtime().engine) as session:
        made = settling.approve(session, promotion_id, actor=actor, now=now)
    return _back(key, f"Version {made.to_version} of the journey is the standard now.")


@blueprint.post(
    "/experiments/<key>/promotions/<int:promotion_id>/<any(rebase,decline,revert):step>"
)
@access.needs(Role.EDITOR)
def settle(key: str, promotion_id: int, step: str) -> Response:
    """Rebase, decline or take back a promotion, with a reason."""
    now, actor, why = runtime().clock.now(), access.actor(), reason()
    act, told = SETTLING[step]
    with transaction(runtime().engine) as session:
        act(session, promotion_id, reason=why, actor=actor, now=now)
    return _back(key, told)


@blueprint.post("/experiments/<key>/preview")
@access.needs(Role.EDITOR)
def preview(key: str) -> str:
    """A word that shows one variant to whoever carries it; never counted."""
    opened = runtime()
    data = parse(PreviewIn, {"variant": text("variant")})
    with reading(opened.engine) as session:
        experiment = queries.experiment(session, key)
    signing_key = opened.settings.signing_key()
    made = resolution.preview(experiment, data, key=signing_key, now=opened.clock.now())
    return render_template("experiments/preview.html", experiment=experiment, made=made)


def _back(key: str, told: str) -> Response:
    flash(told, "good")
    return redirect(url_for("experiments.show", key=key))
