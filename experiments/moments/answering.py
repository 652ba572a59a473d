"""Asking an engine, pass by pass, and adding up what it tells; the same for every engine."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import orjson

from experiments.conditions import matches
from experiments.database import from_micros, to_micros
from experiments.moments import relational
from experiments.moments.dialects import Dialect
from experiments.moments.questions import HOUR, Questions, Slot
from experiments.moments.relational import SUMS, Gathered, Tables
from experiments.moments.schemas import Answer, Joined, Sent, Sums

Row = tuple[Any, ...]
Key = tuple[int, ...]


class Source(Protocol):
    """An engine that is ready to be asked: its words, and the tables, whole and by passes."""

    dialect: Dialect
    whole: Tables
    passes: Sequence[Tables]

    def query(self, statement: str) -> Iterable[Row]:
        """The rows of a statement."""

    def keep(self, given: Gathered) -> Gathered:
        """The same, made once for all that will be asked of it, where that pays."""

    def keep_verdicts(self, rows: Sequence[tuple[int, str]]) -> None:
        """Make the table of the conditional rules' numbers and properties that satisfy them."""


@dataclass(slots=True)
class Totals:
    """What the passes told so far; visitors of one pass are in no other."""

    joined: dict[Key, int] = field(default_factory=dict)
    newest: dict[int, int] = field(default_factory=dict)
    sums: dict[Key, list[int]] = field(default_factory=dict)
    sent: dict[tuple[int, str], list[int]] = field(default_factory=dict)

    def add_joined(self, rows: Iterable[Row]) -> None:
        """Add visitors by population, variant, phase, hour and lateness."""
        for *key, visitors, newest in rows:
            place = tuple(key)
            self.joined[place] = self.joined.get(place, 0) + visitors
            self.newest[key[0]] = max(newest, self.newest.get(key[0], newest))

    def add_sums(self, rows: Iterable[Row]) -> None:
        """Add sums by slot, variant, phase and maturity."""
        for slot, variant, phase, matured, *values in rows:
            _add(self.sums, (slot, variant, phase, matured), values)

    def add_sent(self, rows: Iterable[Row]) -> None:
        """Add events by population and source."""
        for population, source, *values in rows:
            _add(self.sent, (population, source), values)


def answered(asked: Questions, source: Source, *, as_of: datetime) -> list[Answer]:
    """One answer per population, in the order in which they were asked for."""
    at, totals = to_micros(as_of), Totals()
    judge(asked, source)
    for tables in source.passes:
        given = source.keep(relational.gathered(asked, tables, source.dialect, as_of=at))
        totals.add_joined(source.query(relational.joined(given, as_of=at)))
        if asked.slots:
            outcome = relational.outcomes(asked, given)
            totals.add_sums(source.query(relational.sums(asked, f"({outcome})", as_of=at)))
        if asked.delays:
            totals.add_sent(source.query(relational.sent(asked, given)))
    return answers(asked, totals, at=at)


def judge(asked: Questions, source: Source) -> None:
    """Let Python judge every text of properties once for each conditional rule.

    A condition means the same everywhere, so that no engine has an implementation of its own.
    """
    conditional = [rule for rule in asked.rules if rule.event.where]
    if conditional:
        source.keep_verdicts(
            [
                (rule.number, properties)
                for rule in conditional
                for (properties,) in source.query(
                    relational.distinct_properties(source.whole, rule)
                )
                if matches(rule.event.where, orjson.loads(properties))
            ]
        )


def answers(asked: Questions, totals: Totals, *, at: int) -> list[Answer]:
    """What was added up, in the shapes that others read."""
    return [_answer(asked, totals, number, at) for number in range(len(asked.populations))]


def _answer(asked: Questions, totals: Totals, population: int, at: int) -> Answer:
    joined = {key[1:]: count for key, count in totals.joined.items() if key[0] == population}
    newest = totals.newest.get(population)
    return Answer(
        sums={
            slot.metric.key: list(_slot_sums(slot, totals, joined, at))
            for slot in asked.slots
            if slot.population == population
        },
        joined=list(_by_hour(joined)),
        newest_at=None if newest is None else from_micros(newest),
        sent=[
            Sent(source=key[1], events=events, late=late)
            for key, (events, late) in sorted(totals.sent.items())
            if key[0] == population
        ],
    )


def _by_hour(joined: dict[Key, int]) -> Iterator[Joined]:
    hours: dict[Key, int] = {}
    for (variant, phase, hour, _), visitors in joined.items():
        hours[variant, phase, hour] = hours.get((variant, phase, hour), 0) + visitors
    for (variant, phase, hour), visitors in sorted(hours.items()):
        yield Joined(variant=variant, phase=phase, hour=hour, visitors=visitors)


def _slot_sums(slot: Slot, totals: Totals, joined: dict[Key, int], at: int) -> Iterator[Sums]:
    """Whose window is over is told by the hour: windows are whole hours."""
    people: dict[tuple[int, int], list[int]] = {}
    for (variant, phase, hour, is_late), visitors in joined.items():
        is_over = at // HOUR - hour - is_late >= slot.metric.window_hours
        _add(people, (variant, phase), (visitors, visitors * is_over))
    for (variant, phase), (visitors, matured) in sorted(people.items()):
        over = totals.sums.get((slot.number, variant, phase, 1), [0] * len(SUMS))
        still_open = totals.sums.get((slot.number, variant, phase, 0), [0] * len(SUMS))
        observed = dict(zip(SUMS, map(sum, zip(over, still_open, strict=True)), strict=True))
        yield Sums(
            variant=variant,
            phase=phase,
            visitors=visitors,
            matured=matured,
            observed_conversions=observed["conversions"],
            observed_y=observed["y"],
            scale=slot.scale,
            **dict(zip(SUMS, over, strict=True)),
        )


def _add(totals: dict[Any, list[int]], key: Any, values: Sequence[Any]) -> None:
    # Engines tell long whole numbers as decimals.
    told = [int(value) for value in values]
    known = totals.get(key)
    totals[key] = told if known is None else [a + b for a, b in zip(known, told, strict=True)]
