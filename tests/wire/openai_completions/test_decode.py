from __future__ import annotations

import json
from typing import Any

import pytest
from tests.wire.openai_completions.events import (
    DONE,
    EVERYTHING,
    LOGPROBS,
    TEXT,
    decode,
    event,
    failure,
    piece,
    reply,
)

from headrace.core.chunk import Finish, TextDelta, Token, VendorPart
from headrace.core.fold import fold
from headrace.testing import stages
from headrace.wire.base import Says
from headrace.wire.openai_completions import CompletionsDecoder, CompletionsEncoder


def test_text_candidates_and_usage() -> None:
    whole = reply(*EVERYTHING)
    assert [one.text for one in whole.candidates] == ["Hello", "Salut"]
    assert [one.finish_reason for one in whole.candidates] == ["stop", "length"]
    assert whole.usage is not None
    assert (whole.usage.input_tokens, whole.usage.output_tokens) == (3, 2)
    assert isinstance(whole.terminal, Finish)
    assert whole.terminal.clean


def test_log_probabilities_become_tokens() -> None:
    assert reply(*EVERYTHING).tokens == (
        Token("Hel", logprob=-0.5, top=(Token("Hel", logprob=-0.5), Token("Hi", logprob=-1.5))),
        Token("lo", logprob=-0.25, top=(Token("lo", logprob=-0.25),)),
    )


def test_what_we_do_not_model_comes_back_in_the_same_places() -> None:
    chunks = decode(*EVERYTHING)
    encoded = b"".join(stages.run(CompletionsEncoder(Says("", "", 0), include_usage=True), [chunks]))
    first, second, third, fourth, *rest = [
        json.loads(line[6:]) for line in encoded.split(b"\n\n") if line.startswith(b"data: {")
    ]
    assert first["choices"][0]["logprobs"] == LOGPROBS
    assert first["system_fingerprint"] == "fp_1"
    assert second["choices"][0]["token_ids"] == [5, 6]
    assert third["choices"][0]["finish_reason"] == "stop"
    assert fourth["choices"][0]["stop_reason"] == 13
    assert rest[0]["kv_transfer_params"] == {"a": 1}
    assert fold(stages.run(CompletionsDecoder(), [[encoded]])).candidates == fold(chunks).candidates


def test_the_terminator_alone_is_no_answer() -> None:
    assert failure(DONE).code == "empty_response"


@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        (b"data: {oops\n\n", "wire"),
        (b"data: [1]\n\n", "wire"),
        (piece(index=128), "wire"),
        (b'data: {"choices":[{"text":5}]}\n\n', "wire"),
        (event(choices=[], usage={"prompt_tokens": "many"}), "wire"),
        (b'data: {"error":{"message":"slow down","type":"rate_limit_error"}}\n\n', "rate_limited"),
        (b'data: {"error":{"message":"boom","type":"server_error"}}\n\n', "unavailable"),
        (b"event: error\ndata: gone\n\n", "unavailable"),
        (piece("x", reason="error"), "unavailable"),
    ],
)
def test_a_bad_event_ends_the_reply_with_a_typed_failure(bad: bytes, kind: str) -> None:
    assert failure(TEXT[0], bad, *TEXT[1:]).kind == kind


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (b"<html><title>502 Bad</title></html>", "wire", "unexpected_answer"),
        (b'{"error":{"message":"no","type":"rate_limit_error"}}', "rate_limited", "rate_limit_error"),
        (b'{"object":"text_completion","choices":[]}', "wire", "unexpected_answer"),
    ],
)
def test_a_body_that_is_no_stream_is_named(body: bytes, kind: str, code: str) -> None:
    assert (failure(body).kind, failure(body).code) == (kind, code)


def test_unknown_fields_are_kept() -> None:
    chunks: list[Any] = decode(piece("a", novel=1), event(choices=[], later={"x": 2}), *TEXT[2:])
    assert any(
        isinstance(one, TextDelta) and one.vendor and one.vendor.data == {"novel": 1} for one in chunks
    )
    assert any(isinstance(one, VendorPart) and one.part.data == {"later": {"x": 2}} for one in chunks)
