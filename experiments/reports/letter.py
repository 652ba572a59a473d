"""The words of a report, once: page, e-mail, PDF, Slack and terminal only lay them out."""

from enum import StrEnum

from pydantic import Field

from experiments.shapes import Out


class Tone(StrEnum):
    """What a mark says at a glance; its words say the same."""

    PLAIN = "plain"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


class Mark(Out):
    """A state in a word or two."""

    words: str
    tone: Tone = Tone.PLAIN


class Swap(Out):
    """What visitors read before, and what they read now."""

    place: str
    before: str
    after: str


class Entry(Out):
    """One thing that is told; `path` leads to its page, `details` to the reasons."""

    title: str = ""
    path: str = ""
    marks: list[Mark] = Field(default_factory=list)
    lines: list[str] = Field(default_factory=list)
    swaps: list[Swap] = Field(default_factory=list)
    more: str = ""
    details: list[str] = Field(default_factory=list)
    fine: str = ""


class Figure(Out):
    """A number of the week with what it counts."""

    number: str
    words: str
    tone: Tone = Tone.PLAIN


class Step(Out):
    """A stage of a funnel as it is read, with the numbers for a picture."""

    name: str
    visitors: int
    before: int
    on_path: bool
    told: str
    told_before: str
    change: str


class Section(Out):
    """One question of the reader with its answer; a funnel is a table of steps."""

    key: str
    title: str
    lead: str = ""
    entries: list[Entry] = Field(default_factory=list)
    steps: list[Step] = Field(default_factory=list)
    note: str = ""


class Letter(Out):
    """A whole report in words."""

    week: str
    title: str
    period: str
    headline: str
    figures: list[Figure]
    sections: list[Section]
    seal: str
