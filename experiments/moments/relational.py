"""The one definition: how exposures and events become sums, as SQL that every engine takes.

Two relations are given: `exposure` (experiment, visitor, variant, phase, first_at), one row per
experiment and person, and `event` (visitor, name, source, occurred_at, received_at, properties),
what was received by the time asked. Every person stands under one number, instants are in
microseconds. Only what engines say differently is asked of a dialect. All sums are of whole
numbers, so that no order of adding changes them.

Of the two are made `people`, everybody of every population, and `hit`, every event once for each
rule that it satisfies; an engine may keep these two and `wanted`, which rule is on which track.
All else is asked of them. Both joins to `people` are on one whole number and nothing beside it: an
engine can then look people up by their place instead of by a hash. Joins are written in the order
in which they are to be run, the smaller side last. Slots that want the same of somebody's hits
share a track, so that hits are grouped once for all of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from experiments.moments.dialects import Dialect, text
from experiments.moments.questions import HOUR, UNLIMITED, Questions, Rule
from experiments.moments.schemas import PAIR

LATE = 24 * HOUR
MINUTE = HOUR // 60
SUMS = ("conversions", "y", "yy", "d", "dd", "yd", "delay", "delay_squares")
VERDICT = "verdict"
"""The table with the conditional rules' numbers and the properties that they let through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """SQL that stands for the two relations, in brackets or a name.

    `number` is SQL of a whole number for each visitor among the exposures of one experiment.
    """

    exposure: str
    event: str
    number: str = "x.visitor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """SQL that stands for `people`, `hit` and `wanted`, in brackets or a name."""

    people: str
    hit: str
    wanted: str


def gathered(asked: Questions, tables: Tables, dialect: Dialect, *, as_of: int) -> Gathered:
    """Everybody who is asked about and their hits, made of the two relations."""
    return Gathered(
        people=f"({_people(asked, tables, as_of=as_of)})",
        hit=f"({_hits(asked, tables, dialect)})",
        wanted=f"({_wanted(asked)})",
    )


def joined(given: Gathered, *, as_of: int) -> str:
    """Visitors per population, arm, phase and hour of exposure, and whether late in the hour.

    Late is whoever came later in their hour than `as_of` is in its own, so that from hours alone
    it is told to the microsecond whose window of whole hours is over.
    """
    return (
        f"SELECT population, variant, phase, {_hour('first_at')} AS joined_hour, "
        f"CASE WHEN MOD(first_at, {HOUR}) > {as_of % HOUR} THEN 1 ELSE 0 END AS is_late, "
        "COUNT(*) AS visitors, MAX(first_at) AS newest "
        f"FROM {given.people} people GROUP BY 1, 2, 3, 4, 5"
    )


def outcomes(asked: Questions, given: Gathered) -> str:
    """One row per track and visitor with a hit: how often, how much, and how soon the first."""
    took = "hit.occurred_at - people.first_at"
    amount = "hit.amount, " if asked.is_valued else ""
    return (
        "SELECT outcome.track, people.visitor, people.variant, people.phase, people.first_at, "
        "outcome.hits, outcome.below, outcome.amount, outcome.took "
        f"FROM (SELECT person, track, {_counted(asked)} FROM ("
        f"SELECT people.person, wanted.track, wanted.part, {amount}"
        f"CASE WHEN {took} BETWEEN 0 AND wanted.span - 1 THEN {took} END AS took "
        f"FROM {given.hit} hit JOIN {given.people} people ON people.visitor = hit.visitor "
        f"JOIN {given.wanted} wanted "
        f"ON wanted.wanted = people.population * {len(asked.rules)} + hit.rule) seen "
        f"GROUP BY person, track) outcome JOIN {given.people} people "
        "ON people.person = outcome.person "
        "WHERE outcome.took IS NOT NULL OR outcome.below > 0"
    )


def sums(asked: Questions, outcome: str, *, as_of: int) -> str:
    """The sums per slot, arm and phase, of those whose window is over and of the others."""
    over = f"CASE WHEN outcome.first_at + slot.span <= {as_of} THEN 1 ELSE 0 END"
    return _summed(asked, outcome, group=over, label="matured")


def sums_by_hour(asked: Questions, outcome: str) -> str:
    """The sums per slot, arm, phase and hour of exposure."""
    return _summed(asked, outcome, group=_hour("outcome.first_at"), label="joined_hour")


def sent(asked: Questions, given: Gathered, *, by_visitor: bool = False) -> str:
    """Events per population and source after the exposure, and how many arrived late."""
    delays = [(population * len(asked.rules) + rule,) for population, rule in asked.delays.items()]
    visitor, groups = ("people.visitor, ", "1, 2, 3") if by_visitor else ("", "1, 2")
    is_after = "hit.occurred_at - people.first_at >= 0"
    is_late = f"hit.received_at - hit.occurred_at > {LATE}"
    return (
        f"SELECT people.population, {visitor}hit.source, {_count(is_after)} AS events, "
        f"{_count(f'{is_after} AND {is_late}')} AS late FROM {given.hit} hit "
        f"JOIN {given.people} people ON people.visitor = hit.visitor "
        f"JOIN ({_values(('wanted',), delays)}) delayed "
        f"ON delayed.wanted = people.population * {len(asked.rules)} + hit.rule "
        f"WHERE hit.rule IN ({', '.join(map(str, sorted(set(asked.delays.values()))))}) "
        f"GROUP BY {groups} HAVING {_count(is_after)} > 0"
    )


def distinct_properties(tables: Tables, rule: Rule) -> str:
    """Every text of properties that came with the events of a rule's name."""
    name = text(rule.event.event)
    return f"SELECT DISTINCT e.properties FROM {tables.event} e WHERE e.name = {name}"


