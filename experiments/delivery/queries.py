"""Reading endpoints and deliveries."""

from urllib.parse import urlsplit

from sqlmodel import Session, col, select

from experiments.delivery.models import Delivery, Endpoint
from experiments.delivery.schemas import Channel, DeliveryOut, EndpointOut


def endpoints(session: Session) -> list[EndpointOut]:
    """Every endpoint, the newest first."""
    rows = session.exec(select(Endpoint).order_by(col(Endpoint.id).desc()))
    return [endpoint_out(row) for row in rows]


def deliveries(
    session: Session, *, before: int | None = None, limit: int = 50
) -> list[DeliveryOut]:
    """Messages, the newest first, older than the one with the number `before` if given."""
    query = select(Delivery).order_by(col(Delivery.id).desc()).limit(limit)
    if before is not None:
        query = query.where(col(Delivery.id) < before)
    return [DeliveryOut.model_validate(row) for row in session.exec(query)]


def endpoint_out(row: Endpoint) -> EndpointOut:
    """An endpoint as people see it."""
    parts = urlsplit(row.url)
    hidden = f"{parts.scheme}://{parts.hostname}/…"
    address = hidden if row.kind == Channel.SLACK else row.url
    return EndpointOut.model_validate({**row.model_dump(), "address": address})
