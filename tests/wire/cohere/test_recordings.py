"""Recorded streams: decoded, they say what their events add up to; encoded again, the events are the same."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from tests.wire.cohere.events import DONE, decode
from tests.wire.cohere.judge import client_answer, client_events, fold_events

from headrace.core.chunk import TERMINALS, Failure, Finish
from headrace.core.fold import fold
from headrace.core.message import ReasoningPart, TextPart, ToolCallPart
from headrace.core.reply import Reply
from headrace.testing import stages
from headrace.wire.base import Says
from headrace.wire.cohere import ChatDecoder, ChatEncoder, chat_body

pytestmark = pytest.mark.recordings


def events_of(recording: bytes) -> list[dict[str, Any]]:
    return [json.loads(one) for one in recording.splitlines() if one.strip()]


def framed(recording: bytes) -> list[bytes]:
    return [
        b"event: %b\ndata: %b\n\n" % (one["type"].encode(), json.dumps(one).encode())
        for one in events_of(recording)
    ]


def words(reply: Reply) -> dict[str, Any]:
    """In the words of `fold_events`."""
    content: list[Any] = []
    calls: list[Any] = []
    plan = ""
    for part in reply.message.parts:
        match part:
            case TextPart():
                content.append({"type": "text", "text": part.text})
            case ReasoningPart() if part.vendor is not None:
                plan += part.text
            case ReasoningPart():
                content.append({"type": "thinking", "thinking": part.text})
            case ToolCallPart():
                calls.append([part.id, part.name, json.loads(part.arguments)])
    assert reply.usage is not None
    assert reply.usage.vendor is not None
    end = {"finish_reason": reply.candidates[0].raw_reason, "usage": reply.usage.vendor.data}
    return {"id": reply.id, "content": content, "calls": calls, "plan": plan, "citations": [], "end": end}


def theirs(events: list[dict[str, Any]]) -> dict[str, Any]:
    added = fold_events(events)
    calls = [[id, name, json.loads(arguments or "{}")] for id, name, arguments in added["calls"]]
    return {**added, "calls": calls}


def test_a_recording_adds_up_to_what_its_events_say(recording: bytes) -> None:
    reply = fold(decode(*framed(recording)))
    assert isinstance(reply.terminal, Finish)
    assert reply.terminal.clean
    assert words(reply) == theirs(events_of(recording))
    usage = events_of(recording)[-1]["delta"]["usage"]
    assert reply.usage is not None
    assert reply.usage.input_tokens == usage["tokens"]["input_tokens"] > usage["billed_units"]["input_tokens"]


def test_encoded_again_the_events_are_the_same_for_us_and_for_the_official_client(recording: bytes) -> None:
    encoded = b"".join(stages.run(ChatEncoder(), [decode(*framed(recording))]))
    assert encoded.endswith(DONE)
    lines = [one for one in encoded.splitlines() if one.startswith(b"data: {")]
    assert [json.loads(one.removeprefix(b"data: ")) for one in lines] == events_of(recording)
    assert theirs(client_events(encoded)) == theirs(client_events(b"".join(framed(recording))))


def test_the_whole_answer_says_the_same(recording: bytes) -> None:
    answer = client_answer(chat_body(fold(decode(*framed(recording))), Says("", "", 0)))
    wanted = theirs(events_of(recording))
    message = answer["message"]
    assert (answer["id"], message.get("content", [])) == (wanted["id"], wanted["content"])
    calls = [
        [one["id"], one["function"]["name"], json.loads(one["function"]["arguments"])]
        for one in message.get("tool_calls", [])
    ]
    assert (calls, message.get("tool_plan", "")) == (wanted["calls"], wanted["plan"])
    assert {name: answer[name] for name in ("finish_reason", "usage")} == wanted["end"]


def test_a_recording_cut_after_any_event_is_never_a_success(recording: bytes) -> None:
    decoder = ChatDecoder()
    for one in framed(recording)[:-1]:
        assert not any(isinstance(chunk, TERMINALS) for chunk in decoder.feed([one]))
    last = decoder.close()[-1]
    assert isinstance(last, Failure)
    assert last.kind == "truncated"


def test_a_recording_decodes_the_same_for_any_cuts(recording: bytes) -> None:
    data = b"".join(framed(recording))
    whole = decode(data)
    dice = random.Random(len(data))  # repeatable cuts, others for each recording
    for _ in range(4):
        cuts = [dice.randrange(len(data)) for _ in range(dice.randrange(1, 40))]
        assert stages.run(stages.reads(ChatDecoder)(), stages.cut(data, cuts)) == whole
    assert stages.run(stages.reads(ChatDecoder)(), stages.cut(data, range(1, len(data)))) == whole
