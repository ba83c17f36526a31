"""Errors as HTTP answers."""

from __future__ import annotations

import math
from collections.abc import Callable

from headrace.core.chunk import Failure
from headrace.core.excerpt import excerpt
from headrace.errors import HeadraceError
from headrace.server.exchange import Exchange, Fields
from headrace.sessions.ending import INTERNAL
from headrace.wire.openai_error import error_body

__all__ = [
    "INTERNAL",
    "JSON_TYPE",
    "failure_of",
    "problem",
    "problem_parts",
    "respond_problem",
    "shown_path",
    "unknown_path",
]

_MAX_PATH_CHARS = 200
JSON_TYPE = (b"content-type", b"application/json")


def problem(status: int, message: str, code: str) -> Failure:
    """What HTTP itself finds wrong with a request, as a failure."""
    return Failure("request", message, code, http_status=status)


def unknown_path(path: str, hint: str = "") -> Failure:
    """Nothing is served there."""
    return problem(404, f"nothing is served at {shown_path(path)}{hint}", "unknown_path")


def shown_path(path: str) -> str:
    """A path as a message quotes it: longer than any of ours, far shorter than a head may be."""
    return excerpt(path, _MAX_PATH_CHARS)


def failure_of(error: BaseException) -> Failure:
    """What a client is told of it; nothing, where it is a bug of ours."""
    return Failure.of(error) if isinstance(error, HeadraceError) else INTERNAL


def problem_parts(
    failure: Failure, write: Callable[[Failure], bytes] = error_body
) -> tuple[int, Fields, bytes]:
    """The failure as (status, headers, body); with Retry-After where the far end said how long to wait.

    write: the body in the client's protocol; OpenAI's where it is not known.
    """
    status = failure.http_status if 400 <= failure.http_status <= 599 else 500
    fields = [JSON_TYPE]
    wait_s = failure.detail.get("retry_after_s")
    if isinstance(wait_s, int | float) and 0 <= wait_s < 1e9:
        fields.append((b"retry-after", b"%d" % math.ceil(wait_s)))
    return status, fields, write(failure)


def respond_problem(exchange: Exchange, failure: Failure) -> None:
    """Answer with the failure's own status."""
    exchange.respond(*problem_parts(failure, exchange.error_body))
