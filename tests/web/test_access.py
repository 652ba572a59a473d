"""Who gets in, what they may do there, and that forms come from our own pages."""

import re

import pytest
from flask import Flask

from web.access import is_local
from web.throttle import FAILURES_ALLOWED

PAGES = (
    "/", "/journeys", "/journeys/signup", "/journeys/signup/versions", "/journeys/signup/contents",
    "/journeys/signup/versions/1", "/journeys/signup/diff?before=1&after=1", "/experiments",
    "/catalogue", "/catalogue/signup.visit", "/personas", "/layers", "/imports",
    "/reports", "/visitors", "/events", "/jobs", "/audit", "/settings",
    "/settings/delivery", "/reports/compare",
)  # fmt: skip
EDITOR_PAGES = ("/journeys/new", "/journeys/signup/edit", "/experiments/new?journey=signup")


CHANGES = (
    "/journeys/new",
    "/journeys/signup/versions/1/publish",
    "/journeys/signup/contents/hero-headline/1/approve",
    "/catalogue",
    "/catalogue/signup.visit",
    "/layers",
    "/holdouts",
    "/holdouts/x/end",
    "/experiments/new",
    "/experiments/x/steps/start",
    "/experiments/x/promotions/1/approve",
    "/jobs/analyse/run",
    "/settings/people",
    "/settings/tokens",
    "/settings/delivery/endpoints",
    "/settings/delivery/mail/test",
    "/settings/delivery/subscriptions",
    "/reports/2026-W10/shares",
)


def test_every_page__nobody_signed_in__asks_to_sign_in(charlie, signup):
    for address in (*PAGES, *EDITOR_PAGES):
        response = charlie.client.get(address)

        assert response.status_code == 302, address
        assert response.headers["Location"].startswith("/login?next=")


def test_every_page__administrator__is_shown_with_one_heading(alice, signup):
    for address in (*PAGES, *EDITOR_PAGES):
        page = alice.get(address)

        assert len(re.findall(r"<h1[ >]", page)) == 1, address
        assert 'href="#content"' in page


def test_every_page__viewer__has_no_form_that_changes_anything_but_their_own(bob, signup):
    for address in PAGES:
        actions = re.findall(r'<form method="post" action="([^"]+)"', bob.get(address))

        assert set(actions) <= {"/logout", "/settings/password"}, address


def test_every_change__viewer__is_refused(bob, signup):
    for address in EDITOR_PAGES:
        assert "editor" in bob.get(address, status=403)
    for address in CHANGES:
        bob.post(address, status=403)


def test_every_changing_route__without_a_token__is_refused(alice, signup, app: Flask):
    parts = {rule.endpoint.split(".")[0] for rule in app.url_map.iter_rules()}
    ours = [part for part in parts if app.blueprints[part].import_name.startswith("web.")]
    posts = [
        rule
        for rule in app.url_map.iter_rules()
        if "POST" in (rule.methods or ()) and rule.endpoint.split(".")[0] in ours
    ]
    assert len(posts) > 15

    for rule in posts:
        address = re.sub(r"<int:\w+>", "1", rule.rule)
        address = re.sub(r"<any\((\w+).*?>", r"\1", address)
        response = alice.client.post(re.sub(r"<[^>]+>", "x", address))
        assert response.status_code == 403, rule.rule
        assert "form from this session" in response.text


def test_form__token_of_another_session__is_refused(alice, bob):
    response = alice.client.post("/logout", data={"csrf_token": bob.token()})

    assert response.status_code == 403


def test_sign_in__wrong_password__says_so_without_telling_which(charlie):
    page = charlie.post("/login", status=401, email="alice@example.org", password="wrong")

    assert "The e-mail or the password is wrong." in page


def test_sign_in__page_was_asked_for__leads_there(alice):
    alice.post("/logout")

    page = alice.post(
        "/login", email="admin@example.org", password="a long enough password", next="/audit"
    )

    assert "<h1>Audit</h1>" in page


@pytest.mark.parametrize("elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example"])
def test_is_local__address_elsewhere__is_not(elsewhere):
    assert not is_local(elsewhere)


def test_is_local__page_of_ours__is():
    assert is_local("/journeys/signup?page=2")


def test_sign_in__many_failures__has_to_wait_even_with_the_password(charlie, alice):
    for _ in range(FAILURES_ALLOWED):
        charlie.post("/login", status=401, email="admin@example.org", password="wrong")

    assert "Too many attempts" in charlie.sign_in("admin@example.org", status=429)


def test_sign_in__somebody_else_failed_often__is_not_slowed_down(charlie, alice):
    for _ in range(FAILURES_ALLOWED):
        charlie.post("/login", status=401, email="guess@example.org", password="wrong")

    charlie.sign_in("admin@example.org")


def test_session__person_was_shut_out__ends_at_once(alice, bob):
    page = alice.get("/settings")
    people = dict(re.findall(r"Role of (\w+).*?people/(\d+)/disable", page, re.DOTALL))

    alice.post(f"/settings/people/{people['viewer']}/disable")

    assert "Sign in" in bob.get("/")


def test_every_answer__to_a_browser__carries_the_policy(alice, signup):
    for address in ("/", "/journeys/signup", "/static/site.css", "/login"):
        with alice.client.get(address) as response:
            policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe-inline" not in policy


def test_pages__under_the_policy__have_nothing_inline_and_nothing_from_elsewhere(alice, signup):
    for address in (*PAGES, *EDITOR_PAGES):
        page = alice.get(address)
        assert not re.search(r"\sstyle=|<style|<script(?![^>]*src=)|\son\w+=", page), address
        assert not re.search(r'(?:src|href|action)="(?:https?:)?//', page), address


def test_error__in_a_page__is_a_sentence(alice):
    page = alice.get("/journeys/nowhere", status=404)

    assert "There is no journey &#39;nowhere&#39;." in page
