"""The one definition: how exposures and events become sums, as SQL that every engine takes.

Two relations are given: `exposure` (experiment, visitor, variant, phase, first_at), one row per
experiment and person, and `event` (visitor, name, source, occurred_at, received_at, properties),
what was received by the time asked. Every person stands under one number, instants are in
microseconds. Only what engines say differently is asked of a dialect. All sums are of whole
numbers, so that no order of adding changes them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from experiments.moments.dialects import Dialect, text
from experiments.moments.questions import HOUR, UNLIMITED, Questions, Rule, Slot
from experiments.moments.schemas import PAIR

LATE = 24 * HOUR
MINUTE = HOUR // 60
SUMS = ("conversions", "y", "yy", "d", "dd", "yd", "delay", "delay_squares")
VERDICT = "verdict"
"""The table with the conditional rules' numbers and the properties that they let through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """SQL that stands for the two relations, in brackets or a name."""

    exposure: str
    event: str


def joined(asked: Questions, tables: Tables, *, as_of: int) -> str:
    """Visitors per population, arm, phase and hour of exposure, and whether late in the hour.

    Late is whoever came later in their hour than `as_of` is in its own, so that from hours alone
    it is told to the microsecond whose window of whole hours is over.
    """
    return (
        f"WITH {people(asked, tables, as_of=as_of)} "
        f"SELECT population, variant, phase, {_hour('first_at')} AS joined_hour, "
        f"CASE WHEN MOD(first_at, {HOUR}) > {as_of % HOUR} THEN 1 ELSE 0 END AS is_late, "
        "COUNT(*) AS visitors, MAX(first_at) AS newest "
        "FROM people GROUP BY 1, 2, 3, 4, 5"
    )


def outcomes(asked: Questions, tables: Tables, dialect: Dialect, *, as_of: int) -> str:
    """One row per slot and visitor with a hit: how often, how much, and how soon the first."""
    counted = _counted(asked)
    return (
        f"WITH {people(asked, tables, as_of=as_of)}, "
        f"hit AS ({_hits(asked, tables, dialect)}), "
        f"asked AS ({_asked(asked.slots)}), "
        "seen AS (SELECT people.visitor, people.variant, people.phase, people.first_at, "
        "asked.slot, asked.part, hit.amount, hit.occurred_at - people.first_at AS took "
        "FROM hit JOIN people ON people.visitor = hit.visitor "
        "JOIN asked ON asked.population = people.population AND asked.rule = hit.rule "
        "WHERE hit.occurred_at - people.first_at BETWEEN 0 AND asked.span - 1) "
        "SELECT slot, visitor, MIN(variant) AS variant, MIN(phase) AS phase, "
        f"MIN(first_at) AS first_at, {counted} FROM seen GROUP BY 1, 2"
    )


def sums(asked: Questions, outcome: str, *, as_of: int) -> str:
    """The sums per slot, arm and phase, of those whose window is over and of the others."""
    over = f"CASE WHEN outcome.first_at + slot.span <= {as_of} THEN 1 ELSE 0 END"
    return _summed(asked, outcome, group=over, label="matured")


def sums_by_hour(asked: Questions, outcome: str) -> str:
    """The sums per slot, arm, phase and hour of exposure."""
    return _summed(asked, outcome, group=_hour("outcome.first_at"), label="joined_hour")


def sent(asked: Questions, tables: Tables, *, as_of: int, by_visitor: bool = False) -> str:
    """Events per population and source after the exposure, and how many arrived late."""
    names = _values(
        ("population", "name"),
        [(number, text(name)) for number, name in sorted(asked.delays.items())],
    )
    visitor, groups = ("people.visitor, ", "1, 2, 3") if by_visitor else ("", "1, 2")
    return (
        f"WITH {people(asked, tables, as_of=as_of)}, named AS ({names}) "
        f"SELECT people.population, {visitor}e.source, COUNT(*) AS events, "
        f"{_count(f'e.received_at - e.occurred_at > {LATE}')} AS late "
        f"FROM {tables.event} e JOIN people ON people.visitor = e.visitor "
        "JOIN named ON named.population = people.population AND named.name = e.name "
        f"WHERE e.occurred_at - people.first_at >= 0 GROUP BY {groups}"
    )


def distinct_properties(tables: Tables, rule: Rule) -> str:
    """Every text of properties that came with the events of a rule's name."""
    name = text(rule.event.event)
    return f"SELECT DISTINCT e.properties FROM {tables.event} e WHERE e.name = {name}"


def _counted(asked: Questions) -> str:
    """What is known of a visitor's hits; what nobody asks for is left out, since it takes time."""
    if not asked.has_ratios:
        amount = "SUM(amount)" if asked.is_valued else "0"
        return f"COUNT(*) AS hits, 0 AS below, {amount} AS amount, MIN(took) AS took"
    return (
        f"{_count('part = 0')} AS hits, {_count('part = 1')} AS below, "
        "SUM(CASE WHEN part = 0 THEN amount END) AS amount, "
        "MIN(CASE WHEN part = 0 THEN took END) AS took"
    )


