"""The audit trail: who changed what, found by key and told by name."""

import re

from experiments.database import transaction
from experiments.design import service as design


def test_audit__experiments_and_journeys__are_called_by_their_names(
    bob, database, signup, launch, actor, now
):
    with transaction(database) as session:
        launch(session)
        name = design.abort(session, "headline", reason="Enough.", actor=actor, now=now).name
    page = bob.get("/audit?subject=headline")
    assert f"{name}</a><small>headline</small>" in page
    assert "Enough." in page
    assert "<small>signup</small>" in bob.get("/audit?subject=signup")
    assert "Nothing was changed under “nobody”." in bob.get("/audit?subject=nobody")


def test_audit__more_than_a_page__leads_to_what_is_older(
    bob, database, signup, launch, actor, now, monkeypatch
):
    with transaction(database) as session:
        launch(session)
        design.abort(session, "headline", reason="Enough.", actor=actor, now=now)
    monkeypatch.setattr("web.audit.ENTRIES_SHOWN", 1)
    newest = bob.get("/audit?subject=headline")
    assert "Enough." in newest
    older = re.search(r'rel="next" href="([^"]+)"', newest)[1].replace("&amp;", "&")
    assert "Enough." not in bob.get(older)
    assert "Enough." in bob.get("/audit?before=nonsense&subject=headline")
