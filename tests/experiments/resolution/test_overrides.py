from datetime import UTC, datetime, timedelta

from experiments.resolution.overrides import Forced, sign, verify

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
FORCED = Forced(experiment="test", variant="bold")


def test_verify__own_token__is_read_until_it_expires() -> None:
    token = sign(FORCED, key="secret", expires_at=NOW + timedelta(hours=1))
    assert verify(token, key="secret", now=NOW) == FORCED
    assert verify(token, key="secret", now=NOW + timedelta(hours=1)) is None


def test_verify__another_key_or_changed_text__is_refused() -> None:
    token = sign(FORCED, key="secret", expires_at=NOW + timedelta(hours=1))
    assert verify(token, key="other", now=NOW) is None
    assert verify(f"x{token}", key="secret", now=NOW) is None
    assert verify("", key="secret", now=NOW) is None
