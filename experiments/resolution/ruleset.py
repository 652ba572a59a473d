"""Everything that is live, frozen: what answering a request needs and nothing else.

What every request would work out anew is worked out here once: in which arm each bucket is, what
an arm shows and says, which experiments can take part.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from experiments.assignment.bucketing import BUCKETS, Range, arms_by_bucket, first_bucket
from experiments.design.schemas import Status
from experiments.journeys.schemas import ContentType, Exposing

LIVE = frozenset({Status.RUNNING, Status.PAUSED, Status.MATURING})


class Shown(NamedTuple):
    """What a rung shows, and the content or variant it comes from."""

    value: Any
    origin: str = ""


class Enrolment(NamedTuple):
    """The arm in which a visitor meets a slot."""

    experiment: "ExperimentRule"
    arm: "ArmRule"
    is_new: bool
    is_counted: bool


class Said(NamedTuple):
    """What a rung said: its reason, its answer if it has one, and the arm met there if any."""

    reason: str
    shown: Shown | None = None
    enrolment: Enrolment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmRule:
    """A variant of an experiment; the control, and a variant taken out, defer to the ladder."""

    id: int
    key: str
    weight: float
    content: Any
    defers: bool
    removed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerRule:
    """The part of a layer that an experiment may use; the layer has a salt of its own."""

    key: str
    salt: str
    stretch: Range
    first: int = field(init=False, repr=False, compare=False)
    beyond: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Put the stretch into buckets."""
        start, end = map(first_bucket, self.stretch)
        object.__setattr__(self, "first", start)
        object.__setattr__(self, "beyond", end)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentRule:
    """An experiment on a slot, in its current phase."""

    id: int
    key: str
    status: Status
    salt: str
    audience: Mapping[str, Any]
    layer: LayerRule | None
    phase_id: int
    phase: int = 0
    coverage: float = 1.0
    arms: tuple[ArmRule, ...]
    stretches: tuple[Range, ...]
    arms_by_bucket: bytes = field(init=False, repr=False, compare=False)
    to_newcomers: tuple[Said, ...] = field(init=False, repr=False, compare=False)
    to_members: Mapping[int, Said] = field(init=False, repr=False, compare=False)
    is_running: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Work out what each arm says to those who come newly, and to those who are in it."""
        object.__setattr__(self, "is_running", self.status is Status.RUNNING)
        beyond = self.refuses("the visitor is outside its coverage")
        object.__setattr__(self, "arms_by_bucket", arms_by_bucket(self.stretches))
        object.__setattr__(self, "to_newcomers", (*map(self._to_newcomer, self.arms), beyond))
        members = {arm.id: self._meets(arm, is_new=False) for arm in self.arms}
        object.__setattr__(self, "to_members", members)

    def refuses(self, why: str) -> Said:
        """What the experiment says to somebody who is not in it."""
        return Said(f"{self.key}: {why}")

    def _to_newcomer(self, arm: ArmRule) -> Said:
        if arm.removed:
            return self.refuses(f"the visitor's variant {arm.key!r} was taken out")
        return self._meets(arm, is_new=True)

    def _meets(self, arm: ArmRule, *, is_new: bool) -> Said:
        is_counted = is_new or self.status is Status.RUNNING
        enrolment = Enrolment(self, arm, is_new, is_counted)
        name = f"{self.key}/{arm.key}"
        if arm.removed:
            reason = f"{name} was taken out, so the rungs below answer"
            return Said(reason, enrolment=enrolment)
        if arm.defers:
            return Said(f"{name} shows what is standard", enrolment=enrolment)
        return Said(f"the visitor is in {name}", Shown(arm.content, name), enrolment)


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardContent:
    """What a slot shows to everybody who is in no test."""

    key: str
    number: int
    value: Any
    approved: bool
    said: Said = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Put into words what this content says when a visitor meets it."""
        name = f"{self.key} version {self.number}"
        said = Said(f"{name} is not approved")
        if self.approved:
            said = Said(f"standard content {name}", Shown(self.value, name))
        object.__setattr__(self, "said", said)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotRule:
    """A slot with its standard content and the experiments on it."""

    key: str
    type: ContentType
    standard: StandardContent | None
    experiments: tuple[ExperimentRule, ...] = ()
    live: tuple[ExperimentRule, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Leave aside what only a preview can show."""
        live = tuple(rule for rule in self.experiments if rule.status in LIVE)
        object.__setattr__(self, "live", live)


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchpointRule:
    """A touchpoint of the standard version, and when seeing it counts."""

    key: str
    stage: str
    expose: Exposing
    slots: Mapping[str, SlotRule]
    reads_attributes: bool
    wait_hours: int | None = None
    channels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldoutRule:
    """A share of visitors kept out of every experiment of the journey.

    Attributes:
        key: its key.
        salt: draws who is in it.
        share: of the visitors.
        audience: condition on their attributes.
        parts: the status quo beside all that was shipped, if it is split.
        kept: the touchpoints of the version that the status quo stays on.
        kept_version: the number of that version.
        beyond: the end of the buckets that the share takes in.
    """

    key: str
    salt: str
    share: float
    audience: Mapping[str, Any]
    parts: ExperimentRule | None = None
    kept: Mapping[str, TouchpointRule] = field(default_factory=dict)
    kept_version: int = 0
    beyond: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Put the share into buckets."""
        object.__setattr__(self, "beyond", self.share * BUCKETS)

    def keeps(self, part: Enrolment | None) -> bool:
        """Whether whoever is in that part stays on the standard of the beginning."""
        return part is not None and self.parts is not None and part.arm is self.parts.arms[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class PathRule:
    """An experiment on the paths of a journey.

    Attributes:
        rule: who is in it, and in which arm.
        touchpoints: the touchpoints of each path, by the arm that walks another than the standard.
        parting: asking for one of these is arriving where the paths part, in every arm.
        past: stages behind that point; who is there newly cannot be taken in any more.
    """

    rule: ExperimentRule
    touchpoints: Mapping[int, Mapping[str, TouchpointRule]]
    parting: frozenset[str]
    past: frozenset[str]


class PersonaRule(NamedTuple):
    """A kind of visitor, and the condition that recognises it."""

    key: str
    rule: Mapping[str, Any]


class Walk(NamedTuple):
    """The touchpoints of a visitor's path, and the arm of the experiment that makes it."""

    touchpoints: Mapping[str, TouchpointRule]
    version: int
    enrolment: Enrolment | None = None
    parting: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyRule:
    """The standard version of a journey, and the other paths that somebody walks.

    Attributes:
        key: its key.
        version: the number of the standard.
        touchpoints: the touchpoints of the standard, by key.
        holdouts: who is kept out of every experiment.
        id: its number, by which it is stored where visitors stand.
        earlier: the touchpoints of each earlier path that somebody is still on, by version.
        previews: the experiments on paths, drafts too.
        personas: if a condition asks for the persona, every one, the one that wins first.
        asks_stage: whether a condition asks where on the journey somebody is.
        paths: those of them that are under way.
        elsewhere: touchpoints of any other path, which the standard does not have.
        paved: the path of whoever walks the standard.
        is_forked: whether there is any path but the standard.
    """

    key: str
    version: int
    touchpoints: Mapping[str, TouchpointRule]
    holdouts: tuple[HoldoutRule, ...] = ()
    id: int = 0
    earlier: Mapping[int, Mapping[str, TouchpointRule]] = field(default_factory=dict)
    previews: tuple[PathRule, ...] = ()
    personas: tuple[PersonaRule, ...] = ()
    asks_stage: bool = False
    paths: tuple[PathRule, ...] = field(init=False, repr=False, compare=False)
    elsewhere: Mapping[str, TouchpointRule] = field(init=False, repr=False, compare=False)
    paved: Walk = field(init=False, repr=False, compare=False)
    is_forked: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Work out what is under way, and what is known on any path."""
        paths = tuple(path for path in self.previews if path.rule.status in LIVE)
        others = [each for path in self.previews for each in path.touchpoints.values()]
        others += [holdout.kept for holdout in self.holdouts]
        elsewhere = {
            key: point
            for touchpoints in (*self.earlier.values(), *others)
            for key, point in touchpoints.items()
            if key not in self.touchpoints
        }
        object.__setattr__(self, "paths", paths)
        object.__setattr__(self, "elsewhere", elsewhere)
        object.__setattr__(self, "paved", Walk(self.touchpoints, self.version))
        object.__setattr__(self, "is_forked", bool(self.earlier or self.previews))


# Two rulesets are never compared; by identity one can be the key of what is made out of it.
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ruleset:
    """What is live in every journey, as of one version of the audit trail."""

    version: int = 0
    changed_at: datetime | None = None
    journeys: Mapping[str, JourneyRule] = field(default_factory=dict)
    reads_attributes: bool = field(init=False, compare=False)
    reads_standing: bool = field(init=False, compare=False)
    reads_people: bool = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """Note whether any answer depends on what is known of the visitor."""
        journeys = self.journeys.values()
        standing = any(journey.is_forked or journey.asks_stage for journey in journeys)
        points = (
            point
            for journey in journeys
            for point in (*journey.touchpoints.values(), *journey.elsewhere.values())
        )
        object.__setattr__(self, "reads_attributes", any(p.reads_attributes for p in points))
        object.__setattr__(self, "reads_standing", standing)
        object.__setattr__(self, "reads_people", self.reads_attributes or standing)
