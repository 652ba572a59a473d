"""A letter as a Slack message: blocks within what an incoming webhook accepts."""

from html import escape
from typing import Any

from experiments.reports.letter import Entry, Letter, Section

MOST_BLOCKS = 50
LONGEST_HEADER = 150
LONGEST_TEXT = 3000
LONGEST_FIELD = 2000
CUT = "… more in the report"
Block = dict[str, Any]


def message(letter: Letter, *, address: str) -> dict[str, Any]:
    """The payload for an incoming webhook.

    Args:
        letter: what is told.
        address: where the report can be read in full.
    """
    head: list[Block] = [
        {"type": "header", "text": {"type": "plain_text", "text": letter.title[:LONGEST_HEADER]}},
        _small(letter.period),
        _said(escaped(letter.headline)),
        {
            "type": "section",
            "fields": [
                _words(f"*{item.number}*\n{escaped(item.words)}", LONGEST_FIELD)
                for item in letter.figures
            ],
        },
        {"type": "divider"},
    ]
    tail = [_small(f"<{address}|Read it in full>")]
    room = MOST_BLOCKS - len(head) - len(tail)
    told = [_said(_section(section)) for section in letter.sections][:room]
    return {"text": f"{letter.title}: {escaped(letter.headline)}", "blocks": [*head, *told, *tail]}


def escaped(text: str) -> str:
    """Text whose signs Slack would otherwise read as links or mentions."""
    return escape(text, quote=False)


def _section(section: Section) -> str:
    lines = [f"*{escaped(section.title)}*"]
    if section.lead:
        lines.append(escaped(section.lead))
    lines += [_entry(entry) for entry in section.entries]
    lines += [
        f"• {escaped(step.name)}: *{step.told}* ({step.change}, before {step.told_before})"
        for step in section.steps
    ]
    if section.note:
        lines.append(f"_{escaped(section.note)}_")
    return "\n".join(lines)


def _entry(entry: Entry) -> str:
    marks = "".join(f" _({escaped(mark.words)})_" for mark in entry.marks)
    title = f"*{escaped(entry.title)}*{marks}: " if entry.title else ""
    return f"• {title}{escaped(' '.join(entry.lines))}"


def _said(text: str) -> Block:
    return {"type": "section", "text": _words(text, LONGEST_TEXT)}


def _small(text: str) -> Block:
    return {"type": "context", "elements": [_words(text, LONGEST_TEXT)]}


def _words(text: str, longest: int) -> Block:
    if len(text) > longest:
        # Only whole lines, so that no mark-up is left open.
        kept = text[: longest - len(CUT) - 1].rsplit("\n", 1)[0]
        text = f"{kept}\n{CUT}"
    return {"type": "mrkdwn", "text": text}