def people(asked: Questions, tables: Tables, *, as_of: int) -> str:
    """Everybody of every population, in the arm that stands."""
    alone = [
        (number, found.experiment)
        for number, found in enumerate(asked.populations)
        if found.beside is None
    ]
    pairs = [
        (number, found.experiment, found.beside)
        for number, found in enumerate(asked.populations)
        if found.beside is not None
    ]
    parts = []
    if alone:
        wanted = _values(("population", "experiment"), alone)
        parts.append(
            "SELECT wanted.population, x.visitor, x.variant, x.phase, x.first_at "
            f"FROM {tables.exposure} x JOIN ({wanted}) wanted "
            f"ON wanted.experiment = x.experiment WHERE x.first_at <= {as_of}"
        )
    if pairs:
        wanted = _values(("population", "experiment", "beside"), pairs)
        parts.append(
            f"SELECT wanted.population, x.visitor, x.variant * {PAIR} + other.variant AS variant, "
            f"x.phase, x.first_at FROM {tables.exposure} x JOIN ({wanted}) wanted "
            f"ON wanted.experiment = x.experiment JOIN {tables.exposure} other "
            "ON other.experiment = wanted.beside AND other.visitor = x.visitor "
            f"WHERE x.first_at <= {as_of} AND other.first_at <= {as_of}"
        )
    return f"people AS ({' UNION ALL '.join(parts)})"


def _hits(asked: Questions, tables: Tables, dialect: Dialect) -> str:
    """Every event once for each rule that it satisfies."""
    plain = [rule for rule in asked.rules if not rule.event.where]
    parts = []
    if plain:
        names = _values(("rule", "name"), [(rule.number, text(rule.event.event)) for rule in plain])
        parts.append(
            f"SELECT e.visitor, e.occurred_at, named.rule, {_amount(plain, dialect)} AS amount "
            f"FROM {tables.event} e JOIN ({names}) named ON named.name = e.name"
        )
    parts += [
        f"SELECT e.visitor, e.occurred_at, {rule.number} AS rule, "
        f"{_amount([rule], dialect)} AS amount FROM {tables.event} e "
        f"JOIN {VERDICT} ON {VERDICT}.rule = {rule.number} "
        f"AND {VERDICT}.properties = e.properties "
        f"WHERE e.name = {text(rule.event.event)}"
        for rule in asked.rules
        if rule.event.where
    ]
    return " UNION ALL ".join(parts)


def _amount(rules: Iterable[Rule], dialect: Dialect) -> str:
    cases = {
        rule.number: dialect.amount("e.properties", rule.amount) for rule in rules if rule.amount
    }
    if not cases:
        return "CAST(NULL AS BIGINT)"
    if len(cases) == 1:
        return next(iter(cases.values()))
    told = " ".join(f"WHEN {number} THEN {amount}" for number, amount in cases.items())
    return f"CASE named.rule {told} END"


def _asked(slots: Sequence[Slot]) -> str:
    """Which rule counts for which slot, as its outcome (part 0) or below the line (part 1)."""
    rows = [(slot.number, slot.population, slot.rule, 0, slot.window) for slot in slots]
    rows += [
        (slot.number, slot.population, slot.below, 1, slot.window)
        for slot in slots
        if slot.below is not None
    ]
    return _values(("slot", "population", "rule", "part", "span"), rows)


def _summed(asked: Questions, outcome: str, *, group: str, label: str) -> str:
    kinds = _values(
        ("slot", "span", "per_hit", "is_valued", "most"),
        [
            (slot.number, slot.window, slot.per_hit, int(slot.is_valued), slot.most)
            for slot in asked.slots
        ],
    )
    # Millionths squared need 36 digits, which DuckDB allows from a width of 19 on: products of
    # narrower decimals overflow at 18. Counts are squared in half the time without.
    digits = "DECIMAL(19, 0)" if any(slot.scale > 1 for slot in asked.slots) else "BIGINT"
    hits = "outcome.hits * slot.per_hit"
    value = (
        f"CASE WHEN slot.is_valued = 1 THEN COALESCE(outcome.amount, 0) ELSE {hits} END"
        if asked.is_valued
        else hits
    )
    return (
        f"WITH slot AS ({kinds}), valued AS (SELECT outcome.slot, outcome.variant, outcome.phase, "
        f"{group} AS {label}, outcome.below AS d, slot.most, {_minutes('outcome.took')} AS delay, "
        f"{value} AS total FROM {outcome} outcome JOIN slot ON slot.slot = outcome.slot), "
        f"bounded AS (SELECT slot, variant, phase, {label}, d, delay, CAST(CASE "
        "WHEN total > most THEN most "
        f"WHEN total < -{UNLIMITED} THEN -{UNLIMITED} ELSE total END AS {digits}) AS y "
        "FROM valued) "
        f"SELECT slot, variant, phase, {label}, {_count('y > 0')} AS conversions, SUM(y) AS y, "
        f"SUM(y * y) AS yy, SUM(d) AS d, SUM(d * d) AS dd, SUM(y * CAST(d AS {digits})) AS yd, "
        "SUM(CASE WHEN y > 0 THEN delay ELSE 0 END) AS delay, "
        "SUM(CASE WHEN y > 0 THEN delay * delay ELSE 0 END) AS delay_squares "
        "FROM bounded GROUP BY 1, 2, 3, 4"
    )


def _count(condition: str) -> str:
    return f"SUM(CASE WHEN {condition} THEN 1 ELSE 0 END)"


def whole(micros: str, width: int) -> str:
    """How often a width in microseconds fits; engines that divide as doubles are exact enough."""
    return f"CAST(FLOOR({micros} / {width}) AS BIGINT)"


def _hour(instant: str) -> str:
    return whole(instant, HOUR)


def _minutes(micros: str) -> str:
    return f"COALESCE({whole(micros, MINUTE)}, 0)"


def _values(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Rows that the statement brings along."""
    told = ", ".join(f"({', '.join(map(str, row))})" for row in rows)
    return f"SELECT * FROM (VALUES {told}) AS given({', '.join(columns)})"
