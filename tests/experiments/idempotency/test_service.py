"""One key, one effect, one answer."""

import pytest

from experiments.accounts import service as accounts
from experiments.accounts.schemas import TokenIn
from experiments.errors import ConflictError, InvalidError
from experiments.idempotency import service
from experiments.idempotency.schemas import Kept, Named

DONE = Kept(status=201, body='{"key":"a"}')


@pytest.fixture
def named(session, actor, now):
    """A request with a key, by a token that exists."""
    data = TokenIn(name="test", scopes=["manage"])
    token = accounts.create_token(session, data, actor=actor, now=now)
    return Named(token_id=token.id, key="k-1", fingerprint="one")


def test_begin__request_that_was_answered__tells_the_answer_again(session, named, now):
    assert service.begin(session, named, now=now) is None
    service.finish(session, named, DONE)
    assert service.begin(session, named, now=now) == DONE


def test_begin__first_request_still_runs__is_a_conflict(session, named, now):
    service.begin(session, named, now=now)
    with pytest.raises(ConflictError, match="has not ended"):
        service.begin(session, named, now=now)


def test_begin__another_request_with_the_key__is_refused(session, named, now):
    service.begin(session, named, now=now)
    other = Named(token_id=named.token_id, key=named.key, fingerprint="two")
    with pytest.raises(InvalidError, match="another request"):
        service.begin(session, other, now=now)


def test_begin__first_request_failed__takes_the_key_again(session, named, now):
    service.begin(session, named, now=now)
    service.forget(session, named)
    assert service.begin(session, named, now=now) is None


def test_begin__a_day_later__takes_the_key_again(session, named, now):
    service.begin(session, named, now=now)
    service.finish(session, named, DONE)
    later = now + service.KEEP
    assert service.begin(session, named, now=later) == DONE
    assert service.drop_old(session, before=now) == 0
    assert service.begin(session, named, now=later + service.KEEP / 1000) is None
