"""The place answers with an error status."""

from __future__ import annotations

from tests.faults.plays import refuses
from tests.faults.speech import END, HEADERS, MID, TOKEN
from tests.faults.table import Case, Row, Seen
from tests.matrix.providers.base import Answer, refused

_ONCE = "a status comes once, before the answer; inside one the same error is the row *error inside 200*"


def _row(name: str, happens: str, seen: str, case: Case, later: str = "", *, when_begun: str = _ONCE) -> Row:
    return Row(
        name, happens, seen, {HEADERS: case, TOKEN: when_begun, MID: when_begun, END: when_begun}, later
    )


def _error(wire: str, status: int) -> Answer:
    """An error as each vendor writes it, with no word that tells more than the status does."""
    words = {
        400: ("invalid_request_error", "INVALID_ARGUMENT"),
        401: ("authentication_error", "UNAUTHENTICATED"),
        403: ("permission_error", "PERMISSION_DENIED"),
        404: ("not_found_error", "NOT_FOUND"),
        422: ("invalid_request_error", "INVALID_ARGUMENT"),
        429: ("rate_limit_error", "RESOURCE_EXHAUSTED"),
        500: ("api_error", "INTERNAL"),
        502: ("api_error", "INTERNAL"),
        503: ("overloaded_error", "UNAVAILABLE"),
        529: ("overloaded_error", "UNAVAILABLE"),
    }[status]
    message = f"The place says {status}."
    if wire == "gemini":
        return refused(status, {"error": {"code": status, "message": message, "status": words[1]}})
    if wire == "anthropic":
        return refused(status, {"type": "error", "error": {"type": words[0], "message": message}})
    return refused(status, {"error": {"message": message, "type": words[0], "param": None, "code": None}})


def _status(status: int, kind: str, told: int, seen: str, *, retryable: bool = False) -> Row:
    case = Case(lambda speech: refuses(_error(speech.wire, status)), Seen(kind, "", told, retryable))
    later = "retry, then fall back" if retryable else ""
    return _row(f"status {status}", f"an error with status {status}", seen, case, later)


def _waits(name: str) -> Case:
    seen = Seen("rate_limited", "", 429, retryable=True, wait_s=7.0)
    return Case(lambda speech: refuses(speech.error(name)), seen)


ROWS = (
    _row(
        "429 with a wait",
        "429 with `Retry-After` (Gemini: `RetryInfo`)",
        "`rate_limited`; 429 with `Retry-After`; retryable",
        _waits("rate"),
        "wait that long, or fail over",
    ),
    _row(
        "429 without",
        "429 without a word about when",
        "`rate_limited`; 429; retryable",
        Case(lambda speech: refuses(_error(speech.wire, 429)), Seen("rate_limited", "", 429, retryable=True)),
        "back off, or fail over",
    ),
    *(
        _status(status, "unavailable", told, f"`unavailable`; {told}; retryable", retryable=True)
        for status, told in ((500, 502), (502, 502), (503, 503), (529, 503))
    ),
    *(
        _status(status, kind, status, f"`{kind}`; {status}; not retryable")
        for status, kind in (
            (400, "bad_request"),
            (401, "auth"),
            (403, "auth"),
            (404, "bad_request"),
            (422, "bad_request"),
        )
    ),
    _row(
        "context overflow",
        "the prompt is too long, in the vendor's own words",
        "`context_overflow`; 400; not retryable",
        Case(lambda speech: refuses(speech.error("context")), Seen("context_overflow", "", 400)),
        when_begun="a prompt is measured before an answer begins",
    ),
)
