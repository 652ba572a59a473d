"""A letter as a PDF: typeset by typst with the fonts it brings, tagged for screen readers."""

import json
from datetime import datetime
from importlib.resources import files
from typing import TYPE_CHECKING

from experiments.deferred import Deferred
from experiments.mailings import pictures
from experiments.reports.letter import Letter, Section

if TYPE_CHECKING:
    import typst
else:
    typst = Deferred("typst")

FONT = "Libertinus Serif"


def pdf(letter: Letter, *, written_at: datetime) -> bytes:
    """The letter as PDF/UA; the same letter is always the same bytes.

    Args:
        letter: what is told.
        written_at: when the report was written, which becomes the date of the document.
    """
    layout = files(__package__).joinpath("templates", "document.typ").read_bytes()
    document = letter.model_dump(mode="json")
    document["pictures"] = {
        section.key: _picture(section) for section in letter.sections if section.steps
    }
    return typst.compile(
        layout,
        format="pdf",
        sys_inputs={"letter": json.dumps(document), "font": FONT},
        ignore_system_fonts=True,
        pdf_standards="ua-1",
        timestamp=int(written_at.timestamp()),
    )


def _picture(section: Section) -> dict[str, str]:
    drawn = pictures.svg(section, font=FONT)
    return {"svg": drawn, "described": pictures.described(section)}
