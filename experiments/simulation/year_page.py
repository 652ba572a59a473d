"""The score of a simulated year as a page of the documentation."""

from experiments.simulation.score import Effect, Score

_PREFACE = """\
# A simulated year

This page is written by `desireline year`. A server and its scheduler run on a clock that runs
ahead; a pretended shop asks over HTTP what to show, and reports what its visitors do. Experiments
start in twelve slots, in rounds; what each variant really does is known to the shop only. Winners
are promoted by the gate, put on probation with {holdback:.0%} of the visitors, and taken back when
fresh data say so; {holdout:.0%} of the visitors are a holdout, half of them on the standard of the
first day. Effects are larger and visitors fewer than in life, so that a year passes in minutes.

What a promotion claims is shrunk by what is known of effects. Until thirty tests on the metric have
ended that is the stated prior, which expects effects as they are in life, of a few percent. So the
claims of the first rounds are far below the truth here, and their sum below what the holdout
measures: too careful, not too bold.

What was neither promoted nor stopped ended by its plan: the standard stayed. So few come in a week
that harm is often only certain at the end; then the variant is kept out, and not "stopped".
"""

_REPEAT = """\
`desireline year --rounds {rounds} --out docs` writes this page and [the figures as
JSON](../reference/year.json); five rounds of twelve experiments are a year. It ends with exit code
1 when more harmful promotions are verified than alpha allows, or when a logged answer is not given
again by replay. When exactly the jobs run depends on the machine, so that single endings can differ
from run to run.
"""


def page(found: Score, *, rounds: int, holdback: float, holdout: float) -> str:
    """The whole page."""
    rows = [("hidden truth", *_COLUMNS), ("---",) * (len(_COLUMNS) + 1), *fate_rows(found)]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    told = "\n".join(f"- {name}: {value}" for name, value in score_rows(found))
    parts = [
        _PREFACE.format(holdback=holdback, holdout=holdout),
        table,
        "",
        told,
        "",
        _REPEAT.format(rounds=rounds),
    ]
    return "\n".join(parts)


_COLUMNS = ("experiments", "promoted", "stopped for harm", "demoted", "verified", "unverified")


def fate_rows(found: Score) -> list[tuple[str, ...]]:
    """What became of the experiments of each truth."""
    return [
        (
            fate.truth.value,
            *(
                str(count)
                for count in (
                    fate.experiments,
                    fate.promoted,
                    fate.taken_out,
                    fate.demoted,
                    fate.verified,
                    fate.unverified,
                )
            ),
        )
        for fate in found.fates
    ]


def score_rows(found: Score) -> list[tuple[str, str]]:
    """The figures of the whole year."""
    return [
        ("days, visitors", f"{found.days}, {found.visitors:,}"),
        ("experiments begun", f"{found.begun} of {found.experiments}"),
        ("promoted without a gain", f"{found.mistakes} of {found.no_gain} that have none"),
        ("harmful as the standard, and verified", str(found.harmful_verified)),
        ("everything shipped, by the hidden truth", f"{found.truth:+.1%}"),
        ("everything shipped, measured by the holdout", _words(found.measured)),
        (f"sum of the shrunk effects of {found.wins} standing wins", _words(found.claimed)),
        ("logged answers given again by replay", f"{found.replayed:,} of {found.logged:,}"),
        ("it took", f"{found.seconds / 60:.0f} minutes"),
        ("bars missed", "; ".join(found.missed) or "none"),
    ]


def _words(effect: Effect) -> str:
    if effect.value is None or effect.ci_low is None or effect.ci_high is None:
        return effect.reason
    return f"{effect.value:+.1%} ({effect.ci_low:+.1%} to {effect.ci_high:+.1%})"
