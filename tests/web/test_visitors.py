"""What administrators do on a visitor's page when the visitor asks for it."""

import pytest

from experiments.columnar import moving
from experiments.columnar.location import locate
from experiments.database import transaction
from experiments.events import service as events


@pytest.fixture
def visited(database, now):
    call = {"type": "track", "userId": "anna", "event": "Signed Up", "messageId": "m"}
    with transaction(database) as session:
        events.ingest(session, [call], source_key="site", received_at=now)


@pytest.mark.usefixtures("visited")
def test_export__an_administrator__gets_a_file_with_everything(alice):
    assert '"Signed Up"' in alice.get("/visitors/anna/export")


@pytest.mark.usefixtures("visited")
def test_erase__id_typed_wrongly__nothing_is_erased(alice):
    page = alice.post("/visitors/anna/erase", confirmation="ana")
    assert "Nothing was erased" in page
    assert "Signed Up" in page


@pytest.mark.usefixtures("visited")
def test_erase__id_typed__the_visitor_is_gone(alice):
    assert "is forgotten" in alice.post("/visitors/anna/erase", confirmation="anna")
    assert "was ever seen" in alice.get("/visitors?id=anna", 404)


@pytest.mark.usefixtures("visited")
def test_erase__events_are_in_files_too__says_that_they_will_go(alice, database, tmp_path, now):
    moving.move(database, locate(str(tmp_path)), now=now)
    assert "leave the files" in alice.post("/visitors/anna/erase", confirmation="anna")


@pytest.mark.usefixtures("visited")
def test_erase__a_viewer__may_not(bob):
    assert "Erase this visitor" not in bob.get("/visitors/anna")
    bob.post("/visitors/anna/erase", 403, confirmation="anna")
