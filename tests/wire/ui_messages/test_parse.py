from __future__ import annotations

import json
from typing import Any

import pytest
from tests.wire import scripted

from headrace.core.fold import fold
from headrace.core.message import (
    AudioPart,
    FilePart,
    ImagePart,
    Message,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    system,
    user,
)
from headrace.core.opaque import Opaque
from headrace.errors import RequestError
from headrace.wire.base import Says
from headrace.wire.ui_messages import FRONT, parse_request


def parse(*messages: Any, **fields: Any) -> Any:
    body = {"id": "chat", "trigger": "submit-message", "messageId": None, "messages": messages, **fields}
    return parse_request(json.dumps(body).encode(), {"model": "path"})


def page(role: str, *parts: Any) -> dict[str, Any]:
    return {"id": "m", "role": role, "parts": parts}


def test_a_pages_conversation_is_ours() -> None:
    parsed = parse(
        page("user", {"type": "text", "text": "Hi"},
             {"type": "file", "mediaType": "image/png", "url": "data:image/png;base64,eA=="},
             {"type": "file", "mediaType": "image", "url": "https://x/a"},
             {"type": "file", "mediaType": "audio/wav", "url": "data:audio/wav;base64,eA=="},
             {"type": "file", "mediaType": "application/pdf", "url": "https://x/a.pdf", "filename": "a.pdf"}),
        page("assistant",
             {"type": "step-start"},
             {"type": "reasoning", "text": "Hm.", "providerMetadata": {"anthropic": {"signature": "s"}}},
             {"type": "tool-weather", "toolCallId": "a", "state": "output-available",
              "input": {"city": "Oslo"}, "output": {"sky": "grey"}},
             {"type": "dynamic-tool", "toolName": "time", "toolCallId": "b", "state": "output-error",
              "rawInput": "{cut", "errorText": "bad"},
             {"type": "tool-x", "toolCallId": "c", "state": "input-streaming"},
             {"type": "step-start"},
             {"type": "text", "text": "Rain.", "state": "done"},
             {"type": "source-url", "sourceId": "1", "url": "https://x"},
             {"type": "data-mood", "data": 1}),
        page("user", {"type": "text", "text": "Bye"}),
        model="given", system="Be brief.",
    )  # fmt: skip
    assert parsed.stream
    assert parsed.warnings == ()
    assert parsed.request.model == "given"
    assert parsed.request.messages == (
        system("Be brief."),
        Message(
            "user",
            (
                TextPart("Hi"),
                ImagePart(data=b"x", media_type="image/png"),
                ImagePart("https://x/a"),
                AudioPart(b"x", format="wav"),
                FilePart(url="https://x/a.pdf", name="a.pdf", media_type="application/pdf"),
            ),
        ),
        Message(
            "assistant",
            (
                ReasoningPart("Hm.", Opaque("anthropic", {"signature": "s"})),
                ToolCallPart("a", "weather", '{"city":"Oslo"}'),
                ToolCallPart("b", "time", "{cut"),
            ),
        ),
        Message(
            "tool",
            (
                ToolResultPart("a", (TextPart('{"sky":"grey"}'),)),
                ToolResultPart("b", (TextPart("bad"),), is_error=True),
            ),
        ),
        Message("assistant", (TextPart("Rain."),)),
        user("Bye"),
    )


def test_what_a_page_adds_and_nobody_reads_is_a_warning() -> None:
    parsed = parse(page("user", {"type": "text", "text": "x"}), colour="red")
    assert parsed.warnings == ("colour has no effect here",)
    assert parsed.request.model == "path"


def test_a_denied_call_is_a_failed_one() -> None:
    part = {"type": "tool-f", "toolCallId": "a", "state": "output-denied", "input": {}}
    assert parse(page("assistant", part)).request.messages[1].parts[0].is_error


@pytest.mark.parametrize(
    ("messages", "field"),
    [
        ([], "messages"),
        ([{"role": "robot", "parts": []}], "messages.0.role"),
        ([{"role": "user"}], "messages.0.parts"),
        ([page("user", {"type": "text"})], "messages.0.parts.0.text"),
        ([page("user", {"text": "x"})], "messages.0.parts.0.type"),
        ([page("user", {"type": "file", "mediaType": "image/png", "url": "data:x,y"})],
         "messages.0.parts.0.url"),
        ([page("user", {"type": "file", "mediaType": "image/png", "url": "data:x;base64,!"})],
         "messages.0.parts.0.url"),
        ([page("assistant", {"type": "tool-f", "state": "input-available"})],
         "messages.0.parts.0.toolCallId"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(messages: list[Any], field: str) -> None:
    with pytest.raises(RequestError) as raised:
        parse(*messages)
    assert raised.value.field == field


def test_a_whole_reply_comes_back_as_the_turn_it_was() -> None:
    reply = fold(scripted.EVERYTHING)
    parsed = parse(page("user", {"type": "text", "text": "x"}))
    message = json.loads(FRONT.body(reply, Says("msg_1", "m", 1), parsed))
    assert message["metadata"]["usage"]["totalTokens"] == 18
    assert parse(message).request.messages == (reply.message,)
