from collections.abc import Callable, Iterable
from io import BytesIO
from threading import Event, Thread
from typing import Any

from werkzeug.test import Client

from api.errors import ProblemOut
from api.exchange import LARGEST_BODY_BYTES
from api.gate import Gate


class Dripping(BytesIO):
    """A body of which the end does not come before it is let."""

    def __init__(self, body: bytes) -> None:
        super().__init__(body)
        self.asked, self.comes = Event(), Event()

    def read(self, size: int | None = -1) -> bytes:
        self.asked.set()
        assert self.comes.wait(10)
        return super().read(size)


def echo(environ: Any, start_response: Callable[..., object]) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["wsgi.input"].read()]


def test_gate__every_place_is_taken__refuses_within_its_patience_and_frees_places_again() -> None:
    entered, leave = Event(), Event()

    def slow(environ: Any, start_response: Callable[..., object]) -> Iterable[bytes]:
        entered.set()
        assert leave.wait(10)
        return echo(environ, start_response)

    gate = Gate(slow, places=1, patience_seconds=0.01)
    first = Thread(target=lambda: Client(gate).post("/", data=b"x"))
    first.start()
    assert entered.wait(10)
    refused = Client(gate).post("/", data=b"x")
    told = Client(gate).post("/api/v1/journeys", data=b"x")
    leave.set()
    first.join()
    assert (refused.status_code, b"try again" in refused.data) == (503, True)
    assert (told.status_code, told.mimetype) == (503, "application/problem+json")
    assert ProblemOut.model_validate_json(told.data).title == "Overloaded"
    assert Client(gate).post("/", data=b"x").status_code == 200


def test_gate__a_body_comes_slowly__holds_no_place() -> None:
    gate, body = Gate(echo, places=1, patience_seconds=0.01), Dripping(b"late")
    answers: list[bytes] = []
    length = {"CONTENT_LENGTH": "4", "wsgi.input": body}
    slow = Thread(
        target=lambda: answers.append(Client(gate).post("/", environ_overrides=length).data)
    )
    slow.start()
    assert body.asked.wait(10)
    assert Client(gate).post("/", data=b"quick").data == b"quick"
    body.comes.set()
    slow.join()
    assert answers == [b"late"]


def test_gate__body_in_chunks_without_an_end__takes_in_a_byte_more_than_is_allowed() -> None:
    endless = {
        "HTTP_TRANSFER_ENCODING": "chunked",
        "wsgi.input": BytesIO(b"x" * (LARGEST_BODY_BYTES + 9)),
    }
    taken = Client(Gate(echo)).post("/", environ_overrides=endless)
    assert len(taken.data) == LARGEST_BODY_BYTES + 1
