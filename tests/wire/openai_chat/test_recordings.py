"""Recorded streams of a dozen providers, judged by the official client's own accumulator."""

from __future__ import annotations

import json
import random
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec
import pytest

from headrace.core.chunk import TERMINALS, Failure, Finish
from headrace.core.fold import fold
from headrace.core.reply import Reply
from headrace.testing.stages import run
from headrace.wire.openai_chat import ChatDecoder, ChatEncoder, ChatRelay

pytestmark = pytest.mark.recordings


def decode(body: bytes, *cuts: int) -> list[Any]:
    edges = [0, *sorted(cuts), len(body)]
    return run(ChatDecoder(), [[body[a:b]] for a, b in pairwise(edges)])


def said(reply: Reply) -> tuple[Any, ...]:
    """The same fields as the judge's `Said`."""
    usage = reply.usage
    return (
        reply.text,
        reply.refusal,
        reply.reasoning,
        [(call.id, call.name, call.arguments) for call in reply.tool_calls],
        reply.candidates[0].raw_reason,
        usage and usage.input_tokens,
        usage and usage.output_tokens,
    )


def plain_fold(body: bytes) -> tuple[Any, ...]:
    """A fold for what the official accumulator cannot read: lists as content, calls without index."""
    text, reasoning, reason, usage = "", "", None, None
    calls: dict[str, list[str]] = {}
    for line in body.split(b"\n\n"):
        if not line.startswith(b"data: {"):
            continue
        event = json.loads(line[6:])
        usage = event.get("usage") or usage
        for choice in event["choices"]:
            delta = choice["delta"]
            reasoning += delta.get("reasoning") or ""
            content = delta.get("content") or ""
            for part in [{"type": "text", "text": content}] if isinstance(content, str) else content:
                text += part.get("text", "")
                reasoning += "".join(piece["text"] for piece in part.get("thinking", ()))
            for call in delta.get("tool_calls") or ():
                known = calls.setdefault(call["id"], [call["function"]["name"], ""])
                known[1] += call["function"]["arguments"]
            reason = choice.get("finish_reason") or reason
    assert usage is not None
    counts = (usage["prompt_tokens"], usage["completion_tokens"])
    return text, "", reasoning, [(id, *call) for id, call in calls.items()], reason, *counts


class Odd(NamedTuple):
    """Why a recording is not compared field by field with the official accumulator."""

    why: str


ODD = {
    "json_lines/mistral/mistral-reasoning.jsonl": Odd("content is a list: the accumulator raises"),
    "json_lines/mistral/mistral-tool-call.jsonl": Odd("no index: the accumulator raises"),
    "json_lines/cerebras": Odd("two replies, both index 0: the accumulator glues ids and names"),
}


def odd(name: str) -> Odd | None:
    return next((value for prefix, value in ODD.items() if name.startswith(prefix)), None)


def test_a_recording_adds_up_to_what_the_official_client_makes_of_it(recording: Any, sdk_said: Any) -> None:
    reply = fold(decode(recording.body))
    assert isinstance(reply.terminal, Finish)
    assert reply.terminal.clean
    strange = odd(recording.name)
    theirs = plain_fold(recording.body) if strange is not None else tuple(sdk_said(recording.body))[:7]
    assert said(reply) == theirs


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


def test_a_recording_cut_after_any_event_is_never_a_success(recording: Any) -> None:
    events = recording.body.split(b"\n\n")
    decoder = ChatDecoder()  # fed on and on: each prefix is closed in a decoder of its own where it matters
    finished = False
    step = max(1, len(events) // 40)
    for place, event in enumerate(events):
        finished = finished or b'"finish_reason":"' in event.replace(b" ", b"")
        if finished:
            break
        decoder.feed([event + b"\n\n"])
        if place % step == 0:
            last = decode(b"\n\n".join(events[: place + 1]) + b"\n\n")[-1]
            assert isinstance(last, Failure)
            assert last.kind == "truncated"
    last = decoder.close()[-1]
    assert isinstance(last, Failure)
    assert last.kind == "truncated"
    assert finished


def test_a_recording_decodes_the_same_for_any_cuts(recording: Any) -> None:
    whole = decode(recording.body)
    dice = random.Random(recording.name)  # repeatable cuts, others for each recording
    for _ in range(4):
        cuts = [dice.randrange(len(recording.body)) for _ in range(dice.randrange(1, 40))]
        assert decode(recording.body, *cuts) == whole
    if len(recording.body) < 8_000:
        assert decode(recording.body, *range(len(recording.body))) == whole


def test_chunks_have_one_terminal_and_blocks_are_opened_and_closed(recording: Any) -> None:
    chunks = decode(recording.body)
    assert [type(one) in TERMINALS for one in chunks].count(True) == 1
    kinds = [one for one in msgspec.to_builtins(chunks) if "block" in one]
    opened = [one["block"] for one in kinds if one["type"] == "block-start"]
    closed = [one["block"] for one in kinds if one["type"] == "block-end"]
    assert opened == list(range(len(opened)))
    assert sorted(closed) == opened
    live: set[int] = set()
    for one in kinds:
        if one["type"] == "block-start":
            live.add(one["block"])
        assert one["block"] in live
        if one["type"] == "block-end":
            live.remove(one["block"])


def test_decoded_and_encoded_again_it_is_the_same_message_for_the_official_client(
    recording: Any, sdk_said: Any
) -> None:
    chunks = decode(recording.body)
    encoded = b"".join(run(ChatEncoder(include_usage=True), [chunks]))
    strange = odd(recording.name)
    if strange is not None:
        assert tuple(sdk_said(encoded))[:7] == plain_fold(recording.body)
    else:
        assert tuple(sdk_said(encoded)) == tuple(sdk_said(recording.body))
    again = fold(decode(encoded))
    first = fold(chunks)
    assert said(again) == said(first)
    assert again.usage == first.usage


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


def test_the_relay_drops_only_the_usage_event_that_nobody_asked_for(recording: Any, sdk_said: Any) -> None:
    relay = ChatRelay(False)
    out = run(relay, [[recording.body]])
    sent = b"".join(one for one in out if isinstance(one, bytes))
    gone = [event for event in recording.body.split(b"\n\n") if event and event not in sent]
    assert relay.usage == fold(decode(recording.body)).usage
    assert all(b'"choices":[]' in event and b'"usage":{' in event for event in gone)
    assert isinstance(out[-1], Finish)
