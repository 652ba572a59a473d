"""Who is told what: webhooks, Slack channels, audiences, mail, and the outbox."""

from functools import partial

import click

from experiments.commands.terminal import changing, open_current, operator, reading, show, when
from experiments.delivery import queries, service
from experiments.delivery.couriers import bring
from experiments.delivery.schemas import EndpointIn, EventType, TrialOut
from experiments.mailings import service as mailings
from experiments.mailings.schemas import SubscriptionIn
from experiments.mailings.trying import try_mail
from experiments.settings import Settings
from experiments.shapes import parse

EVENTS = click.Choice([kind.value for kind in EventType])


@click.group()
def endpoint() -> None:
    """Webhooks and Slack channels."""


@endpoint.command("add")
@click.argument("kind", type=click.Choice(["webhook", "slack"]))
@click.argument("name")
@click.argument("url")
@click.option("--event", "events", type=EVENTS, multiple=True, help="What it is told of.")
@click.pass_obj
def add_endpoint(
    settings: Settings, kind: str, name: str, url: str, events: tuple[str, ...]
) -> None:
    """Add one; the secret that signs webhooks is shown only now."""
    data = parse(EndpointIn, {"kind": kind, "name": name, "url": url, "events": list(events)})
    with changing(settings) as (session, now):
        made = service.add_endpoint(session, data, actor=operator(), now=now)
    click.echo(f"{made.id} {made.secret}".strip())


@endpoint.command("list")
@click.pass_obj
def list_endpoints(settings: Settings) -> None:
    """Show every endpoint, without its secret."""
    with reading(settings) as session:
        found = queries.endpoints(session)
    rows = [
        (
            str(item.id),
            item.kind,
            item.name,
            item.address,
            " ".join(item.events),
            when(item.ended_at),
        )
        for item in found
    ]
    show("Endpoints", ("id", "kind", "name", "address", "is told of", "ended"), rows)


@endpoint.command("end")
@click.argument("number", type=int)
@click.pass_obj
def end_endpoint(settings: Settings, number: int) -> None:
    """Tell the endpoint NUMBER nothing any more."""
    with changing(settings) as (session, now):
        service.end_endpoint(session, number, actor=operator(), now=now)
    click.echo("It is told nothing any more.")


@endpoint.command("test")
@click.argument("number", type=int)
@click.pass_obj
def test_endpoint(settings: Settings, number: int) -> None:
    """Send the endpoint NUMBER a greeting and say what happened."""
    opened = open_current(settings)
    now = opened.clock.now()
    carry = partial(bring, settings=settings, now=now)
    _told(service.try_endpoint(opened.engine, number, carry, actor=operator(), now=now))


@click.group()
def subscription() -> None:
    """Audiences of the weekly report."""


@subscription.command("add")
@click.argument("audience")
@click.option("--recipient", "recipients", multiple=True, help="An e-mail address.")
@click.option("--endpoint", "endpoint_id", type=int, help="A Slack endpoint, instead of mail.")
@click.option("--journey", default="", help="Only this journey; all if not given.")
@click.option("--weekday", type=int, default=1, show_default=True, help="1 is Monday.")
@click.option("--hour", type=int, default=8, show_default=True)
@click.option("--time-zone", default="UTC", show_default=True, help="Such as Europe/Madrid.")
@click.pass_obj
def add_subscription(settings: Settings, /, **fields: object) -> None:
    """Send the weekly report to an AUDIENCE, by mail or to a Slack channel."""
    recipients = fields.pop("recipients")
    listed = list(recipients) if isinstance(recipients, tuple) else []
    data = parse(SubscriptionIn, {**fields, "recipients": listed})
    with changing(settings) as (session, now):
        made = mailings.subscribe(session, data, actor=operator(), now=now)
    click.echo(f"{made.audience} gets the report {made.when}.")


@subscription.command("list")
@click.pass_obj
def list_subscriptions(settings: Settings) -> None:
    """Show every audience."""
    with reading(settings) as session:
        found = mailings.subscriptions(session)
    rows = [
        (str(item.id), item.audience, item.journey or "all", " ".join(item.recipients), item.when)
        for item in found
    ]
    show("Audiences", ("id", "audience", "journey", "recipients", "when"), rows)


@subscription.command("end")
@click.argument("number", type=int)
@click.pass_obj
def end_subscription(settings: Settings, number: int) -> None:
    """End the subscription NUMBER."""
    with changing(settings) as (session, now):
        mailings.end(session, number, actor=operator(), now=now)
    click.echo("The subscription is ended.")


@click.group("delivery")
def outbox() -> None:
    """What was sent, and what waits."""


@outbox.command("list")
@click.pass_obj
def list_deliveries(settings: Settings) -> None:
    """Show the newest messages, and why some were not taken."""
    with reading(settings) as session:
        found = queries.deliveries(session)
    rows = [
        (str(item.id), item.channel, item.recipient, item.subject, item.state, item.error)
        for item in found
    ]
    show("Deliveries", ("id", "by", "to", "about", "state", "why"), rows)


@outbox.command("test-mail")
@click.argument("recipient")
@click.pass_obj
def test_mail(settings: Settings, recipient: str) -> None:
    """Send a test mail to RECIPIENT and say what happened."""
    opened = open_current(settings)
    now = opened.clock.now()
    _told(try_mail(opened.engine, settings, recipient, actor=operator(), now=now))


def _told(told: TrialOut) -> None:
    if not told.taken:
        raise click.ClickException(told.words)
    click.echo(told.words)
