"""A letter as plain text: for the terminal, and for mail readers that show no HTML."""

import textwrap

from experiments.reports.letter import Entry, Letter, Section

WIDTH = 78


def plain(letter: Letter) -> str:
    """The whole letter in lines of at most 78 characters, as far as words permit."""
    head = [letter.title, letter.period, "", _filled(letter.headline)]
    parts = [_section(section) for section in letter.sections]
    return "\n".join([*head, *parts, "", _filled(letter.seal), ""])


def _section(section: Section) -> str:
    lines = ["", section.title, "-" * len(section.title)]
    if section.lead:
        lines.append(_filled(section.lead))
    if section.steps:
        lines += _funnel(section)
    for entry in section.entries:
        lines += _entry(entry)
    if section.note:
        lines.append(_filled(section.note))
    return "\n".join(lines)


def _entry(entry: Entry) -> list[str]:
    marks = "".join(f" [{mark.words}]" for mark in entry.marks)
    swaps = [f"{swap.place}: “{swap.before}” became “{swap.after}”" for swap in entry.swaps]
    title = f"{entry.title}{marks}: " if entry.title else ""
    told = title + " ".join([*entry.lines, *swaps])
    lines = [_filled(told, first="  - ", rest="    ")]
    if entry.details:
        lines.append(_filled(f"{entry.more}:", first="    ", rest="    "))
        lines += [_filled(item, first="      - ", rest="        ") for item in entry.details]
    return lines


def _funnel(section: Section) -> list[str]:
    wide = max(len(step.name) for step in section.steps)
    rows = [f"  {'':{wide}}  {'visitors':>10}  {'before':>10}  {'change':>8}"]
    for step in section.steps:
        rows.append(
            f"  {step.name:{wide}}  {step.told:>10}  {step.told_before:>10}  {step.change:>8}"
        )
    return rows


def _filled(text: str, first: str = "", rest: str = "") -> str:
    return textwrap.fill(text, WIDTH, initial_indent=first, subsequent_indent=rest)
