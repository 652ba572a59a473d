"""The report as an e-mail."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from html.parser import HTMLParser

import pytest

from experiments.mailings.mail import LARGEST_BYTES, Envelope, compose
from experiments.reports.letter import Entry

VOID = {"meta", "img", "br", "link"}


@pytest.fixture
def envelope() -> Envelope:
    return Envelope(
        sender="Desireline <reports@example.org>",
        subject="Week 2026-W10",
        message_id="<report.2026-W10.1@example.org>",
        sent_at=datetime(2026, 3, 9, 7, tzinfo=UTC),
        address="https://desireline.example/reports/2026-W10",
        base_url="https://desireline.example",
    )


class Tags(HTMLParser):
    """Every tag with its attributes, and what is open at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def parts(mail):
    received = message_from_bytes(mail.as_bytes(), policy=policy.default)
    text, related = received.iter_parts()
    html, *pictures = related.iter_parts()
    return received, text.get_content(), html.get_content(), pictures


def test_compose__week__is_text_and_html_with_pictures_by_cid(letter, envelope):
    mail, text, html, pictures = parts(compose(letter, envelope))

    assert mail["Message-ID"] == envelope.message_id
    assert mail.get_content_type() == "multipart/alternative"
    tags = Tags()
    tags.feed(html)
    assert tags.open == []
    images = [attrs for tag, attrs in tags.found if tag == "img"]
    assert [image["src"] for image in images] == [
        f"cid:{picture['Content-ID'].strip('<>')}" for picture in pictures
    ]
    assert all(image["alt"] for image in images)
    assert all(picture.get_content().startswith(b"\x89PNG") for picture in pictures)
    for words in ("+8.1% on Signed up within a day", "Nothing to conclude", "Guided tour"):
        assert words in html
        assert words in " ".join(text.split())


def test_compose__styles__are_inside_the_tags_and_dark_ones_are_kept(letter, envelope):
    _, _, html, _ = parts(compose(letter, envelope))

    assert "prefers-color-scheme: dark" in html
    assert "<h1 style=" in html
    assert html.count("<style") == 1
    assert "<script" not in html
    assert 'src="http' not in html


def test_compose__words_of_people__are_never_markup(letter, envelope):
    _, _, html, _ = parts(compose(letter, envelope))

    assert "Stop losing &lt;customers&gt; &amp; time." in html


def test_compose__longest_week__is_shown_in_full_by_mail_readers(letter, envelope):
    entry = Entry(title="A test", path="/experiments/x", lines=["So it is. " * 60])
    long = letter.model_copy(
        update={
            "sections": [
                section if section.steps else section.model_copy(update={"entries": [entry] * 20})
                for section in letter.sections
            ]
        }
    )

    mail = compose(long, envelope)

    assert len(mail.as_bytes()) <= LARGEST_BYTES
    assert "more in the report" in parts(mail)[2]
