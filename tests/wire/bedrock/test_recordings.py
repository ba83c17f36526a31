"""Recorded streams: decoded, they say what their events add up to; encoded again, the official client agrees.

They were kept as JSON lines. Framed as Bedrock frames them, they are the same answer.
"""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from tests.wire.bedrock.events import decode, event
from tests.wire.bedrock.judge import client_answer, client_events, fold_events

from headrace.core.chunk import TERMINALS, Failure, Finish
from headrace.core.fold import fold
from headrace.core.message import OpaquePart, Part, ReasoningPart, TextPart, ToolCallPart
from headrace.core.reply import Reply
from headrace.testing import stages
from headrace.wire.bedrock import ConverseDecoder, ConverseEncoder, converse_body

pytestmark = pytest.mark.recordings


def events_of(recording: bytes) -> list[dict[str, Any]]:
    return [json.loads(one) for one in recording.splitlines() if one.strip()]


def framed(recording: bytes) -> list[bytes]:
    return [event(name, **body) for one in events_of(recording) for name, body in one.items()]


def said(reply: Reply) -> dict[str, Any]:
    """In the words of `fold_events`."""
    first = reply.candidates[0]
    return {
        "content": [_block(part) for part in first.parts],
        "stop": first.raw_reason,
        "usage": reply.usage and reply.usage.vendor and reply.usage.vendor.data,
    }


def _block(part: Part) -> dict[str, Any]:
    own = part.vendor.data if part.vendor else {}
    match part:
        case TextPart():
            return {"text": part.text, **({"citations": own["citations"]} if "citations" in own else {})}
        case ReasoningPart():
            return {"thought": part.text, **own}
        case ToolCallPart():
            return {"call": {"toolUseId": part.id, "name": part.name}, "input": json.loads(part.arguments)}
        case _:
            assert isinstance(part, OpaquePart)
            return own


def theirs(events: list[dict[str, Any]]) -> dict[str, Any]:
    added = fold_events(events)
    for block in added["content"]:
        if "call" in block:
            block["input"] = json.loads(block["input"] or "{}")
    return added


def test_a_recording_adds_up_to_what_its_events_say(recording: bytes) -> None:
    chunks = decode(recording)
    reply = fold(chunks)
    assert isinstance(reply.terminal, Finish)
    assert reply.terminal.clean == (b'"metadata"' in recording)
    assert said(reply) == theirs(events_of(recording))
    assert decode(*framed(recording)) == chunks


def test_encoded_again_it_is_the_same_message_for_the_official_client(recording: bytes) -> None:
    chunks = decode(recording)
    encoded = b"".join(stages.run(ConverseEncoder(), [chunks]))
    assert fold(decode(encoded)) == fold(chunks)
    read = client_events(encoded)
    # One was made by hand, with a beginning that the official client refuses.
    sent = [one for one in framed(recording) if b'"start": {}' not in one]
    # What its model does not know (`serverToolUsage`), it leaves out.
    assert theirs(read) == theirs(client_events(b"".join(sent)))
    missing = [one for one in client_events(b"".join(sent)) if one not in read]
    empty = {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": ""}}}
    assert missing in ([], [{"contentBlockDelta": empty}])


def test_the_whole_answer_says_the_same(recording: bytes) -> None:
    reply = fold(decode(recording))
    answer = client_answer(converse_body(reply))
    content = [_of_answer(block) for block in answer["output"]["message"]["content"]]
    wanted = theirs(events_of(recording))
    assert (content, answer["stopReason"]) == (wanted["content"], wanted["stop"])
    assert answer["usage"]["outputTokens"] == (wanted["usage"] or {"outputTokens": 0})["outputTokens"]


def _of_answer(block: dict[str, Any]) -> dict[str, Any]:
    ((name, body),) = block.items()
    if name == "toolUse":
        return {"call": {"toolUseId": body["toolUseId"], "name": body["name"]}, "input": body["input"]}
    if name == "reasoningContent":
        text = body["reasoningText"]
        return {"thought": text["text"], "signature": text["signature"]}
    return block


def test_a_recording_cut_after_any_event_is_never_a_success_before_its_reason(recording: bytes) -> None:
    for lines in (recording.splitlines(keepends=True), framed(recording)):
        decoder = ConverseDecoder()
        for one in lines:
            if b"messageStop" in one:
                break
            assert not any(isinstance(chunk, TERMINALS) for chunk in decoder.feed([one]))
        last = decoder.close()[-1]
        assert isinstance(last, Failure)
        assert last.kind == "truncated"


def test_a_recording_decodes_the_same_for_any_cuts(recording: bytes) -> None:
    for data in (recording, b"".join(framed(recording))):
        whole = decode(data)
        dice = random.Random(len(data))  # repeatable cuts, others for each recording
        for _ in range(4):
            cuts = [dice.randrange(len(data)) for _ in range(dice.randrange(1, 40))]
            assert stages.run(stages.reads(ConverseDecoder)(), stages.cut(data, cuts)) == whole
        assert stages.run(stages.reads(ConverseDecoder)(), stages.cut(data, range(1, len(data)))) == whole
