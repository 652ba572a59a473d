"""Sending what waits: reports to their audiences, events to endpoints."""

from experiments.audit.schemas import Actor, ActorKind
from experiments.database import transaction
from experiments.delivery import service as delivery
from experiments.delivery.collecting import collect
from experiments.delivery.couriers import bring
from experiments.mailings import service as mailings
from experiments.runtime import Runtime

SENDER = Actor(kind=ActorKind.JOB, name="deliver")


def deliver(runtime: Runtime) -> str:
    """Write to the outbox what is due, then send what is in it."""
    now = runtime.clock.now()
    with transaction(runtime.engine) as session:
        collect(session, now=now)
        mailings.enqueue_due(session, runtime.settings, now=now)
    counts = delivery.send_due(
        runtime.engine,
        lambda parcel: bring(parcel, runtime.settings, now=now),
        actor=SENDER,
        now=now,
    )
    return ", ".join(f"{number} {what}" for what, number in counts.items() if number)
