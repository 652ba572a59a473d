"""From the outbox to real receivers, once, also through refusals and crashes."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select
from standardwebhooks import Webhook

from experiments.audit import service as audit
from experiments.audit.models import AuditEntry
from experiments.database import reading, transaction
from experiments.delivery import doubt, queries, service
from experiments.delivery.collecting import collect
from experiments.delivery.couriers import bring
from experiments.delivery.schemas import (
    Channel,
    DeliveryState,
    EndpointIn,
    EventType,
    Message,
)

LATER = timedelta(days=2)


@pytest.fixture
def at() -> datetime:
    """The true time: whoever verifies a webhook refuses old ones."""
    return datetime.now(UTC)  # noqa: TID251 (the receiver's library reads the clock, too)


@pytest.fixture
def send(engine, actor, configured):
    def sent(now, **settings):
        found = configured(**settings)
        return service.send_due(
            engine, lambda parcel: bring(parcel, found, now=now), actor=actor, now=now
        )

    return sent


@pytest.fixture
def hook(engine, receiver, actor, at):
    """A webhook for everything, and its secret."""
    data = EndpointIn(kind="webhook", name="Ours", url=receiver.url, events=list(EventType))
    with transaction(engine) as session:
        return service.add_endpoint(session, data, actor=actor, now=at)


def promote(engine, actor, at):
    with transaction(engine) as session:
        audit.record(
            session,
            "promotion.applied",
            subject=("promotion", "7"),
            actor=actor,
            now=at,
            reason="It won.",
            detail={"variant": "bold"},
        )


def mail(recipient="dora@example.org", key="one"):
    return Message(
        key=key,
        channel=Channel.MAIL,
        recipient=recipient,
        subject="Week",
        content="Message-ID: <x@example.org>\nSubject: Week\n\nHello\n",
    )


def states(engine):
    with reading(engine) as session:
        return [item.state for item in queries.deliveries(session)]


def test_send__promotion__arrives_once_and_its_signature_holds(
    engine, hook, receiver, send, actor, at
):
    promote(engine, actor, at)
    for _ in range(2):
        with transaction(engine) as session:
            collect(session, now=at)

    assert send(at) == {"sent": 1, "not taken": 0}
    assert send(at + LATER) == {"sent": 0, "not taken": 0}
    ((headers, body),) = receiver.came
    told = Webhook(hook.secret).verify(body, headers)
    assert told["type"] == "promotion"
    assert told["data"]["words"] == "It won."
    assert told["data"]["variant"] == "bold"


def test_collect__event_nobody_asked_for__is_left_out(engine, receiver, actor, at):
    data = EndpointIn(kind="webhook", name="Ours", url=receiver.url, events=[EventType.HARM])
    with transaction(engine) as session:
        service.add_endpoint(session, data, actor=actor, now=at)
    promote(engine, actor, at)

    with transaction(engine) as session:
        assert collect(session, now=at) == 0


def test_send__not_taken__waits_longer_each_time_and_then_arrives_under_the_same_id(
    engine, hook, receiver, send, actor, at
):
    promote(engine, actor, at)
    with transaction(engine) as session:
        collect(session, now=at)
    receiver.status = 503

    assert send(at)["not taken"] == 1
    assert send(at + timedelta(seconds=59)) == {"sent": 0, "not taken": 0}
    assert send(at + timedelta(minutes=1))["not taken"] == 1
    assert send(at + timedelta(minutes=5)) == {"sent": 0, "not taken": 0}
    receiver.status = 200
    assert send(at + timedelta(minutes=6))["sent"] == 1
    assert len({headers["webhook-id"] for headers, _ in receiver.came}) == 1


def test_send__never_taken__is_given_up_and_audited(engine, hook, receiver, send, actor, at):
    promote(engine, actor, at)
    with transaction(engine) as session:
        collect(session, now=at)
    receiver.status = 500

    for days in range(len(service.PAUSES) + 3):
        send(at + timedelta(days=days))

    assert states(engine) == [DeliveryState.FAILED]
    assert len(receiver.came) == len(service.PAUSES) + 1
    with reading(engine) as session:
        assert session.exec(select(AuditEntry).where(AuditEntry.action == "delivery.failed")).one()


def test_send__receiver_is_gone__ends_the_endpoint(engine, hook, receiver, send, actor, at):
    promote(engine, actor, at)
    with transaction(engine) as session:
        collect(session, now=at)
    receiver.status = 410

    send(at)

    with reading(engine) as session:
        (found,) = queries.endpoints(session)
    assert found.ended_at == at
    assert "410" in found.ended_because
    assert states(engine) == [DeliveryState.FAILED]


def test_send__redirect__is_not_followed(engine, hook, receiver, send, actor, at):
    promote(engine, actor, at)
    with transaction(engine) as session:
        collect(session, now=at)
    receiver.status, receiver.headers = 302, {"Location": "http://169.254.169.254/"}

    assert send(at)["not taken"] == 1
    with reading(engine) as session:
        assert "302" in queries.deliveries(session)[0].error


def test_send__killed_before_it_was_noted__is_sent_again_later_and_not_at_once(
    engine, send, mailbox, at, actor, configured
):
    kept, port = mailbox
    with transaction(engine) as session:
        service.enqueue(session, mail(), now=at)

    def killed(parcel):
        bring(parcel, configured(smtp_port=port), now=at)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        service.send_due(engine, killed, actor=actor, now=at)

    assert send(at, smtp_port=port) == {"sent": 0, "not taken": 0}
    assert send(at + timedelta(minutes=2), smtp_port=port)["sent"] == 1
    assert [item["Message-ID"] for item in kept.mails] == ["<x@example.org>"] * 2


def test_send__slack_and_killed_each_time__repeats_once_with_a_word_and_gives_up(
    engine, receiver, send, actor, at, configured
):
    data = EndpointIn(kind="slack", name="Growth", url=receiver.url, events=[])
    period = {"type": "context", "elements": [{"type": "mrkdwn", "text": "2 to 8 March"}]}
    with transaction(engine) as session:
        slack = service.add_endpoint(session, data, actor=actor, now=at)
        told = {"text": "Week 10", "blocks": [{"type": "divider"}, period]}
        message = Message(
            key="report",
            channel=Channel.SLACK,
            recipient="Growth",
            subject="Week 10",
            content=json.dumps(told),
            endpoint_id=slack.id,
        )
        service.enqueue(session, message, now=at)

    def killed(parcel):
        bring(parcel, configured(), now=at)
        raise KeyboardInterrupt

    for days in (0, 1):
        with pytest.raises(KeyboardInterrupt):
            service.send_due(engine, killed, actor=actor, now=at + timedelta(days=days))
    assert send(at + timedelta(days=2)) == {"sent": 0, "not taken": 0}

    first, second = (json.loads(body) for _, body in receiver.came)
    assert first == told
    assert second["text"] == f"{doubt.REPEATED} Week 10"
    assert second["blocks"][1]["elements"][1]["text"] == doubt.REPEATED
    with reading(engine) as session:
        (found,) = queries.deliveries(session)
    assert (found.state, found.error) == (DeliveryState.FAILED, doubt.GIVEN_UP)


def test_send__several_recipients__each_gets_one_mail(engine, send, mailbox, at):
    kept, port = mailbox
    with transaction(engine) as session:
        for name in ("dora", "erik"):
            assert service.enqueue(session, mail(f"{name}@example.org", key=name), now=at)
        assert not service.enqueue(session, mail("dora@example.org", key="dora"), now=at)

    assert send(at, smtp_port=port)["sent"] == 2
    assert sorted(item["To"] for item in kept.mails) == ["dora@example.org", "erik@example.org"]
    with reading(engine) as session:
        assert {item.sent_at for item in queries.deliveries(session)} == {at}


def test_send__no_mail_server_is_set__says_which_setting_is_missing(engine, send, at):
    with transaction(engine) as session:
        service.enqueue(session, mail(), now=at)

    send(at, smtp_host="")

    with reading(engine) as session:
        assert "DESIRELINE_SMTP_HOST" in queries.deliveries(session)[0].error


def test_try__slack_channel__is_greeted_and_its_address_stays_hidden(
    engine, receiver, actor, at, configured
):
    data = EndpointIn(kind="slack", name="#growth", url=f"{receiver.url}/T0/secret")
    with transaction(engine) as session:
        made = service.add_endpoint(session, data, actor=actor, now=at)

    told = service.try_endpoint(
        engine, made.id, lambda parcel: bring(parcel, configured(), now=at), actor=actor, now=at
    )

    assert told.taken
    assert "test" in json.loads(receiver.came[0][1])["text"]
    with reading(engine) as session:
        assert "secret" not in queries.endpoints(session)[0].model_dump_json()
