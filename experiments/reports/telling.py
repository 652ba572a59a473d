"""From a report to its letter: every sentence that readers of a report see is made here."""

from collections.abc import Mapping
from datetime import timedelta

from experiments.decisions.schemas import Outcome
from experiments.formats import (
    NOTHING,
    as_of,
    count,
    date,
    lift,
    moment,
    payload,
    plural,
    who,
    words,
)
from experiments.reports.comparing import Comparison
from experiments.reports.funnel import SIDE_STAGES
from experiments.reports.letter import Entry, Figure, Letter, Mark, Section, Step, Swap, Tone
from experiments.reports.outlook import calibration, probations, shipped, since_last, trust
from experiments.reports.schemas import (
    Body,
    JourneyChange,
    JourneyFunnel,
    Judgement,
    Lamp,
    Learned,
    ReportOut,
)

A_DAY = timedelta(days=1)
LONGEST_TEXT = 120
MOST_CHANGES = 20
LAMPS = {
    "green": Mark(words="trusted", tone=Tone.GOOD),
    "amber": Mark(words="with care", tone=Tone.WARN),
    "red": Mark(words="not trusted", tone=Tone.BAD),
}
STATES = {"paused": Tone.WARN, "maturing": Tone.WARN}


def tell(report: ReportOut, comparison: Comparison | None = None, *, final: bool = True) -> Letter:
    """Put a report into words.

    Args:
        report: what was composed.
        comparison: how it differs from the report before, if there is one.
        final: whether it is written; a week that still runs is not.
    """
    body = report.body
    return Letter(
        week=body.week,
        title=f"Week {body.week}",
        period=f"{date(body.since)} to {date(body.until - A_DAY)}, {as_of(body.as_of)}",
        headline=body.headline,
        figures=_figures(body),
        sections=[section for section in _sections(body, comparison) if section is not None],
        seal=_seal(report, final=final),
    )


def _sections(body: Body, comparison: Comparison | None) -> list[Section | None]:
    return [
        _changed(body),
        _decided(body),
        _harmful(body),
        _taken_back(body),
        probations(body),
        shipped(body),
        _waiting(body),
        _nothing(body),
        *(_funnel(item) for item in body.funnels),
        since_last(comparison),
        _learned(body.learned, key="learned", title="What was learned"),
        _learned(body.due, key="due", title="What should be tested again"),
        trust(body),
        calibration(body),
    ]


def _figures(body: Body) -> list[Figure]:
    changes, promoted = len(body.changes), body.outcomes.get(Outcome.PROMOTE, 0)
    waiting = len(body.waiting) + body.waiting_left_out
    back = len(body.taken_back)
    return [
        Figure(number=count(changes), words=_named(changes, "change", "of the standard")),
        Figure(
            number=count(promoted),
            words=_named(promoted, "proven winner"),
            tone=Tone.GOOD if promoted else Tone.PLAIN,
        ),
        Figure(number=count(waiting), words=_named(waiting, "test", "under way")),
        Figure(number=count(back), words="taken back", tone=Tone.BAD if back else Tone.PLAIN),
    ]


def _named(number: int, noun: str, rest: str = "") -> str:
    return f"{noun}{'' if number == 1 else 's'} {rest}".strip()


def _changed(body: Body) -> Section:
    tests = {item.experiment: item.name for item in body.promoted}
    tests |= {item.experiment: item.name for item in body.probations}
    return Section(
        key="changed",
        title="What changed in the standard journey",
        lead="" if body.changes else "Nothing: visitors find what they found the week before.",
        entries=[_change(item, tests=tests) for item in body.changes],
    )


def _change(item: JourneyChange, *, tests: Mapping[str, str]) -> Entry:
    lines = [item.reason]
    if item.experiment:
        name = tests.get(item.experiment, item.experiment)
        lines = [f"Everybody sees the winner of the test “{name}” now."]
    if item.reverts_to:
        lines.append(f"It is version {item.reverts_to} again.")
    return Entry(
        title=f"{item.name}, version {item.version}",
        path=f"/journeys/{item.journey}/versions/{item.version}",
        lines=[" ".join(line for line in lines if line)],
        swaps=[
            Swap(place=words.touchpoint, before=_short(words.before), after=_short(words.after))
            for words in item.reworded
        ],
        more=f"{plural(len(item.changes), 'place')} of the map changed" if item.changes else "",
        details=[f"{change.path} {change.kind}" for change in item.changes[:MOST_CHANGES]],
        fine=f"{who(item.by)}, {moment(item.at)}",
    )


