"""Errors of the vendor's, as HTTP answers and as events, and ours in its shape."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest

from headrace.core.chunk import Failure
from headrace.errors import ContextOverflow, RequestError, Truncated, UnknownModel
from headrace.wire.failing import retry_after_s
from headrace.wire.openai_chat.failure import (
    error_body,
    error_event,
    failure_from_event,
    failure_from_response,
)


def answered(status: int, body: Any = None, **headers: str) -> Failure:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return failure_from_response(status, {k.replace("_", "-"): v for k, v in headers.items()}, raw, "up")


def error(message: str = "no", **fields: Any) -> Any:
    return {"error": {"message": message, **fields}}


@pytest.mark.parametrize(
    ("status", "body", "kind", "retryable", "http_status"),
    [
        (400, error(), "bad_request", False, 400),
        (404, error(code="model_not_found"), "bad_request", False, 404),
        (413, error(), "bad_request", False, 413),
        (422, {"detail": [{"loc": ["body", "x"], "msg": "missing"}]}, "bad_request", False, 422),
        (401, error(code="invalid_api_key"), "auth", False, 401),
        (403, error("Country not supported"), "auth", False, 403),
        (402, error("Insufficient Balance"), "rate_limited", False, 429),
        (429, error(code="rate_limit_exceeded"), "rate_limited", True, 429),
        (
            429,
            error("You exceeded your current quota", code="insufficient_quota"),
            "rate_limited",
            False,
            429,
        ),
        (408, error(), "unavailable", True, 502),
        (500, error(), "unavailable", True, 502),
        (503, error(), "unavailable", True, 503),
        (504, b"", "unavailable", True, 504),
        (529, error("Overloaded"), "unavailable", True, 503),
        (400, error(code="context_length_exceeded"), "context_overflow", False, 400),
        (400, error("This model's maximum context length is 8192 tokens."), "context_overflow", False, 400),
        (500, error("the context size was configured badly"), "unavailable", True, 502),
        (400, error(code="content_filter"), "content_blocked", False, 400),
        (400, error(innererror={"code": "ResponsibleAIPolicyViolation"}), "content_blocked", False, 400),
        (403, error("flagged", metadata={"reasons": ["violence"]}), "content_blocked", False, 400),
        (300, b"", "provider", False, 502),
        (302, b"", "provider", False, 502),
        (304, b"", "provider", False, 502),
        (307, error("too long a context window"), "provider", False, 502),
        (201, b"", "wire", False, 502),
        (204, b"", "wire", False, 502),
        (206, b"data: x", "wire", False, 502),
        (600, b"", "unavailable", True, 502),
        (999, b"", "unavailable", True, 502),
        (200, b"<html>", "wire", False, 502),
        (200, error("not today", type="rate_limit_error"), "rate_limited", True, 429),
        (200, error("overloaded", type="server_error"), "unavailable", True, 502),
        (200, {"message": "hello"}, "wire", False, 502),
    ],
)
def test_an_answer_is_the_failure_it_says(
    status: int, body: Any, kind: str, retryable: bool, http_status: int
) -> None:
    failed = answered(status, body)
    assert (failed.kind, failed.retryable, failed.http_status) == (kind, retryable, http_status)
    assert failed.error().message == failed.message
    assert "up" in failed.message


def test_a_redirect_names_the_setting_that_is_wrong() -> None:
    failed = answered(308, b"", location="https://elsewhere.example/v1?x=" + "y" * 5000)
    assert "base_url" in failed.message
    assert "https://elsewhere.example/v1" in failed.message
    assert len(failed.message) < 500
    assert "base_url" in answered(304, b"").message
    assert "base_url" not in answered(404, b"").message


def test_the_message_the_code_and_the_field_are_the_vendors() -> None:
    failed = answered(400, error("Unknown parameter: 'x'", code="unknown_parameter", param="x"))
    assert failed.message == "up answered 400: Unknown parameter: 'x'"
    assert failed.code == "unknown_parameter"
    assert failed.detail["field"] == "x"
    assert failed.detail["status"] == 400
    assert json.loads(failed.detail["raw"])["error"]["param"] == "x"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (error("nested"), "nested"),
        ({"error": "a string"}, "a string"),
        ({"object": "error", "message": "flat"}, "flat"),
        ({"detail": "a detail"}, "a detail"),
        ([{"error": {"message": "in a list"}}], "in a list"),
        (b'{"error": {"message": "half \\ud83d"}}', "half \ufffd"),
        (b"plain words", "plain words"),
        (b"<html><head><title>502\nBad Gateway</title></head>", "an HTML page (502 Bad Gateway)"),
        (b"", "no message"),
        (b"[" * 200_000, "[" * 1000 + "..."),
        (b"\xff\xfe", "\ufffd\ufffd"),
    ],
)
def test_a_message_is_found_in_every_shape(body: Any, said: str) -> None:
    assert answered(500, body).message == f"up answered 500: {said}"


@pytest.mark.parametrize(
    "key",
    ["sk-proj-abcdefghijkl", "gsk_abcdefghijkl", "Bearer abc.def", "AIzaSyAbcdefghijklm", "xai-0123456789ab"],
)
def test_a_key_that_the_provider_repeats_goes_nowhere(key: str) -> None:
    failed = answered(401, error(f"Incorrect API key provided: {key}, find yours at https://x.y/keys."))
    told = json.dumps([failed.message, failed.detail]) + error_body(failed).decode()
    assert key not in told
    assert "***" in failed.message
    assert "Incorrect API key provided" in failed.message


def test_a_long_body_is_cut() -> None:
    failed = answered(500, b"x" * 100_000)
    assert len(failed.message) < 1100
    assert len(failed.detail["raw"]) < 4200


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 30.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT", "date": "Wed, 21 Oct 2026 07:29:00 GMT"}, 0.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({"retry-after": "soon", "date": "now"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "-1"}, None),
        ({}, None),
    ],
)
def test_the_wait_that_is_asked_for(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers) == seconds


def test_header_names_are_read_in_any_case() -> None:
    assert answered(429, error(), **{"Retry-After": "3"}).detail["retry_after_s"] == 3.0


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"message": "x", "type": "rate_limit_error"}, "rate_limited"),
        ({"message": "x", "code": 401}, "auth"),
        ({"message": "x", "code": "model_not_found"}, "bad_request"),
        ({"message": "x", "status": 500}, "unavailable"),
        ({"message": "x", "code": True}, "unavailable"),
        ("words", "unavailable"),
        (None, "unavailable"),
        ([], "unavailable"),
        (7, "unavailable"),
    ],
)
def test_an_error_inside_a_stream_has_a_class_too(said: Any, kind: str) -> None:
    assert failure_from_event(said).kind == kind


@pytest.mark.parametrize(
    ("failure", "type", "code", "param"),
    [
        (Failure.of(RequestError("n: too big", field="n")), "invalid_request_error", "invalid_request", "n"),
        (
            Failure.of(UnknownModel("no model is called 'x'")),
            "invalid_request_error",
            "model_not_found",
            None,
        ),
        (
            Failure.of(ContextOverflow("too long")),
            "invalid_request_error",
            "context_length_exceeded",
            None,
        ),
        (Failure.of(Truncated("cut")), "server_error", "truncated", None),
    ],
)
def test_our_failures_have_the_vendors_shape(
    failure: Failure, type: str, code: str, param: str | None
) -> None:
    body = json.loads(error_body(failure))
    assert body == {"error": {"message": failure.message, "type": type, "param": param, "code": code}}
    assert error_event(failure).endswith(b"\n\ndata: [DONE]\n\n")


def test_our_errors_read_back_are_of_the_same_class() -> None:
    for original in (UnknownModel("x"), ContextOverflow("x"), RequestError("x")):
        body = json.loads(error_body(Failure.of(original)))
        read = failure_from_event(body).error()
        assert read.retryable == original.retryable
        assert read.http_status == original.http_status or isinstance(original, UnknownModel)


def test_the_official_client_knows_our_error_body() -> None:
    body = json.loads(error_body(Failure.of(RequestError("n: too big", field="n"))))
    known = openai.APIError("n: too big", request=None, body=body["error"])  # type: ignore[arg-type]
    assert (known.param, known.code, known.type) == ("n", "invalid_request", "invalid_request_error")
