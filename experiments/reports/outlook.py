"""The parts of a letter that look beyond the week: what holds, and how far to trust it."""

from experiments.analysis.schemas import Belief, Estimate, Light
from experiments.decisions.shipped import Shipped
from experiments.formats import count, date, lift, percent, plural, share
from experiments.probation.schemas import ProbationState
from experiments.reports.comparing import Comparison
from experiments.reports.letter import Entry, Mark, Section, Tone
from experiments.reports.schemas import Alarm, Body, OnProbation, Simulated
from stats.results import NotEstimable

PROBATION = {
    ProbationState.VERIFIED: Tone.GOOD,
    ProbationState.DEMOTED: Tone.BAD,
    ProbationState.UNVERIFIED: Tone.WARN,
}


def probations(body: Body) -> Section | None:
    """What was claimed of promotions beside what fresh data say."""
    if not body.probations:
        return None
    entries = [
        Entry(
            title=item.name,
            path=f"/experiments/{item.experiment}",
            marks=[Mark(words=item.state, tone=PROBATION.get(item.state, Tone.PLAIN))],
            lines=[item.sentence, _claim(item)],
        )
        for item in body.probations
    ]
    return Section(key="probation", title="Does what was promoted hold?", entries=entries)


def shipped(body: Body) -> Section | None:
    """What all promotions together brought, measured against the status quo."""
    if not body.shipped:
        return None
    entries = [_shipped(item) for item in body.shipped]
    return Section(key="shipped", title="What everything shipped brought", entries=entries)


def since_last(comparison: Comparison | None) -> Section | None:
    """Why this report differs from the one before, also about the same days."""
    if comparison is None:
        return None
    lines = [
        f"{item.journey}, {item.stage}: the last report counted {count(item.reported)} visitors "
        f"for its week, today it is {count(item.counted)}, because "
        + (
            f"{count(item.counted - item.reported)} more became known later."
            if item.counted > item.reported
            else f"{count(item.reported - item.counted)} turned out to be the same people."
        )
        for item in comparison.recounts
    ]
    return Section(
        key="since",
        title=f"What is different from week {comparison.earlier}",
        lead=_moved(comparison),
        entries=[Entry(lines=lines)] if lines else [],
        note=""
        if lines
        else "Every figure of the last report about its own week still holds."
        if comparison.stages
        else "",
    )


def trust(body: Body) -> Section:
    """Which figures should be taken with care, or not at all."""
    by_test: dict[str, list[Alarm]] = {}
    for item in body.alarms:  # what is red comes first
        by_test.setdefault(item.experiment, []).append(item)
    entries = [_alarmed(found) for found in by_test.values()]
    fine = "The trust light is green: every health check of every test is passed."
    lead = "Take these figures with care, or not at all." if entries else fine
    note = f"And {count(body.alarms_left_out)} more." if body.alarms_left_out else ""
    return Section(
        key="trust", title="Can these figures be trusted?", lead=lead, entries=entries, note=note
    )


def _alarmed(found: list[Alarm]) -> Entry:
    """One test with every reason not to believe it; the worst is the first."""
    worst = found[0]
    return Entry(
        title=worst.name,
        path=f"/experiments/{worst.experiment}",
        marks=[
            Mark(words="not trusted", tone=Tone.BAD)
            if worst.light is Light.RED
            else Mark(words="with care", tone=Tone.WARN)
        ],
        lines=[item.sentence for item in found],
    )


def calibration(body: Body) -> Section:
    """How past claims turned out, and how often the gate is wrong in simulation."""
    title, note = "How past claims turned out", simulated(body.simulated)
    record = body.track_record
    if record is None or not record.judged:
        lead = "No promotion came to the end of its probation yet, so there is nothing to compare."
        return Section(key="calibration", title=title, lead=lead, note=note)
    lead = (
        f"{plural(record.judged, 'promotion')} came to the end of a probation: claimed "
        f"{effect(record.claimed)} on average, fresh data say {effect(record.realised)}."
    )
    if not isinstance(record.inside, NotEstimable):
        lead += f" {record.inside.held} of {record.inside.n} lie where 95% were claimed to lie."
    return Section(key="calibration", title=title, lead=lead, note=note)


def simulated(found: Simulated | None) -> str:
    """How often the gate is wrong where nothing differs; empty when nobody has tried it out."""
    if found is None:
        return ""
    return (
        f"Simulated: of {plural(found.tests, 'test')} in which nothing differs, looked at every "
        f"hour, {percent(found.promoted)} promoted a variant; at most {share(found.at_most)} may."
    )


def effect(value: Estimate | Belief | NotEstimable) -> str:
    """An effect with its range, or why there is none."""
    if isinstance(value, NotEstimable):
        return f"(not known: {value.reason[:1].lower()}{value.reason[1:].rstrip('.')})"
    middle = value.effect_rel if isinstance(value, Belief) else value.value
    return f"{lift(middle)} ({lift(value.ci_low)} to {lift(value.ci_high)})"


def _claim(item: OnProbation) -> str:
    realised = item.realised
    fresh = realised if isinstance(realised, NotEstimable) else realised.effect_rel
    judged = f"; judged on {date(item.verify_at)}" if item.state is ProbationState.RUNNING else ""
    told = f"claimed {effect(item.claimed)}, fresh data {effect(fresh)}"
    return f"On {item.metric_name}: {told}{judged}."


def _shipped(item: Shipped) -> Entry:
    told = (
        f"Since {date(item.since)}, on {item.metric_name}: everything shipped brought "
        f"{effect(item.measured)}; the promotions claim {effect(item.claimed)} together."
    )
    return Entry(
        title=item.name,
        path=f"/experiments/{item.comparison}",
        lines=[told],
        more=f"{plural(len(item.wins), 'promotion')} since then" if item.wins else "",
        details=[
            f"{win.experiment}, {date(win.applied_at)}: {effect(win.claimed)}" for win in item.wins
        ],
        fine=f"The status quo stays on version {item.base_version}; the other part gets every "
        "promotion and no test.",
    )


def _moved(comparison: Comparison) -> str:
    parts = [
        (len(comparison.decided), "test that waited is decided", "tests that waited are decided"),
        (len(comparison.began), "test began", "tests began"),
        (comparison.still, "test goes on", "tests go on"),
    ]
    told = [plural(number, one, many) for number, one, many in parts if number]
    return f"{', '.join(told)}." if told else "No test began, ended or goes on."
