"""Recorded streams, judged by the official client's own accumulator."""

from __future__ import annotations

import json
from typing import Any

import pytest
from anthropic._models import construct_type
from anthropic.types.beta import BetaMessage
from tests.wire.anthropic.judge import JUDGE

from headrace.core.fold import fold
from headrace.core.request import Request
from headrace.testing.stages import run
from headrace.wire.anthropic.decode import MessagesDecoder
from headrace.wire.anthropic.encode import MessagesEncoder
from headrace.wire.anthropic.whole import message_body
from headrace.wire.base import ParsedRequest, Says

pytestmark = pytest.mark.recordings


def decode(body: bytes) -> list[Any]:
    return run(MessagesDecoder(), [[body]])


def spliced(recording: Any) -> bool:
    return recording.name in JUDGE.fails


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


def test_decoded_and_encoded_again_the_events_are_the_same(recording: Any) -> None:
    if spliced(recording):
        return
    chunks = decode(recording.body)
    encoded = b"".join(run(MessagesEncoder(), [chunks]))
    if "duplicate" in recording.name or b'"content":[{' in recording.body.split(b"\n\n")[0]:
        return  # one beginning too many, or blocks inside the beginning: written as events of their own
    assert events_of(encoded) == events_of(recording.body)


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
