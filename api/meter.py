"""Counting requests for Prometheus: by the route's template, never by path or visitor."""

import os
from functools import lru_cache
from time import perf_counter

from flask import Flask, Response, g, request
from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    multiprocess,
)

SEVERAL_PROCESSES = "PROMETHEUS_MULTIPROC_DIR"  # where several processes add up, set by `serve`
ELSEWHERE = "elsewhere"
BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5)

_REQUESTS = Counter("desireline_http_requests", "Requests answered.", ("route", "method", "status"))
_SECONDS = Histogram(
    "desireline_http_request_seconds", "Time to an answer.", ("route",), buckets=BUCKETS
)


def note(route: str, method: str, status: int, *, seconds: float) -> None:
    """Count one request."""
    counter, histogram = _meters(route, method, status)
    counter.inc()
    histogram.observe(seconds)


def observe(app: Flask) -> None:
    """Count what Flask answers."""

    def begin() -> None:
        g.began = perf_counter()

    def end(response: Response) -> Response:
        route = ELSEWHERE if request.url_rule is None else request.url_rule.rule
        seconds = perf_counter() - g.get("began", perf_counter())
        note(route, request.method, response.status_code, seconds=seconds)
        return response

    app.before_request(begin)
    app.after_request(end)


def exposition() -> bytes:
    """Every figure of every process, in the text format of Prometheus."""
    if SEVERAL_PROCESSES not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call] # has no types
    return generate_latest(registry)


@lru_cache(maxsize=4096)
def _meters(route: str, method: str, status: int) -> tuple[Counter, Histogram]:
    """The figures of one kind of request, looked up once: looking up costs more than counting."""
    return _REQUESTS.labels(route, method, str(status)), _SECONDS.labels(route)
