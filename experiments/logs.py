"""Structured logging: one line an event, for people or as JSON."""

import logging
import sys

import structlog
from structlog.typing import Processor


def configure(*, as_json: bool) -> None:
    """Send every log line to standard error in one format."""
    renderer: Processor = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def begin(**facts: str) -> None:
    """Let every line that this thread logs from here on carry these facts, and no earlier ones."""
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(**facts)


def logger(name: str) -> structlog.typing.FilteringBoundLogger:
    """A logger that carries the name of the part that speaks."""
    bound: structlog.typing.FilteringBoundLogger = structlog.get_logger(part=name)
    return bound
