"""Flags, one or all at once, out of pieces of JSON that are written once for each ruleset.

What a slot shows to a visitor is one of a few things that the ruleset holds, so that the text of
each is written when it is first shown and afterwards only joined. The tag of the whole is made of
the marks of its pieces: it depends on the answer and on nothing else.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

import orjson

from experiments.assignment.bucketing import bucket
from experiments.resolution.enrolment import Question
from experiments.resolution.evaluation import Answered, answered, said
from experiments.resolution.flags import Flag, flags
from experiments.resolution.ladder import Resolved, Rung, answer, experiment, located
from experiments.resolution.ruleset import (
    ExperimentRule,
    HoldoutRule,
    JourneyRule,
    Ruleset,
    SlotRule,
    Walk,
)

MARK_BYTES = 16
NOT_IN, NOBODY = 0, -1  # no object has these as its identity
LASTING = frozenset({Rung.EXPERIMENT, Rung.STANDARD})  # what these show is the ruleset's own
Say = Callable[[Answered, bool], object | None]


class Piece(NamedTuple):
    """What the flags of one slot say, and a number that stands for it."""

    text: bytes
    mark: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A slot on one path, the flags that stand for it, and the pieces written so far."""

    slot: SlotRule
    flags: tuple[Flag, ...]
    pieces: dict[int, Piece] = field(default_factory=dict)
    drawn: dict[int, Piece] = field(default_factory=dict)  # by the place of the arm that is drawn
    kept: dict[int, Piece] = field(default_factory=dict)  # by the arm that is stored
    lottery: ExperimentRule | None = field(init=False)

    def __post_init__(self) -> None:
        """Find the experiment whose hash alone decides what newcomers see, if there is one."""
        rule = self.slot.live[0] if len(self.slot.live) == 1 else None
        is_drawn = rule is not None and rule.is_running and not rule.audience and rule.layer is None
        object.__setattr__(self, "lottery", rule if is_drawn else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """The flags of one journey, and the slots of each path that somebody walked so far."""

    journey: JourneyRule
    flags: tuple[Flag, ...]
    rows: dict[int, tuple[_Row, ...]] = field(default_factory=dict)

    def rows_on(self, walked: Walk) -> tuple[_Row, ...]:
        """The slots of a path; the ruleset holds its touchpoints, which so identify it."""
        rows = self.rows.get(id(walked.touchpoints))
        if rows is None:
            rows = self.rows[id(walked.touchpoints)] = tuple(self._met(walked))
        return rows

    def _met(self, walked: Walk) -> Iterator[_Row]:
        met: dict[int, list[Flag]] = {}
        for flag in self.flags:
            here = flag.on(walked.touchpoints.get(flag.touchpoint.key), walked.version)
            if here is not None:
                met.setdefault(id(here.slot), []).append(here)
        for found in met.values():
            yield _Row(slot=found[0].slot, flags=tuple(found))


class Sheet:
    """The flags of one ruleset; `say` puts one of them into words, or leaves it out."""

    def __init__(self, ruleset: Ruleset, say: Say) -> None:
        self._say = say
        self._ones: dict[tuple[object, ...], bytes] = {}
        self._groups = tuple(_groups(ruleset))
        self._end = b'],"metadata":{"version":"%d"}}' % ruleset.version
        self._mark = _mark(self._end)

    def one(self, flag: Flag, resolved: Resolved) -> bytes:
        """What one flag says to somebody who is shown this; nothing when nothing is to be said."""
        seen = resolved.answers[0]
        if seen.rung not in LASTING:
            return self._written_alone(flag, resolved)
        place = flag.key, id(resolved.touchpoint), resolved.version
        known = *place, id(seen.shown), id(seen.enrolment)
        text = self._ones.get(known)
        if text is None:
            text = self._ones[known] = self._written_alone(flag, resolved)
        return text

    def fill(self, question: Question) -> tuple[bytes, str]:
        """The answer to one question as JSON, and its tag."""
        texts, mark = [], self._mark
        for group in self._groups:
            asked, holdout, _, walked = located(group.journey, question)
            arms, drawing = asked.arms, None if holdout else asked.visitor
            for row in group.rows_on(walked):
                rule = row.lottery
                if drawing is None or rule is None:
                    text, its_mark = self._piece(row, asked, holdout)
                else:
                    stored = arms.get(rule.id)
                    if stored is not None and stored.variant_id in rule.to_members:
                        pieces, arm = row.kept, stored.variant_id
                    else:
                        pieces, arm = row.drawn, rule.arms_by_bucket[bucket(rule.salt, drawing)]
                    text, its_mark = pieces.get(arm) or self._noted(row, pieces, arm, asked)
                if text:
                    texts.append(text)
                    mark ^= its_mark
        return b'{"flags":[' + b",".join(texts) + self._end, f'"{mark:032x}"'

    def _written_alone(self, flag: Flag, resolved: Resolved) -> bytes:
        found = self._say(Answered(flag, said(flag, resolved)), True)  # noqa: FBT003 (as `Say` has it)
        return b"" if found is None else orjson.dumps(found)

    def _noted(self, row: _Row, pieces: dict[int, Piece], arm: int, question: Question) -> Piece:
        """The piece of somebody in an arm, from now on of everybody in it."""
        piece = pieces[arm] = self._piece(row, question, None)
        return piece

    def _piece(self, row: _Row, question: Question, holdout: HoldoutRule | None) -> Piece:
        met = experiment(row.slot, question, holdout).enrolment
        # An enrolment is the ruleset's own object, so that it lives as long as this sheet.
        known = (NOBODY if question.visitor is None else NOT_IN) if met is None else id(met)
        piece = row.pieces.get(known)
        if piece is None:
            piece = row.pieces[known] = self._written(row, question, holdout)
        return piece

    def _written(self, row: _Row, question: Question, holdout: HoldoutRule | None) -> Piece:
        seen = answer(row.slot, question, holdout=holdout)
        is_somebody = question.visitor is not None
        said = (self._say(answered(flag, seen), is_somebody) for flag in row.flags)
        text = b",".join(orjson.dumps(item) for item in said if item is not None)
        return Piece(text, _mark(text))


def _groups(ruleset: Ruleset) -> Iterator[_Group]:
    for journey in ruleset.journeys.values():
        own = (flag for flag in flags(ruleset).values() if flag.journey is journey)
        yield _Group(journey=journey, flags=tuple(own))


def _mark(text: bytes) -> int:
    return int.from_bytes(blake2b(text, digest_size=MARK_BYTES).digest(), "big")
