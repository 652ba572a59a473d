"""The report as PDF, as a Slack message and as plain text."""

from io import BytesIO

from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from experiments.mailings.document import pdf
from experiments.mailings.slack import message
from experiments.mailings.text import WIDTH, plain
from experiments.reports.letter import Entry, Letter, Section

ADDRESS = "https://desireline.example/reports/2026-W10"


def test_pdf__week__can_be_read_aloud_and_needs_no_font_of_the_machine(letter, report):
    reader = PdfReader(BytesIO(pdf(letter, written_at=report.created_at)))

    assert reader.metadata.title.startswith("Week 2026-W10")
    assert reader.trailer["/Root"]["/Lang"] == "en"
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    text = " ".join(page.extract_text() for page in reader.pages)
    assert "Stop losing <customers> & time." in " ".join(text.split())
    assert "12 480" in text.replace("\u202f", " ")
    fonts = [
        font.get_object() for page in reader.pages for font in page["/Resources"]["/Font"].values()
    ]
    assert fonts
    assert all(
        "/FontFile" in str(font["/DescendantFonts"][0].get_object()["/FontDescriptor"])
        for font in fonts
    )


def test_pdf__same_letter__is_the_same_bytes(letter, report):
    once, again = (pdf(letter, written_at=report.created_at) for _ in range(2))

    assert once == again


def test_message__week__tells_it_and_links_to_the_report(letter):
    made = message(letter, address=ADDRESS)

    texts = [
        block["text"]["text"]
        for block in made["blocks"]
        if block["type"] == "section" and "text" in block
    ]
    assert any("*Headline*" in text and "+8.1%" in text for text in texts)
    assert f"<{ADDRESS}|" in str(made["blocks"][-1])


entries = st.builds(
    Entry, title=st.text(max_size=200), lines=st.lists(st.text(max_size=900), max_size=3)
)
sections = st.builds(
    Section,
    key=st.just("x"),
    title=st.text(min_size=1, max_size=100),
    lead=st.text(max_size=300),
    entries=st.lists(entries, max_size=12),
)
letters = st.builds(
    Letter,
    week=st.just("2026-W10"),
    title=st.text(min_size=1, max_size=300),
    period=st.just("then"),
    headline=st.text(min_size=1, max_size=400),
    figures=st.just([]),
    sections=st.lists(sections, max_size=60),
    seal=st.just("sealed"),
)


@settings(max_examples=25, deadline=None)
@given(letters)
def test_message__any_letter__keeps_the_limits_of_slack(letter):
    blocks = message(letter, address=ADDRESS)["blocks"]

    assert len(blocks) <= 50
    for block in blocks:
        longest = 150 if block["type"] == "header" else 3000
        texts = [block["text"]] if "text" in block else block.get("elements", [])
        assert all(0 < len(text["text"]) <= longest for text in texts)
        assert "<!channel>" not in str(block)


def test_plain__week__fits_a_terminal(letter):
    lines = plain(letter).splitlines()

    assert max(len(line) for line in lines if "Data hash" not in line) <= WIDTH
    assert any("Reminder mail" in line for line in lines)
