"""A letter as an e-mail: text and HTML side by side, styles inside the tags, pictures inside."""

from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from experiments.deferred import Deferred
from experiments.mailings import pictures
from experiments.mailings.text import plain
from experiments.reports.letter import Letter, Section

if TYPE_CHECKING:
    import css_inline
else:
    css_inline = Deferred("css_inline")

LARGEST_BYTES = 102_000  # mail readers cut off what is longer
MOST_PICTURES = 3
MOST_ENTRIES = (20, 10, 5, 2)
_templates = Environment(
    loader=PackageLoader("experiments.mailings", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Who sends what under which name; `message_id` is the same however often it is tried."""

    sender: str
    subject: str
    message_id: str
    sent_at: datetime
    address: str
    base_url: str


def compose(letter: Letter, envelope: Envelope) -> EmailMessage:
    """The mail without its recipient, never longer than mail readers show in full."""
    for most in MOST_ENTRIES:
        mail = _assembled(shortened(letter, most), envelope)
        if len(mail.as_bytes()) <= LARGEST_BYTES:
            break
    return mail


def shortened(letter: Letter, most: int) -> Letter:
    """The letter with at most so many entries in a section, and word of what is left out."""
    return letter.model_copy(
        update={"sections": [_shortened(section, most) for section in letter.sections]}
    )


def _shortened(section: Section, most: int) -> Section:
    over = len(section.entries) - most
    if over <= 0:
        return section
    note = f"{section.note} And {over} more in the report.".strip()
    return section.model_copy(update={"entries": section.entries[:most], "note": note})


def _assembled(letter: Letter, envelope: Envelope) -> EmailMessage:
    drawn = [section for section in letter.sections if section.steps][:MOST_PICTURES]
    mail = EmailMessage()
    mail["From"] = envelope.sender
    mail["Subject"] = envelope.subject
    mail["Date"] = format_datetime(envelope.sent_at)
    mail["Message-ID"] = envelope.message_id
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(f"{plain(letter)}\n{envelope.address}\n")
    mail.add_alternative(_html(letter, envelope, drawn), subtype="html")
    html = list(mail.iter_parts())[1]
    for section in drawn:
        html.add_related(
            pictures.png(section),
            "image",
            "png",
            cid=f"<{section.key}@desireline>",
            filename=f"{section.key}.png",
        )
    return mail


def _html(letter: Letter, envelope: Envelope, drawn: list[Section]) -> str:
    described = {section.key: pictures.described(section) for section in drawn}
    page = _templates.get_template("mail.html").render(
        letter=letter, described=described, address=envelope.address, base=envelope.base_url
    )
    return css_inline.CSSInliner(load_remote_stylesheets=False).inline(page)
