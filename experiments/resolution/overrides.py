"""Preview links: a signed, expiring word that shows one variant to whoever carries it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from itsdangerous import BadSignature, URLSafeSerializer

PURPOSE = "forced variant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Forced:
    """The variant that a preview shows."""

    experiment: str
    variant: str


def sign(forced: Forced, *, key: str, expires_at: datetime) -> str:
    """The token of a preview, good until `expires_at`."""
    expiry = int(expires_at.timestamp())
    return _serializer(key).dumps([forced.experiment, forced.variant, expiry])


def verify(token: str, *, key: str, now: datetime) -> Forced | None:
    """The preview that a token stands for; none when it is expired or was not signed here."""
    try:
        experiment, variant, expiry = _serializer(key).loads(token)
    except BadSignature:
        return None
    if now >= datetime.fromtimestamp(expiry, UTC):
        return None
    return Forced(experiment=experiment, variant=variant)


def _serializer(key: str) -> URLSafeSerializer:
    return URLSafeSerializer(key, salt=PURPOSE)
