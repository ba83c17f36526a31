"""Recorded streams of a dozen providers: usage by the place's own count, and the relay."""

from __future__ import annotations

from typing import Any

import pytest

from headrace.core.chunk import Finish
from headrace.core.fold import fold
from headrace.testing.stages import run
from headrace.wire.openai_chat import ChatDecoder, ChatRelay

pytestmark = pytest.mark.recordings


def decode(body: bytes) -> list[Any]:
    return run(ChatDecoder(), [[body]])


def test_a_place_that_counts_reasoning_beside_its_output_is_converted(recording: Any) -> None:
    counts = fold(decode(recording.body)).usage
    if counts is None or counts.reasoning_tokens <= counts.output_tokens:
        return  # this place counts as OpenAI does
    assert "xai" in recording.name
    vendor = fold(decode(recording.body)).usage
    ours = fold(run(ChatDecoder({"reasoning_beside_output": True}), [[recording.body]])).usage
    assert vendor is not None
    assert ours is not None
    assert ours.output_tokens == vendor.output_tokens + vendor.reasoning_tokens
    assert vendor.vendor is not None
    assert ours.total_tokens == vendor.vendor.data["total_tokens"]


def test_the_relay_forwards_the_same_bytes_and_comes_to_the_decoders_verdict(recording: Any) -> None:
    chunks = decode(recording.body)
    reply = fold(chunks)
    for pieces in (
        [[recording.body]],
        [[event + b"\n\n"] for event in recording.body.split(b"\n\n") if event],
    ):
        relay = ChatRelay(True)
        out = run(relay, pieces)
        assert b"".join(one for one in out if isinstance(one, bytes)) == recording.body
        assert out[-1] == chunks[-1]
        assert relay.usage == reply.usage
        spoke = bool(reply.text or reply.reasoning or reply.refusal or reply.tool_calls)
        assert (relay.content_events > 0) == spoke


def test_the_relay_drops_only_the_usage_event_that_nobody_asked_for(recording: Any) -> None:
    relay = ChatRelay(False)
    out = run(relay, [[recording.body]])
    sent = b"".join(one for one in out if isinstance(one, bytes))
    gone = [event for event in recording.body.split(b"\n\n") if event and event not in sent]
    assert relay.usage == fold(decode(recording.body)).usage
    assert all(b'"choices":[]' in event and b'"usage":{' in event for event in gone)
    assert isinstance(out[-1], Finish)
