"""A report of the calibration as a page of the documentation."""

from collections.abc import Iterator

from experiments.calibration.schemas import Report, Row, Table
from stats.results import NotEstimable

_PREFACE = """\
# Calibration: what the gate really does

This page is written by `desireline calibrate`. It draws experiments whose hidden truth is known,
and puts their counts before the analysis and the gate that run in production, not before a copy.
Every figure stands beside its Monte-Carlo standard error and the limit it must keep.
"""

_REPEAT = """\
## How to repeat it

`make calibrate` runs everything and writes this page and
[the figures as JSON](../reference/calibration.json); `desireline calibrate --quick` takes a minute
and is too small for the limits to mean much. The same `--seed` gives the same figures, on any
number of processes. The command ends with exit code 1 when a limit of a full run is missed.
"""

_METHOD = """\
## What is left out, and why that changes nothing

Looks that provably lead to "continue" are not sent through the code: at look k the bound cannot be
lower than the normal quantile of the error spent so far, so a look below it cannot promote; harm
needs an e-value of 1000, and an e-value is at most its largest likelihood ratio. The other looks
are, with the information of all looks before them. A test sends every look of a sample through and
finds the same endings. Where a variant is taken out for harm, its visitors go on being counted.

Limits of shares that should be met exactly (5%) allow three standard errors above them for chance.
"""


def page(report: Report) -> str:
    """The whole page."""
    return "\n".join(
        [
            _PREFACE,
            _summary(report),
            *(_section(table) for table in report.tables),
            _METHOD,
            _REPEAT.rstrip(),
            "",
        ]
    )


def figure(value: float | NotEstimable) -> str:
    """A figure for people, or why there is none."""
    return str(value) if isinstance(value, NotEstimable) else f"{value:.4g}"


def limit(row: Row) -> str:
    """The limit of a row in words."""
    ends = [
        f"{words} {bound:g}"
        for words, bound in (("at least", row.at_least), ("at most", row.at_most))
        if bound is not None
    ]
    slack = f" (+ {row.allowed_ses:g} s.e.)" if row.allowed_ses else ""
    return " and ".join(ends) + slack


def verdict(row: Row) -> str:
    """Whether the limit is kept."""
    return {True: "kept", False: "**missed**", None: ""}[row.met]


def _summary(report: Report) -> str:
    size = "quick" if report.quick else "full"
    limits = sum(row.met is not None for table in report.tables for row in table.rows)
    kept = limits - len(report.missed)
    minutes = f"{report.seconds / 60:.0f} minutes"
    lines = [f"Last run: {size}, seed {report.seed}, {minutes}; {kept} of {limits} limits kept."]
    lines += [f"- missed: {row.name} ({figure(row.figure)}, {limit(row)})" for row in report.missed]
    return "\n".join(lines) + "\n"


def _section(table: Table) -> str:
    return "\n".join(
        [
            f"## {table.title}",
            "",
            f"{table.how} {table.experiments:,} experiments.",
            "",
            "| figure | value | s.e. | limit | |",
            "| --- | --- | --- | --- | --- |",
            *_lines(table),
            "",
        ]
    )


def _lines(table: Table) -> Iterator[str]:
    for row in table.rows:
        told = (row.name, figure(row.figure), figure(row.se), limit(row), verdict(row))
        yield f"| {' | '.join(told)} |"
