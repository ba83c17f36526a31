from __future__ import annotations

from typing import Any

import msgspec
import pytest

from headrace.errors import RequestError
from headrace.wire.failing import Complaint, answered_badly, class_of, read_answer, retry_after_s, safe
from headrace.wire.reading import read_body


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"retry-after": "3"}, 3.0),
        ({"retry-after-ms": "250", "retry-after": "3"}, 0.25),
        ({"retry-after": "Sat, 21 Nov 2026 05:00:10 GMT", "date": "Sat, 21 Nov 2026 05:00:00 GMT"}, 10.0),
        ({"retry-after": "Sat, 21 Nov 2026 05:00:10 GMT"}, None),
        ({"retry-after": "soon", "date": "now"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({}, None),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], wait_s: float | None) -> None:
    assert retry_after_s(headers) == wait_s


@pytest.mark.parametrize(
    ("body", "headers", "read"),
    [
        (b'{"a":1}', {}, {"a": 1}),
        (b"<html><title>Bad\n gateway</title>", {}, "an HTML page (Bad gateway)"),
        (b"no title", {"content-type": "text/html"}, "an HTML page"),
        (b"plain \xff", {}, "plain �"),
        (b"[" * 9000, {}, None),
    ],
)
def test_an_errors_body_is_read_whatever_it_is(body: bytes, headers: dict[str, str], read: Any) -> None:
    found = read_answer(body, headers)
    assert found == read if read is not None else found.startswith("[[[")


@pytest.mark.parametrize(
    ("said", "status", "kind", "retryable"),
    [
        ("x", 402, "rate_limited", False),
        ("check your billing", 429, "rate_limited", False),
        ("slow", 429, "rate_limited", None),
        ("maximum context length", 400, "context_overflow", None),
        ("context window", 401, "auth", None),
        ("flagged by moderation", 400, "content_blocked", None),
        ("x", 409, "unavailable", None),
        ("x", 418, "bad_request", None),
        ("x", None, "unavailable", None),
    ],
)
def test_the_class_of_an_error(said: str, status: int | None, kind: str, retryable: bool | None) -> None:
    found, again = class_of(Complaint(said), status)
    assert (found.kind, again) == (kind, retryable)


@pytest.mark.parametrize(("status", "ours"), [(500, 502), (503, 503), (504, 504), (529, 503)])
def test_a_clients_status_for_a_place_that_is_not_available(status: int, ours: int) -> None:
    failure = answered_badly(Complaint("x"), status, {}, b"", "up")
    assert (failure.kind, failure.http_status, failure.detail["status"]) == ("unavailable", ours, status)


def test_keys_are_not_shown() -> None:
    assert "sk-1234567" not in safe("wrong key sk-1234567, Bearer abc")
    assert "Bearer abc" not in safe("wrong key sk-1234567, Bearer abc")
    failure = answered_badly(Complaint("hf_abcdefgh"), 401, {}, b"hf_abcdefgh", "hf")
    assert "hf_abcdefgh" not in str(msgspec.to_builtins(failure))


class Inner(msgspec.Struct):
    count: int


class Outer(msgspec.Struct):
    items: list[Inner]


@pytest.mark.parametrize(
    ("body", "field"),
    [(b'{"items":[{"count":"x"}]}', "items.0.count"), (b'{"items":[{}]}', "items.0.count"), (b"{}", "items")],
)
def test_a_wrong_field_is_named_by_its_path(body: bytes, field: str) -> None:
    with pytest.raises(RequestError) as raised:
        read_body(body, Outer)
    assert raised.value.field == field
