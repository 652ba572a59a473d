"""The documentation page of the API."""

import re


def test_page__nobody_signed_in__tells_every_call_and_shape(app, client):
    page = client.get("/api/docs")
    assert page.status_code == 200
    assert page.mimetype == "text/html"
    document = app.extensions["api_document"]()
    for methods in document["paths"].values():
        for told in methods.values():
            assert f'id="{told["operationId"].replace(".", "-")}"' in page.text
    for name in document["components"]["schemas"]:
        assert f'id="schema-{name}"' in page.text


def test_page__links__lead_to_anchors_that_exist_and_nothing_comes_from_elsewhere(client):
    page = client.get("/api/docs")
    anchors = set(re.findall(r'id="([^"]+)"', page.text))
    links = set(re.findall(r'href="#([^"]+)"', page.text))
    assert links
    assert links <= anchors
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page.text)
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


def test_page__command__can_be_pasted_into_a_shell(client):
    page = client.get("/api/docs").text
    command = page.partition("curl -s -X POST http://127.0.0.1:8000/api/v1/layers")[2]
    assert "&#34;key&#34;: &#34;key&#34;" in command.partition("</pre>")[0]


def test_page__for_somebody_signed_in__keeps_the_groups_of_the_navigation(bob):
    page = bob.get("/api/docs")

    assert "<summary></summary>" not in page
    assert "<summary>Operation</summary>" in page
