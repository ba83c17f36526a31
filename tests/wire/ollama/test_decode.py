from __future__ import annotations

import json
from typing import Any

import pytest
from tests.wire.ollama.lines import (
    CHAT,
    GENERATE,
    METRICS,
    PNG,
    TEXT,
    call,
    chat,
    decode,
    failure,
    line,
    reply,
)

from headrace.core.chunk import BlockStart, Finish, ImageDelta, Token
from headrace.testing import stages
from headrace.wire.base import Says
from headrace.wire.ollama import OllamaDecoder, OllamaEncoder
from headrace.wire.ollama.shape import CHAT as CHAT_SHAPE


def sdk_said(events: Any, field: str) -> tuple[Any, ...]:
    """What the events that the official client gives add up to: an independent fold."""
    text, thinking, calls, last = "", "", [], None
    for event in events:
        piece = event.message if field == "message" else event
        text += (piece.content if field == "message" else piece.response) or ""
        thinking += piece.thinking or ""
        if field == "message":
            calls += [(one.function.name, dict(one.function.arguments)) for one in piece.tool_calls or ()]
        last = event
    assert last is not None
    assert last.done
    return text, thinking, calls, last.done_reason, last.prompt_eval_count, last.eval_count


def ours(*lines: bytes) -> tuple[Any, ...]:
    whole = reply(*lines)
    assert isinstance(whole.terminal, Finish)
    assert whole.usage is not None
    calls = [(one.name, json.loads(one.arguments)) for one in whole.tool_calls]
    return (
        whole.text,
        whole.reasoning,
        calls,
        whole.candidates[0].raw_reason,
        whole.usage.input_tokens,
        whole.usage.output_tokens,
    )


def test_chat_adds_up_to_what_the_official_client_makes_of_it(answering: Any) -> None:
    events = answering(b"".join(CHAT)).chat("m", [{"role": "user", "content": "x"}], stream=True)
    assert ours(*CHAT) == sdk_said(events, "message")


def test_generate_adds_up_to_what_the_official_client_makes_of_it(answering: Any) -> None:
    events = answering(b"".join(GENERATE)).generate("m", "x", stream=True)
    assert ours(*GENERATE) == sdk_said(events, "response")


def test_an_older_servers_last_line_says_no_reason() -> None:
    lines = (chat("Hi"), line(done=True, **METRICS))
    encoded = b"".join(stages.run(OllamaEncoder(Says("", "", 0), CHAT_SHAPE), [decode(*lines)]))
    assert "done_reason" not in json.loads(encoded.splitlines()[-1])
    assert reply(*lines).finish_reason == "stop"


def test_the_last_line_needs_no_line_end() -> None:
    assert isinstance(decode(*TEXT[:-1], TEXT[-1].rstrip())[-1], Finish)


def test_a_stop_after_a_tool_call_is_tool_calls() -> None:
    whole = reply(*CHAT)
    assert whole.finish_reason == "tool_calls"
    assert [(one.id, one.name, one.arguments) for one in whole.tool_calls] == [
        ("call_1", "weather", '{"city":"Oslo"}'),
        ("call_2", "time", "{}"),
    ]


def test_log_probabilities_become_tokens() -> None:
    assert reply(*CHAT).tokens == (Token("Hel", logprob=-0.5, top=(Token("Hi", logprob=-2.5),)),)


def test_a_token_that_is_a_piece_of_a_character_keeps_its_bytes() -> None:
    torn = chat("", logprobs=[{"token": "�", "logprob": -1, "bytes": [240, 159]}])
    assert reply(torn, *TEXT).tokens[0].raw == b"\xf0\x9f"


def test_a_whole_answer_reads_like_a_stream() -> None:
    whole = reply(chat("Hello", tool_calls=[call("f", {"a": 1})], done=True, done_reason="stop", **METRICS))
    assert whole.text == "Hello"
    assert whole.tool_calls[0].arguments == '{"a":1}'
    assert whole.usage is not None
    assert whole.usage.total_tokens == 308


@pytest.mark.parametrize("first", [chat("", images=[PNG]), line(response="", image=PNG)])
def test_an_image_of_the_answer_is_a_block_of_its_own(first: bytes) -> None:
    chunks = decode(first, *TEXT)
    assert [one.kind for one in chunks if isinstance(one, BlockStart)] == ["image", "text"]
    assert [one.media_type for one in chunks if isinstance(one, ImageDelta)] == ["image/png"]


@pytest.mark.parametrize(
    ("bad", "kind", "retryable"),
    [
        (b'{"error":"llama runner process has terminated"}\n', "unavailable", True),
        (b'{"error":"model \'x\' not found"}\n', "bad_request", False),
        (b'{"error":"rate limit reached"}\n', "rate_limited", True),
        (b'{"error":"the prompt exceeds the available context size"}\n', "context_overflow", False),
        (b'{"error":"upstream","status":401}\n', "auth", False),
        (b'{"error":{"message":"boom"}}\n', "unavailable", True),
        (b"{oops\n", "wire", False),
        (b"[1]\n", "wire", False),
        (chat("", images=["!"]), "wire", False),
        (line(message=5), "wire", False),
        (chat("", tool_calls=[{"function": 5}]), "wire", False),
        (chat("", tool_calls=[call("f", {"a": "x"})]).replace(b"x", b"\xff"), "wire", False),
        (chat("", tool_calls=[call("f", {"a": "~"})]).replace(b'"~"', b"[" * 9000), "wire", False),
    ],
)
def test_a_bad_line_ends_the_reply_with_a_typed_failure(bad: bytes, kind: str, retryable: bool) -> None:
    found = failure(TEXT[0], bad, *TEXT[1:])
    assert (found.kind, found.retryable) == (kind, retryable)


def test_a_page_where_a_stream_was_asked_for_is_named() -> None:
    found = failure(b"<html><title>502 Bad</title></html>")
    assert (found.kind, found.code) == ("wire", "unexpected_answer")
    assert "502 Bad" in found.message


def test_an_error_without_a_line_end_is_not_lost() -> None:
    assert failure(TEXT[0], b'{"error":"gone"}').kind == "unavailable"


def test_a_line_that_never_ends_is_a_failure() -> None:
    out = stages.run(OllamaDecoder(max_line_bytes=64), [[b"x" * 100]])
    assert out[-1].code == "line_too_long"
