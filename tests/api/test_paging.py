"""Lists in pages: together they are the list, whatever their size."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.paging import Paging, page_of
from experiments.errors import InvalidError
from experiments.shapes import Out


class Thing(Out):
    """Something in a list."""

    key: str


@given(keys=st.lists(st.text(max_size=40), unique=True, max_size=30), limit=st.integers(1, 9))
def test_pages__followed_to_the_end__are_the_list(keys, limit):
    things = [Thing(key=key) for key in keys if key]
    read, cursor = [], ""
    while cursor is not None:
        page = page_of(things, Paging(limit=limit, cursor=cursor), lambda item: item.key)
        assert len(page.data) <= limit
        read += page.data
        cursor = page.next_cursor
    assert read == things


@pytest.mark.parametrize("cursor", ["?", "é", "AAAA", "bm9ib2R5"])
def test_cursor__made_up__is_refused(cursor):
    with pytest.raises(InvalidError, match="cursor"):
        page_of([Thing(key="a")], Paging(cursor=cursor), lambda item: item.key)


def test_list__long__links_to_its_next_page(client, token):
    headers = token()
    for key in ("a", "b", "c"):
        client.post("/api/v1/layers", json={"key": key, "name": key.upper()}, headers=headers)
    first = client.get("/api/v1/layers?limit=2", headers=headers)
    address, _, relation = first.headers["Link"].partition("; ")
    assert relation == 'rel="next"'
    second = client.get(address.strip("<>"), headers=headers)
    assert [item["key"] for item in first.json["data"] + second.json["data"]] == ["a", "b", "c"]
    assert second.json["next_cursor"] is None
    assert "Link" not in second.headers


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "limits=3", "cursor=%F0"])
def test_list__asked_for_impossible_pages__names_the_parameter(client, token, query):
    refused = client.get(f"/api/v1/audit?{query}", headers=token())
    assert refused.status_code == 422
    assert refused.json["errors"][0]["pointer"] == f"/{query.partition('=')[0]}"
