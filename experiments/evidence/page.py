"""What was found on real data as a page of the documentation."""

from collections.abc import Iterator, Mapping, Sequence

from experiments.analysis.schemas import Estimate
from experiments.evidence.counting import Held, Looked, by_period, held, looked
from experiments.evidence.schemas import Collection, Evidence, Story

_PREFACE = """\
# What the gate does on real data

This page is written by `desireline evidence`. It imports experiments that other people ran, looks
at them with the analysis that runs in production, and puts every look before the production gate,
with the default plan (5% error, 100 conversions per arm, horizon = the time it really ran).
Nobody knows the truth about these experiments, so no figure here is an error rate: those are on
[the page about the calibration](calibration.md). What can be seen is how the gate behaves on data
that nobody made up.
"""

_ASOS = """\
## A web shop's experiments, looked at snapshot by snapshot

44 experiments of the ASOS Digital Experiments Dataset (half of it), on its first metric, a yes or
no. Each snapshot of the file is one look. The textbook test is the two-sided z test of the same
figures; "crosses" means p < 0.05 at one look or more, of one arm or more. The file does not say
which shares were planned, so that equal ones are assumed, and an uneven split counts as a broken
one. Shrinking changes little here: with millions of visitors an effect of 1% is known to 0.2%.
"""

_UPWORTHY = """\
## Headline tests with a known defect

{tests:,} tests of the Upworthy Research Archive (half A, which has 2,438), the oldest first, one
look each, at the end of its week; the first headline is the control. The last began on {last:%d %B
%Y}. The authors warn that the randomisation is doubtful in tests from 25 June 2013 to 10 January
2014. The file does not say more than the week, and nothing told the gate.
"""

_REPEAT = """\
## How to repeat it

`desireline evidence FOLDER --out docs`, where FOLDER has `asos_snapshots_a.csv.gz` and
`upworthy_headlines_a.csv.gz`, writes this page and [the figures of every experiment that was
promoted, was held back by its split, or crossed p < 0.05 and came
back](../reference/evidence.json). The mappings are those of
[the page about imports](../how-to/import-data.md). It takes about ten minutes on two free cores.
The data are not part of this repository: their licences do not allow that, or do not say.
"""

SHOWN = 12


def page(found: Evidence) -> str:
    """The whole page."""
    parts = [_PREFACE]
    if found.asos is not None:
        parts += [_ASOS, *_asos(found.asos)]
    if found.upworthy is not None:
        parts += [_preface(found.upworthy), *_upworthy(found.upworthy)]
    return "\n".join([*parts, _REPEAT])


def looked_rows(seen: Looked) -> list[tuple[str, str]]:
    """What was seen on experiments with many looks, in words and figures."""
    return [
        ("experiments, arms, looks", f"{seen.experiments}, {seen.arms}, {seen.looks:,}"),
        ("crosses p < 0.05 at some look", str(seen.crossed)),
        ("of these, p ≥ 0.05 again at the end", str(seen.came_back)),
        ("p < 0.05 at the end, in either direction", str(seen.significant_at_end)),
        ("**promoted by the gate**", f"**{seen.promoted}**"),
        *((f"of these, by the {rule.value}", str(count)) for rule, count in seen.by_rule.items()),
        ("of these, p ≥ 0.05 again at the end", str(seen.promoted_came_back)),
        ("promoted by the gate of a Bayesian plan", str(seen.promoted_bayesian)),
    ]


def held_rows(inside: Held, outside: Held) -> list[tuple[str, str, str]]:
    """What was seen on tests inside and outside the warned weeks."""
    pairs = (
        ("tests", inside.tests, outside.tests),
        ("split: warning (p < 0.01)", *_shares("warnings", inside, outside)),
        ("split: alarm (e > 1000), held back", *_shares("alarms", inside, outside)),
        ("p < 0.05 in one arm or more", *_shares("significant", inside, outside)),
        ("**promoted**", *_shares("promoted", inside, outside)),
        ("promoted with an alarm", inside.promoted_in_alarm, outside.promoted_in_alarm),
        ("mean lift of the promoted, measured", _lift(inside.measured), _lift(outside.measured)),
        ("... and to be expected (shrunk)", _lift(inside.expected), _lift(outside.expected)),
    )
    return [(name, str(one), str(other)) for name, one, other in pairs]


def _asos(found: Collection) -> Iterator[str]:
    seen = looked(found.stories)
    yield _table(("", "experiments"), looked_rows(seen))
    yield _sentence("The gate ends them so", {key.value: n for key, n in seen.outcomes.items()})
    yield _winners(found.stories)


def _upworthy(found: Collection) -> Iterator[str]:
    inside, outside = (held(part) for part in by_period(found.stories))
    yield _table(("", "warned weeks", "other weeks"), held_rows(inside, outside))
    yield _sentence("Not passed where nothing was promoted, warned weeks", inside.waiting_for)
    yield _sentence("Not passed where nothing was promoted, other weeks", outside.waiting_for)
    yield _winners(found.stories)


def _preface(found: Collection) -> str:
    last = max(item.began for item in found.stories)
    return _UPWORTHY.format(tests=len(found.stories), last=last)


def _winners(stories: list[Story]) -> str:
    """The promoted ones with their honest effects, the strongest evidence first."""
    found = sorted(
        ((item.experiment, item.winner) for item in stories if item.winner is not None),
        key=lambda pair: -pair[1].z,
    )
    if not found:
        return "Nothing is promoted.\n"
    rows = [
        (
            f"`{key}`",
            won.variant,
            f"{won.day:.1f}",
            f"{won.z:.2f}",
            won.rule.value,
            f"{won.measured.value:+.1%}",
            _expected(won.expected),
            f"{won.final:+.1%}",
        )
        for key, won in found[:SHOWN]
    ]
    head = ("experiment", "variant", "day", "z", "by", "measured", "to be expected", "at the end")
    rest = f"\n... and {len(found) - SHOWN} more.\n" if len(found) > SHOWN else ""
    return f"Promoted:\n\n{_table(head, rows)}{rest}"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [_line(head), _line(("---",) * len(head)), *(_line(row) for row in rows)]
    return "\n".join(lines) + "\n"


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _sentence(said: str, counts: Mapping[str, int]) -> str:
    return f"{said}: {', '.join(f'{count} {name}' for name, count in counts.items())}.\n"


def _shares(name: str, *periods: Held) -> tuple[str, ...]:
    counts = [(getattr(period, name), period.tests) for period in periods]
    return tuple(f"{count} ({count / tests:.1%})" if tests else "0" for count, tests in counts)


def _expected(found: Estimate) -> str:
    return f"{found.value:+.1%} ({found.ci_low:+.1%} to {found.ci_high:+.1%})"


def _lift(value: float | None) -> str:
    return "" if value is None else f"{value:+.1%}"
