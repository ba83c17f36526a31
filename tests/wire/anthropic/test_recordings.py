"""Recorded streams, judged by the official client's own accumulator."""

from __future__ import annotations

import json
import random
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from anthropic._models import construct_type
from anthropic.types.beta import BetaMessage

from headrace.core.chunk import TERMINALS, Failure, Finish
from headrace.core.fold import fold
from headrace.core.reply import Reply
from headrace.core.request import Request
from headrace.testing.stages import run
from headrace.wire.anthropic.decode import MessagesDecoder
from headrace.wire.anthropic.encode import MessagesEncoder
from headrace.wire.anthropic.whole import message_body
from headrace.wire.base import ParsedRequest, Says

pytestmark = pytest.mark.recordings


def decode(body: bytes, *cuts: int) -> list[Any]:
    edges = [0, *sorted(cuts), len(body)]
    return run(MessagesDecoder(), [[body[a:b]] for a, b in pairwise(edges)])


def spliced(recording: Any) -> bool:
    """Two answers in one stream: there is no message to agree on."""
    return "spliced" in recording.name


def said(reply: Reply) -> dict[str, Any]:
    first, usage = reply.candidates[0] if reply.candidates else None, reply.usage
    assert usage is not None
    return {
        "id": reply.id,
        "text": reply.text,
        "thinking": reply.reasoning,
        "calls": [(one.id, one.name, json.loads(one.arguments)) for one in reply.tool_calls],
        "quotes": [one.quote for one in first.citations] if first else [],
        "stop": (first.raw_reason, first.stop_sequence or None) if first else None,
        "input": usage.input_tokens - usage.cached_input_tokens - usage.cache_write_tokens,
        "cache": (usage.cached_input_tokens, usage.cache_write_tokens),
        "output": usage.output_tokens,
    }


def theirs(message: dict[str, Any]) -> dict[str, Any]:
    of: dict[str, list[Any]] = {}
    for block in message["content"]:
        of.setdefault(block["type"], []).append(block)
    usage = message["usage"]
    text = of.get("text", [])
    return {
        "id": message["id"],
        "text": "".join(one["text"] for one in text),
        "thinking": "".join(one["thinking"] for one in of.get("thinking", [])),
        "calls": [(one["id"], one["name"], one["input"]) for one in of.get("tool_use", [])],
        "quotes": [each["cited_text"] for one in text for each in one.get("citations") or ()],
        "stop": (message["stop_reason"], message["stop_sequence"]),
        "input": usage["input_tokens"],
        "cache": (usage.get("cache_read_input_tokens") or 0, usage.get("cache_creation_input_tokens") or 0),
        "output": usage["output_tokens"],
    }


def test_a_recording_adds_up_to_what_the_official_client_makes_of_it(
    recording: Any, sdk_message: Any
) -> None:
    reply = fold(decode(recording.body))
    if spliced(recording):
        assert isinstance(reply.terminal, Failure)
        assert reply.terminal.kind == "wire"
        return
    assert isinstance(reply.terminal, Finish)
    assert reply.terminal.clean
    assert said(reply) == theirs(sdk_message(recording.body))


def test_a_recording_cut_after_any_event_is_never_a_success(recording: Any) -> None:
    if spliced(recording):
        return
    events = [one + b"\n\n" for one in recording.body.split(b"\n\n") if one]
    assert b"message_stop" in events[-1]
    decoder = MessagesDecoder()
    for place, one in enumerate(events[:-1]):
        assert not any(isinstance(chunk, TERMINALS) for chunk in decoder.feed([one]))
        if place % max(1, len(events) // 20) == 0:
            last = decode(b"".join(events[: place + 1]))[-1]
            assert isinstance(last, Failure)
            assert last.kind == "truncated"
    last = decoder.close()[-1]
    assert isinstance(last, Failure)
    assert last.kind == "truncated"


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
    assert type(chunks[-1]) in TERMINALS
    kinds = [one for one in msgspec.to_builtins(chunks) if "block" in one]
    opened = [one["block"] for one in kinds if one["type"] == "block-start"]
    closed = [one["block"] for one in kinds if one["type"] == "block-end"]
    assert opened == list(range(len(opened)))
    if spliced(recording):
        return
    assert sorted(closed) == opened
    live: set[int] = set()
    for one in kinds:
        if one["type"] == "block-start":
            live.add(one["block"])
        assert one["block"] in live
        if one["type"] == "block-end":
            live.remove(one["block"])


def events_of(body: bytes) -> list[dict[str, Any]]:
    """What the events say, without pings and pieces of nothing; a block may begin with an empty signature."""
    lines = [line[6:] for line in body.splitlines() if line.startswith(b"data: ")]
    events = [json.loads(line) for line in lines]
    for one in events:
        if one.get("content_block", {}).get("type") == "thinking":
            one["content_block"].setdefault("signature", "")
    pieces = ("text_delta", "text"), ("input_json_delta", "partial_json"), ("thinking_delta", "thinking")
    empty = [{"type": kind, field: ""} for kind, field in pieces]
    return [one for one in events if one["type"] != "ping" and one.get("delta") not in empty]


def test_decoded_and_encoded_again_it_is_the_same_message_for_the_official_client(
    recording: Any, sdk_message: Any
) -> None:
    if spliced(recording):
        return
    chunks = decode(recording.body)
    encoded = b"".join(run(MessagesEncoder(), [chunks]))
    assert sdk_message(encoded) == sdk_message(recording.body)
    again = decode(encoded)
    assert said(fold(again)) == said(fold(chunks))
    if "duplicate" in recording.name or b'"content":[{' in recording.body.split(b"\n\n")[0]:
        return  # one beginning too many, or blocks inside the beginning: written as events of their own
    assert events_of(encoded) == events_of(recording.body)
    assert fold(again).usage == fold(chunks).usage


def test_a_whole_body_is_the_official_clients_message(recording: Any, sdk_message: Any) -> None:
    if spliced(recording):
        return
    reply = fold(decode(recording.body))
    parsed = ParsedRequest(Request("m"))
    body = json.loads(message_body(reply, Says("", "", 0), parsed))
    theirs = sdk_message(recording.body)
    ours = construct_type(type_=BetaMessage, value=body).model_dump(warnings=False)
    for block in (*ours["content"], *theirs["content"]):
        block["citations"] = block.get("citations") or None
        block.pop("parsed_output", None)
    fell_back = [block for block in theirs["content"] if block["type"] == "fallback"]
    if fell_back:  # the accumulator writes the other model over the one that message_start names
        theirs["model"] = fell_back[-1]["from_"]["model"]
    assert ours == theirs
