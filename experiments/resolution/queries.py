"""Reading everything that is live into a ruleset."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from sqlmodel import Session

from experiments.assignment.bucketing import ranges
from experiments.audit.queries import changed_at, live_version
from experiments.conditions import named
from experiments.design import queries as design
from experiments.design.recall import Recall
from experiments.design.schemas import (
    ExperimentOut,
    HoldoutOut,
    LayerPlace,
    Level,
    PhaseOut,
    Purpose,
    Status,
    VariantOut,
)
from experiments.journeys import queries as journeys
from experiments.journeys.schemas import (
    ContentOut,
    JourneyGraph,
    Slot,
    Stage,
    Touchpoint,
    VersionOut,
)
from experiments.personas import queries as personas
from experiments.resolution.forks import earlier_paths, path_rule
from experiments.resolution.ruleset import (
    ArmRule,
    ExperimentRule,
    HoldoutRule,
    JourneyRule,
    LayerRule,
    PersonaRule,
    Ruleset,
    SlotRule,
    StandardContent,
    TouchpointRule,
)

# Drafts are here for previews alone; the ladder lets them answer nobody else.
KNOWN_STATUSES = (
    Status.DRAFT,
    Status.SCHEDULED,
    Status.RUNNING,
    Status.PAUSED,
    Status.MATURING,
)
ON_SLOTS = (Purpose.TEST, Purpose.PROBATION)
NO_PHASE = 0

Rules = Mapping[tuple[str, str], list[ExperimentRule]]
Contents = Mapping[tuple[str, int], ContentOut]


class _Live(NamedTuple):
    """What is kept of an experiment: where it is, its rule, and all of it if it is on paths."""

    journey: str
    touchpoint: str
    slot: str
    rule: ExperimentRule
    on_paths: ExperimentOut | None


def ruleset(session: Session) -> Ruleset:
    """Everything live now, with the version it belongs to."""
    return Reader().read(session)


class Reader:
    """Reads what is live again and again; what did not change stays the same object."""

    def __init__(self) -> None:
        self._recall = Recall[_Live]()

    def read(self, session: Session) -> Ruleset:
        """Everything live now, with the version it belongs to."""
        version = live_version(session)
        found = self._read_rules(session)
        standards = [journeys.standard(session, item.key) for item in journeys.journeys(session)]
        rules = [_journey(session, standard, found) for standard in standards if standard]
        return Ruleset(
            version=version,
            changed_at=changed_at(session, version),
            journeys={rule.key: rule for rule in rules},
        )

    def _read_rules(self, session: Session) -> list[_Live]:
        salts = {layer.key: layer.salt for layer in design.layers(session)}
        make = partial(_live, salts)
        return self._recall.experiments(session, KNOWN_STATUSES, purposes=ON_SLOTS, make=make)


def _journey(session: Session, standard: VersionOut, live: Iterable[_Live]) -> JourneyRule:
    key = standard.journey
    contents = {(item.key, item.number): item for item in journeys.contents(session, key)}
    found = [item for item in live if item.journey == key]
    experiments = _by_slot(found)
    holdouts = tuple(
        _holdout(session, item, contents)
        for item in design.holdouts(session)
        if item.journey == key and item.ended_at is None
    )
    tests = [(item.on_paths, item.rule) for item in found if item.on_paths is not None]
    conditions = [rule.audience for _, rule in tests]
    asked = _asked([*(item.rule.audience for item in found), *(item.audience for item in holdouts)])
    kinds = _personas(session) if "persona" in asked else ()

    def touchpoints(graph: JourneyGraph) -> dict[str, TouchpointRule]:
        return {
            point.key: _touchpoint(stage, point, experiments, contents, holdouts, conditions)
            for stage in graph.stages
            for point in stage.touchpoints
        }

    return JourneyRule(
        key=key,
        id=journeys.journey(session, key).id,
        version=standard.number,
        touchpoints=touchpoints(standard.graph),
        holdouts=holdouts,
        earlier={
            number: touchpoints(graph) for number, graph in earlier_paths(session, standard).items()
        },
        previews=tuple(
            path_rule(session, item, standard.graph, rule=rule, touchpoints=touchpoints)
            for item, rule in tests
        ),
        personas=kinds,
        asks_stage="stage" in asked | _asked(kind.rule for kind in kinds),
    )


def _asked(conditions: Iterable[Mapping[str, Any]]) -> set[str]:
    return {name for condition in conditions for name in named(condition)}


def _personas(session: Session) -> tuple[PersonaRule, ...]:
    return tuple(PersonaRule(item.key, item.rule) for item in personas.personas(session))


def _touchpoint(
    stage: Stage,
    point: Touchpoint,
    /,
    experiments: Rules,
    contents: Contents,
    holdouts: tuple[HoldoutRule, ...],
    conditions: Sequence[Mapping[str, Any]],
) -> TouchpointRule:
    slots = {
        slot.key: _slot(slot, experiments.get((point.key, slot.key), []), contents)
        for slot in point.slots
    }
    conditional = [rule.audience for slot in slots.values() for rule in slot.experiments]
    conditional += [holdout.audience for holdout in holdouts]
    conditional += conditions
    return TouchpointRule(
        key=point.key,
        stage=stage.key,
        expose=point.expose,
        wait_hours=point.wait_hours,
        channels=tuple(point.channels),
        slots=slots,
        reads_attributes=any(conditional),
    )


def _slot(slot: Slot, experiments: Iterable[ExperimentRule], contents: Contents) -> SlotRule:
    return SlotRule(
        key=slot.key,
        type=slot.type,
        standard=_standard(contents.get((slot.content, slot.content_version))),
        experiments=tuple(sorted(experiments, key=lambda rule: rule.key)),
    )


def _standard(content: ContentOut | None) -> StandardContent | None:
    if content is None:
        return None
    return StandardContent(
        key=content.key,
        number=content.number,
        value=content.payload,
        approved=content.approved_at is not None,
    )


def _by_slot(found: Iterable[_Live]) -> Rules:
    rules: defaultdict[tuple[str, str], list[ExperimentRule]] = defaultdict(list)
    for item in found:
        if item.on_paths is None:
            rules[item.touchpoint, item.slot].append(item.rule)
    return rules


def _live(salts: Mapping[str, str], item: ExperimentOut) -> _Live:
    on_paths = item if item.level is Level.PATH else None
    return _Live(item.journey, item.touchpoint, item.slot, _experiment(item, salts), on_paths)


def _experiment(item: ExperimentOut, salts: Mapping[str, str]) -> ExperimentRule:
    phase = max(item.phases, key=lambda phase: phase.number, default=None)
    arms = tuple(_arm(variant, phase) for variant in item.variants)
    coverage = item.coverage if phase is None else phase.coverage
    return ExperimentRule(
        id=item.id,
        key=item.key,
        status=item.status,
        salt=item.salt,
        audience=item.audience,
        layer=_layer(item.place, salts),
        phase_id=NO_PHASE if phase is None else phase.id,
        phase=NO_PHASE if phase is None else phase.number,
        coverage=coverage,
        arms=arms,
        stretches=tuple(ranges([arm.weight for arm in arms], coverage)),
    )


def _arm(variant: VariantOut, phase: PhaseOut | None) -> ArmRule:
    removed = variant.removed_at is not None
    return ArmRule(
        id=variant.id,
        key=variant.key,
        # A phase names only the arms it has: one that was taken out gets nobody.
        weight=variant.weight if phase is None else phase.weights.get(variant.key, 0.0),
        content=variant.content,
        defers=variant.content is None or removed,
        removed=removed,
    )


def _layer(place: LayerPlace | None, salts: Mapping[str, str]) -> LayerRule | None:
    if place is None:
        return None
    return LayerRule(key=place.layer, salt=salts[place.layer], stretch=(place.start, place.end))


def _holdout(session: Session, item: HoldoutOut, contents: Contents) -> HoldoutRule:
    rule = HoldoutRule(key=item.key, salt=item.salt, share=item.share, audience=item.audience)
    if item.comparison is None or item.base_version is None:
        return rule
    kept = journeys.version(session, item.journey, item.base_version)
    parts = _experiment(design.experiment(session, item.comparison), {})
    edge = item.share * item.status_quo
    return replace(
        rule,
        # The parts divide the very buckets of the holdout, so that one salt draws both.
        parts=replace(parts, stretches=((0.0, edge), (edge, item.share))),
        kept={
            point.key: _touchpoint(stage, point, {}, contents, (), ())
            for stage in kept.graph.stages
            for point in stage.touchpoints
        },
        kept_version=kept.number,
    )
