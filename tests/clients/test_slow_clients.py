"""Clients that send or read slowly hold nobody else up."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from cli import SECONDS_FOR_HEADERS

HALF_SENT, NOT_READING, IDLE = 300, 40, 100
ASKED = 200
PATIENCE_MS = 500  # a machine with two cores runs everything of this at once
BULK = "/ofrep/v1/evaluate/flags"
BODY = b'{"context":{"targetingKey":"visitor"}}'
ASKED_AT_ONCE = 100  # the answers are more than what fits between the two


@pytest.fixture
def address(shop) -> tuple[str, int]:
    parts = urlsplit(shop.base)
    return parts.hostname, parts.port


@pytest.fixture
def crowd(shop, address: tuple[str, int]) -> Iterator[list[socket.socket]]:
    """Many who sent half of a body, some who do not read, some who say nothing at all."""
    half = [head(shop.key, path) + BODY[:9] for path in (BULK, "/v1/batch", "/api/v1/explain")]
    first_words = [half[number % len(half)] for number in range(HALF_SENT)]
    whole = head(shop.key, BULK) + BODY
    first_words += [whole * ASKED_AT_ONCE] * NOT_READING + [b""] * IDLE
    with ExitStack() as stack:
        crowd = [stack.enter_context(socket.socket()) for _ in first_words]
        for client, words in zip(crowd, first_words, strict=True):
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(address)
            client.sendall(words)
        yield crowd


def head(key: str, path: str) -> bytes:
    about = f"Host: shop\r\nAuthorization: Bearer {key}\r\nContent-Length: {len(BODY)}"
    return f"POST {path} HTTP/1.1\r\n{about}\r\n\r\n".encode()


def evaluated(connection: HTTPConnection, key: str) -> float:
    """How many milliseconds an evaluation takes."""
    began = time.perf_counter()
    connection.request("POST", BULK, BODY, {"Authorization": f"Bearer {key}"})
    response = connection.getresponse()
    response.read()
    assert response.status == 200
    return (time.perf_counter() - began) * 1000


def test_serve__hundreds_send_half_a_body_and_do_not_read__others_are_answered_at_once(
    shop, address: tuple[str, int], crowd: list[socket.socket]
) -> None:
    with closing(HTTPConnection(*address, timeout=SECONDS_FOR_HEADERS)) as connection:
        evaluated(connection, shop.key)  # connect, and let the crowd be taken in
        took = sorted(evaluated(connection, shop.key) for _ in range(ASKED))
        connection.request("GET", "/healthz")
        assert connection.getresponse().read()
    assert took[ASKED * 99 // 100] < PATIENCE_MS


def test_serve__the_other_half_comes_late__is_answered(shop, crowd: list[socket.socket]) -> None:
    late = crowd[0]
    late.settimeout(SECONDS_FOR_HEADERS)
    late.sendall(BODY[9:])
    assert late.recv(100).startswith(b"HTTP/1.1 200 OK")