def _decided(body: Body) -> Section:
    return Section(
        key="decided",
        title="What was decided",
        lead="" if body.promoted else "No variant was proven to be better.",
        entries=[_judgement(item) for item in body.promoted],
    )


def _harmful(body: Body) -> Section | None:
    if not body.harmful:
        return None
    entries = [_judgement(item) for item in body.harmful]
    return Section(key="harm", title="What was ended because it did harm", entries=entries)


def _nothing(body: Body) -> Section | None:
    over = [item for item in body.nothing_to_conclude if item.outcome is not Outcome.CONFLICT]
    if not over and not body.judgements_left_out:
        return None
    more = plural(body.judgements_left_out, "more test")
    told = ", ".join(f"{count(number)} {words(key)}" for key, number in body.outcomes.items())
    return Section(
        key="nothing",
        title="Nothing to conclude",
        lead="These tests are over and the standard stays. That is a result too.",
        entries=[_judgement(item) for item in over],
        note=f"{more} ended this week. In all: {told}." if body.judgements_left_out else "",
    )


def _judgement(item: Judgement) -> Entry:
    return Entry(
        title=item.name,
        path=f"/experiments/{item.experiment}",
        marks=_lamp(item.trust),
        lines=[item.sentence, *_worth(item)],
        more="The rule behind it",
        details=item.rule,
        fine=f"{who(item.actor)}, {moment(item.at)}",
    )


def _worth(item: Judgement) -> list[str]:
    if item.worth is not None:
        worth = item.worth
        told = f"{lift(worth.value)} on {worth.metric} ({lift(worth.low)} to {lift(worth.high)})"
        return [f"Worth, as far as can be expected: {told}."]
    if item.outcome is Outcome.PROMOTE:
        return [f"What it is worth cannot be told: {item.worth_unknown}"]
    return []


def _taken_back(body: Body) -> Section | None:
    if not body.taken_back:
        return None
    entries = [
        Entry(
            title=item.name,
            path=f"/experiments/{item.experiment}",
            lines=[f"Variant {item.variant} is no longer the standard since {moment(item.at)}."],
        )
        for item in body.taken_back
    ]
    return Section(key="back", title="What was taken back", entries=entries)


def _waiting(body: Body) -> Section:
    approvals = [
        Entry(
            title=item.name,
            path=f"/experiments/{item.experiment}",
            marks=[Mark(words="needs a person", tone=Tone.WARN)],
            lines=[
                f"Variant {item.variant} won. It waits for an approval since {date(item.since)}."
            ],
        )
        for item in body.approvals
    ]
    tests = [
        Entry(
            title=item.name,
            path=f"/experiments/{item.experiment}",
            marks=[
                Mark(words=words(item.state), tone=STATES.get(item.state, Tone.GOOD)),
                *_lamp(item.trust),
            ],
            lines=[item.needs],
        )
        for item in body.waiting
    ]
    return Section(
        key="waiting",
        title="What is waiting, and what it needs",
        lead="" if approvals or tests else "Nothing is under way.",
        entries=approvals + tests,
        note=f"And {plural(body.waiting_left_out, 'more test')}." if body.waiting_left_out else "",
    )


def _funnel(funnel: JourneyFunnel) -> Section:
    steps = [
        Step(
            name=stage.name,
            visitors=stage.visitors,
            before=stage.before,
            on_path=stage.kind not in SIDE_STAGES,
            told=count(stage.visitors),
            told_before=count(stage.before),
            change=lift(stage.visitors / stage.before - 1) if stage.before else NOTHING,
        )
        for stage in funnel.stages
    ]
    return Section(
        key=f"funnel-{funnel.journey}",
        title=f"{funnel.name}: this week and last",
        steps=steps,
        note="Visitors whose event happened in the seven days, each counted once per stage, "
        "as received by then.",
    )


def _learned(items: list[Learned], *, key: str, title: str) -> Section | None:
    if not items:
        return None
    entries = [
        Entry(
            title=item.name,
            path=f"/learnings/{item.learning}",
            marks=[Mark(words=f"{item.strength} evidence")],
            lines=[item.statement],
        )
        for item in items
    ]
    return Section(key=key, title=title, entries=entries)


def _seal(report: ReportOut, *, final: bool) -> str:
    if not final:
        return "The week still runs: this is how it stands, and nothing of it is written down yet."
    return f"Written {moment(report.created_at)} and unchanged since. Data hash {report.data_hash}"


def _lamp(lamp: Lamp | None) -> list[Mark]:
    return [] if lamp is None else [LAMPS[lamp.light]]


def _short(value: object) -> str:
    text = payload(value)
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"
