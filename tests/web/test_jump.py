"""Finding the way: the navigation, and jumping by a few letters."""

import pytest


def test_jump__when_only_one_thing_is_meant__then_its_page_opens(bob, signup):
    assert "<dd><code>signup.visit</code></dd>" in bob.get("/jump?q=signup.visit")


def test_jump__when_several_are_meant__then_all_are_listed(bob, signup):
    page = bob.get("/jump?q=SIGNUP")
    assert 'href="/journeys/signup"' in page
    assert 'href="/catalogue/signup.visit"' in page


def test_jump__when_nothing_is_meant__then_it_says_so_without_running_what_was_typed(bob):
    assert "<script>alert" not in bob.get("/jump?q=<script>alert(1)</script>")
    assert "Nothing is called like" in bob.get("/jump?q=zzz")


def test_jump__when_nobody_is_signed_in__then_it_asks_who(charlie):
    assert "<h1 class" in charlie.get("/jump?q=signup")
    assert "Sign in" in charlie.get("/jump?q=signup")


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("/notifications", "Today"),
        ("/journeys/signup/versions", "Journeys"),
        ("/journeys/signup/contents", "Journeys"),
        ("/calibration", "Calibration"),
    ],
)
def test_navigation__when_a_page_belongs_to_a_place__then_that_place_is_marked(
    bob, signup, address, place
):
    assert f'aria-current="page">{place}</a>' in bob.get(address)
