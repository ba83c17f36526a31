"""Errors: the vendor's JSON and our `Failure`, both ways.

Sources: OpenAI's error codes guide and the official client's exceptions (openai 3.52), read 2026-11-21; error
bodies seen from Azure, DeepSeek, Mistral, OpenRouter, vLLM and plain proxies.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from headrace.core.chunk import Failure
from headrace.core.excerpt import excerpt
from headrace.errors import (
    AuthError,
    BadRequest,
    ContentBlocked,
    ContextOverflow,
    ProviderError,
    RateLimited,
    Truncated,
    Unavailable,
    WireError,
)
from headrace.wire.failing import (
    BLOCKED,
    CONTEXT,
    CUT_WORD,
    MAX_WORD_CHARS,
    QUOTA,
    answer_said,
    by_status,
    client_status,
    raw_text,
    read_answer,
    retry_after_s,
    safe,
)
from headrace.wire.openai_error import error_body
from headrace.wire.terminator import DONE

# Words in an error's `type` or `code`, for errors that come without an HTTP status, in order of trust.
_WORDS: tuple[tuple[str, type[ProviderError]], ...] = (
    ("rate_limit", RateLimited),
    ("too_many_requests", RateLimited),
    ("authentication", AuthError),
    ("api_key", AuthError),
    ("permission", AuthError),
    ("unauthorized", AuthError),
    ("invalid_request", BadRequest),
    ("not_found", BadRequest),
    ("bad_request", BadRequest),
    ("unsupported", BadRequest),
)


class ErrorFacts(msgspec.Struct, frozen=True):
    """What an error body says. code: the vendor's word. status: a number given in the body itself."""

    message: str = ""
    type: str = ""
    code: str = ""
    param: str = ""
    status: int | None = None
    hints: str = ""  # other text that tells what class it is
    told: bool = False  # whether it is an error in the vendor's shape, and not just anything that came


def failure_from_response(status: int, headers: Mapping[str, str], body: bytes, provider: str) -> Failure:
    """The typed failure for an HTTP answer that is not a good stream."""
    lower = {name.lower(): value for name, value in headers.items()}
    facts = facts_of(read_answer(body, lower))
    said = answer_said(provider, status, facts.message, lower)
    return _failure(facts, status, said, provider, retry_after_s(lower), body)


def failure_from_event(error: Any, provider: str = "") -> Failure:
    """The typed failure for an error that came inside a stream that had begun with 200."""
    facts = facts_of(error)
    said = f"{provider or 'the provider'} sent an error inside the stream: {facts.message or 'no message'}"
    if facts.code == CUT_WORD:
        return Failure.of(Truncated(said, code=facts.code))
    return _failure(facts, facts.status, said, provider, None, _json(error).encode("utf-8", "replace"))


def facts_of(error: Any) -> ErrorFacts:
    """Read an error body in any of the shapes in use: nested or flat, an object or a string."""
    if isinstance(error, list) and error:
        error = error[0]
    told = isinstance(error, dict) and isinstance(error.get("error"), dict | str)
    if told:
        error = {**error, **error["error"]} if isinstance(error["error"], dict) else _flat(error)
    if not isinstance(error, dict):
        return ErrorFacts(message=safe(str(error)) if error else "")
    code = error.get("code")
    number = _status_of(code) or _status_of(error.get("status")) or _status_of(error.get("status_code"))
    message = error.get("message") or error.get("detail") or error.get("error_description") or ""
    hints = [error.get("innererror"), error.get("metadata")]
    return ErrorFacts(
        message=safe(message if isinstance(message, str) else _json(message)),
        type=_word(error.get("type")),
        code="" if _status_of(code) else _word(code),
        param=_word(error.get("param")),
        status=number,
        hints=" ".join(_json(hint) for hint in hints if hint),
        told=told,
    )


def _flat(error: dict[str, Any]) -> dict[str, Any]:
    return {**error, "message": error.get("message") or error["error"]}


def _failure(
    facts: ErrorFacts, status: int | None, said: str, provider: str, wait_s: float | None, raw: bytes
) -> Failure:
    kind, retryable = _classify(facts, status)
    if kind is None:
        failure = Failure.of(WireError(said, code="unexpected_answer"))
    else:
        failure = Failure.of(
            kind(
                said,
                code=facts.code or facts.type,
                retryable=retryable,
                http_status=client_status(kind, status),
                provider=provider,
                status=status,
                retry_after_s=wait_s,
            )
        )
    detail = {**failure.detail, "raw": raw_text(raw)}
    if facts.param:
        detail["field"] = facts.param
    return msgspec.structs.replace(failure, detail=detail)


def _classify(facts: ErrorFacts, status: int | None) -> tuple[type[ProviderError] | None, bool | None]:
    """The class of the error, and whether a retry makes sense where that differs from the class's default."""
    words = f"{facts.code} {facts.type}".lower()
    everything = f"{words} {facts.message} {facts.hints}"
    refusable = status is None or status < 300 or status in (400, 403, 413, 422)
    if status == 402 or ((status is None or status in (403, 429)) and QUOTA.search(everything)):
        return RateLimited, False  # waiting brings no money
    if refusable and status != 403 and CONTEXT.search(everything):
        return ContextOverflow, None
    if refusable and BLOCKED.search(f"{words} {facts.hints} {facts.message}"):
        return ContentBlocked, None
    if status is not None and status >= 300:
        return by_status(status), None
    for word, kind in _WORDS:
        if word in words:
            return kind, None
    return (Unavailable, None) if status is None or facts.told else (None, None)


def _status_of(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:4])
    if isinstance(value, int) and not isinstance(value, bool) and 400 <= value <= 599:
        return value
    return None


def _json(value: Any) -> str:
    try:
        return value if isinstance(value, str) else msgspec.json.encode(value).decode()
    except RecursionError:
        return "something nested too deeply to be shown"


def _word(value: Any) -> str:
    """A vendor's short word, kept as short as a word is."""
    return excerpt(str(value or ""), MAX_WORD_CHARS)


def error_event(failure: Failure) -> bytes:
    """The failure as the last events of a stream: the error, at which clients raise, then the terminator."""
    return b"data: " + error_body(failure) + b"\n\n" + DONE