def _counted(asked: Questions) -> str:
    """What is known of a visitor's hits; what nobody asks for is left out, since it takes time."""
    above = "took" if not asked.has_ratios else "CASE WHEN part = 0 THEN took END"
    hits = (
        f"COUNT({above})" if asked.has_counts else f"CASE WHEN MIN({above}) >= 0 THEN 1 ELSE 0 END"
    )
    below = "COUNT(CASE WHEN part = 1 THEN took END)" if asked.has_ratios else "0"
    amount = f"SUM(CASE WHEN {above} >= 0 THEN amount END)" if asked.is_valued else "0"
    return f"{hits} AS hits, {below} AS below, {amount} AS amount, MIN({above}) AS took"


def _people(asked: Questions, tables: Tables, *, as_of: int) -> str:
    """Everybody of every population, in the arm that stands."""
    number = f"{tables.number} * {len(asked.populations)} + wanted.population AS person"
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
            f"SELECT wanted.population, {number}, x.visitor, x.variant, x.phase, x.first_at "
            f"FROM {tables.exposure} x JOIN ({wanted}) wanted "
            f"ON wanted.experiment = x.experiment WHERE x.first_at <= {as_of}"
        )
    if pairs:
        wanted = _values(("population", "experiment", "beside"), pairs)
        parts.append(
            f"SELECT wanted.population, {number}, x.visitor, "
            f"x.variant * {PAIR} + other.variant AS variant, x.phase, x.first_at "
            f"FROM {tables.exposure} x JOIN ({wanted}) wanted "
            f"ON wanted.experiment = x.experiment JOIN {tables.exposure} other "
            "ON other.experiment = wanted.beside AND other.visitor = x.visitor "
            f"WHERE x.first_at <= {as_of} AND other.first_at <= {as_of}"
        )
    return " UNION ALL ".join(parts)


