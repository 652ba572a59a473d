"""Notifications: told once, read once, on both databases."""

from datetime import timedelta

import pytest

from experiments.audit.queries import entries
from experiments.errors import NotFoundError
from experiments.notifications.queries import notifications
from experiments.notifications.schemas import Notice, Severity
from experiments.notifications.service import mark_read, notify


def notice(key: str = "headline.bold.removed", subject: str = "headline") -> Notice:
    return Notice(
        key=key,
        severity=Severity.WARNING,
        what="Variant bold does harm.",
        subject=("experiment", subject),
    )


def test_notify__same_key_again__is_told_once(session, now):
    assert notify(session, notice(), now=now)
    assert not notify(session, notice(), now=now + timedelta(days=1))
    told = notifications(session)
    assert [(item.what, item.at, item.read_at) for item in told] == [
        ("Variant bold does harm.", now, None)
    ]


def test_mark_read__twice__keeps_the_first_reader_and_audits_once(session, actor, now):
    notify(session, notice(), now=now)
    number = notifications(session)[0].id
    first = mark_read(session, number, actor=actor, now=now)
    again = mark_read(session, number, actor=actor, now=now + timedelta(days=1))
    assert first == again
    assert (first.read_by, first.read_at) == (str(actor), now)
    assert [entry.action for entry in entries(session)] == ["notification.read"]
    assert notifications(session, unread=True) == []


def test_mark_read__unknown__is_not_found(session, actor, now):
    with pytest.raises(NotFoundError):
        mark_read(session, 7, actor=actor, now=now)


def test_notifications__several__come_newest_first_in_pages_and_by_subject(session, now):
    for number in range(3):
        notify(session, notice(str(number), subject=f"test-{number % 2}"), now=now)
    newest, *rest = notifications(session, limit=2)
    assert [item.subject_key for item in (newest, *rest)] == ["test-0", "test-1"]
    older = notifications(session, before=rest[-1].id)
    assert [item.subject_key for item in older] == ["test-0"]
    assert len(notifications(session, subject_key="test-0")) == 2
