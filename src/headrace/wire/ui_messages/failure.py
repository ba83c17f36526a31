"""Errors: the package's and our `Failure`, both ways.

Source: the npm package `ai` 7.0.173, `ui/http-chat-transport.ts`, `ui/create-ui-api-call-error.ts` and
`ui-message-stream/`, read 2026-11-25. An error status has whatever body its server gives it, and the page
shows that text as it is; an error in a stream is a text and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from headrace.core.chunk import Failure
from headrace.errors import StreamCancelledException
from headrace.wire.failing import Complaint, answered_badly, complained, read_answer, safe
from headrace.wire.terminator import DONE
from headrace.wire.ui_messages.data import failure_from, failure_part
from headrace.wire.ui_messages.metadata import Part
from headrace.wire.ui_messages.parts import event_of


def failure_from_response(status: int, headers: Mapping[str, str], body: bytes, provider: str) -> Failure:
    """The typed failure for an HTTP answer that is not a good stream."""
    lower = {name.lower(): value for name, value in headers.items()}
    return answered_badly(_complaint(read_answer(body, lower)), status, lower, body, provider)


def failure_from_event(event: Part, told: Any, raw: bytes) -> Failure:
    """The typed failure for an error part. told: what a part of ours before it said of its class."""
    message = event.get("errorText")
    said = message if isinstance(message, str) else ""
    return failure_from(told, safe(said)) or complained(Complaint(said, told=True), None, raw)


def _complaint(answer: Any) -> Complaint:
    if not isinstance(answer, dict):
        return Complaint(answer if isinstance(answer, str) else msgspec.json.encode(answer).decode())
    if "parts" in answer:
        return Complaint("a whole message came where a stream was asked for")
    error = answer.get("error", answer)
    if isinstance(error, dict):
        message, code = error.get("message"), error.get("code")
        if isinstance(message, str):
            return Complaint(message, code if isinstance(code, str) else "", told="error" in answer)
    said = error if isinstance(error, str) else msgspec.json.encode(answer).decode()
    return Complaint(said, told="error" in answer)


def abort_event(why: str) -> bytes:
    """The last events of a stream that was stopped: a page keeps what it has, and shows no error."""
    return event_of({"type": "abort", "reason": why}) + DONE


def error_event(failure: Failure) -> bytes:
    """The failure as the last events of a stream: its class, the error, and the terminator."""
    if failure.kind == StreamCancelledException.kind:
        return abort_event(failure.message)
    error = {"type": "error", "errorText": failure.message or failure.kind}
    return event_of(failure_part(failure)) + event_of(error) + DONE


def error_body(failure: Failure) -> bytes:
    """The body of an answer with an error status: the package shows its text as it is."""
    said: dict[str, Any] = {"message": failure.message, "code": failure.code or failure.kind}
    return msgspec.json.encode({"error": said})