def _hits(asked: Questions, tables: Tables, dialect: Dialect) -> str:
    """Every event once for each rule that it satisfies."""
    plain = [rule for rule in asked.rules if not rule.event.where]
    sending = ", e.source, e.received_at" if asked.delays else ""
    parts = []
    if plain:
        names = _values(("rule", "name"), [(rule.number, text(rule.event.event)) for rule in plain])
        parts.append(
            f"SELECT e.visitor, named.rule, e.occurred_at{sending}{_amount(asked, plain, dialect)} "
            f"FROM {tables.event} e JOIN ({names}) named ON named.name = e.name"
        )
    parts += [
        f"SELECT e.visitor, {rule.number} AS rule, e.occurred_at{sending}"
        f"{_amount(asked, [rule], dialect)} FROM {tables.event} e "
        f"JOIN {VERDICT} ON {VERDICT}.rule = {rule.number} "
        f"AND {VERDICT}.properties = e.properties "
        f"WHERE e.name = {text(rule.event.event)}"
        for rule in asked.rules
        if rule.event.where
    ]
    return " UNION ALL ".join(parts)


def _amount(asked: Questions, rules: Iterable[Rule], dialect: Dialect) -> str:
    """The column of amounts, where any rule asks for one."""
    if not asked.is_valued:
        return ""
    cases = {
        rule.number: dialect.amount("e.properties", rule.amount) for rule in rules if rule.amount
    }
    if not cases:
        return ", CAST(NULL AS BIGINT) AS amount"
    if len(cases) == 1:
        return f", {next(iter(cases.values()))} AS amount"
    told = " ".join(f"WHEN {number} THEN {amount}" for number, amount in cases.items())
    return f", CASE named.rule {told} END AS amount"


def _wanted(asked: Questions) -> str:
    """Which rule is on which track, as its outcome (part 0) or below the line (part 1)."""
    rules = len(asked.rules)
    rows = [
        (track.number, track.population * rules + rule, part, track.span)
        for track in dict.fromkeys(asked.tracks.values())
        for part, rule in enumerate((track.rule, track.below))
        if rule is not None
    ]
    return _values(("track", "wanted", "part", "span"), rows)


def _summed(asked: Questions, outcome: str, *, group: str, label: str) -> str:
    kinds = _values(
        ("slot", "track", "span", "per_hit", "is_valued", "most"),
        [
            (
                slot.number,
                asked.tracks[slot.number].number,
                slot.window,
                slot.per_hit,
                int(slot.is_valued),
                slot.most,
            )
            for slot in asked.slots
        ],
    )
    # Millionths squared need 36 digits, which DuckDB allows from a width of 19 on: products of
    # narrower decimals overflow at 18. Counts are squared in half the time without.
    digits = "DECIMAL(19, 0)" if any(slot.scale > 1 for slot in asked.slots) else "BIGINT"
    hits = "outcome.hits * slot.per_hit"
    # Multiplied by instead of asked around a delay, which would be divided anew for each sum.
    converted = "CASE WHEN y > 0 THEN 1 ELSE 0 END"
    value = (
        f"CASE WHEN slot.is_valued = 1 THEN COALESCE(outcome.amount, 0) ELSE {hits} END"
        if asked.is_valued
        else hits
    )
    return (
        f"WITH slot AS ({kinds}), valued AS (SELECT slot.slot, outcome.variant, outcome.phase, "
        f"{group} AS {label}, outcome.below AS d, slot.most, {_minutes('outcome.took')} AS delay, "
        f"{value} AS total FROM {outcome} outcome JOIN slot ON slot.track = outcome.track "
        "WHERE outcome.took < slot.span OR outcome.below > 0), "
        f"bounded AS (SELECT slot, variant, phase, {label}, d, delay, CAST(CASE "
        "WHEN total > most THEN most "
        f"WHEN total < -{UNLIMITED} THEN -{UNLIMITED} ELSE total END AS {digits}) AS y "
        "FROM valued) "
        f"SELECT slot, variant, phase, {label}, SUM({converted}) AS conversions, SUM(y) AS y, "
        f"SUM(y * y) AS yy, SUM(d) AS d, SUM(d * d) AS dd, SUM(y * CAST(d AS {digits})) AS yd, "
        f"SUM(delay * {converted}) AS delay, SUM(delay * delay * {converted}) AS delay_squares "
        "FROM bounded GROUP BY 1, 2, 3, 4"
    )


def _count(condition: str) -> str:
    return f"COUNT(CASE WHEN {condition} THEN 1 END)"


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
