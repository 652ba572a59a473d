"""The weekly report as a page."""

from datetime import timedelta

from experiments.database import transaction
from experiments.reports import service


def test_show__quiet_week__is_honest_about_it(bob, signup, database, now):
    with transaction(database) as session:
        report = service.weekly(session, now=now + timedelta(days=7))

    assert report.week in bob.get("/reports")
    page = bob.get(f"/reports/{report.week}")
    assert "No test came to its end." in page
    assert report.data_hash in page


def test_show__not_written__is_a_sentence(bob):
    assert "There is no report" in bob.get("/reports/2020-W01", 404)


def test_home__nothing_yet__teaches_instead_of_being_empty(alice):
    page = alice.get("/")

    assert "Nothing waits for you." in page
    assert "The first report is written when a week is over." in page
