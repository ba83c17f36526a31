"""Parts that only their own wire understands: kept in their place, sent back to it, and to no other.

Pages of `ui_messages` are sent them too, and give them back: what a page does not keep is lost.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.wire.anthropic.events import END, begin, block, piece, reason, stop, text
from tests.wire.bedrock import events as bedrock
from tests.wire.gemini.events import said
from tests.wire.openai_responses import events as responses
from tests.wire.scripted import read_back, written

from headrace.core.chunk import BlockStart, Chunk
from headrace.core.fold import fold
from headrace.core.message import Message, OpaquePart, TextPart, user
from headrace.core.opaque import Opaque
from headrace.core.request import Request
from headrace.testing.stages import run
from headrace.wire import WIRES, wire_named

OTHERS = [wire for wire in WIRES if "llm" in wire_named(wire).capabilities and wire != "ui_messages"]
SEARCH = {"type": "server_tool_use", "id": "s_1", "name": "web_search", "input": {"query": "q"}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "s_1", "content": [{"type": "x", "url": "u"}]}
ITEM = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"query": "q"}}
GROUNDING = {"toolUseId": "s_1", "name": "web_search", "type": "server_tool_use"}
CODE = {"executableCode": {"language": "PYTHON", "code": "print(1)"}}
CAME = {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}}

ANTHROPIC = [
    begin(),
    block(0, "text", text=""), text(0, "let me look"), stop(0),
    block(1, "server_tool_use", id="s_1", name="web_search", input={}),
    piece(1, "input_json_delta", partial_json='{"query": "q"}'), stop(1),
    block(2, **FOUND), stop(2),
    block(3, "text", text=""), text(3, "found"), stop(3),
    reason(), END,
]  # fmt: skip
RESPONSES = [
    responses.CREATED,
    responses.added({**ITEM, "status": "in_progress"}),
    responses.event("web_search_call.searching", output_index=0, item_id="ws_1"),
    responses.item_done(ITEM),
    responses.text("found", at=1),
    responses.completed(ITEM, responses.message("found")),
]
GEMINI = [said({"text": "a"}), said(CODE, CAME), said({"text": "b"}, reason="STOP")]
GROUNDED = {"toolUse": {**GROUNDING, "input": {"query": "q"}}}
RESULT = {"toolResult": {"toolUseId": "s_1", "type": "web_search_result", "content": [{"text": "ab"}]}}
BEDROCK = [
    bedrock.text(0, "a"), bedrock.stop(0),
    bedrock.start(1, toolUse=GROUNDING), bedrock.arguments(1, '{"query": "q"}'), bedrock.stop(1),
    bedrock.start(2, toolResult={"toolUseId": "s_1", "type": "web_search_result"}),
    bedrock.piece(2, toolResult=[{"text": "a"}]), bedrock.piece(2, toolResult=[{"text": "b"}]),
    bedrock.stop(2), bedrock.text(3, "b"), bedrock.stop(3), bedrock.reason(), bedrock.END,
]  # fmt: skip
SOURCES = ("anthropic", "bedrock", "gemini", "openai_responses")


def answers() -> dict[str, tuple[bytes, list[Any]]]:
    """Wire -> (a stream, what goes back of it in the next turn)."""
    blocks = [{"type": "text", "text": "let me look"}, SEARCH, FOUND, {"type": "text", "text": "found"}]
    parts = [{"text": "a"}, CODE, CAME, {"text": "b"}]
    return {
        "anthropic": (b"".join(ANTHROPIC), blocks),
        "bedrock": (b"".join(BEDROCK), [{"text": "a"}, GROUNDED, RESULT, {"text": "b"}]),
        "gemini": (b"".join(GEMINI), parts),
        "openai_responses": (b"".join(RESPONSES), [ITEM, {"role": "assistant", "content": "found"}]),
    }


def turn(wire: str, body: dict[str, Any]) -> list[Any]:
    """What the model said, in a body for the provider."""
    if wire == "openai_responses":
        return [item for item in body["input"] if item.get("role") != "user"]
    if wire == "gemini":
        return body["contents"][1]["parts"]
    return body["messages"][1]["content"]


def decoded(wire: str) -> list[Chunk]:
    return run(wire_named(wire).decoder(), [[answers()[wire][0]]])


@pytest.mark.parametrize("wire", SOURCES)
def test_they_go_back_in_their_place(wire: str) -> None:
    reply = fold(decoded(wire))
    assert any(isinstance(part, OpaquePart) for part in reply.message.parts)
    sent_back(wire, Request("m", (user("hello"), reply.message, user("go on"))))


@pytest.mark.parametrize("wire", SOURCES)
def test_a_page_keeps_them_for_the_next_turn(wire: str) -> None:
    page = wire_named("ui_messages")
    assert page.front is not None
    reply = read_back(decoded(wire), page.name)
    asked = page.build(Request("m", (user("hello"), reply.message, user("go on"))), {})
    assert asked.warnings == ()
    sent_back(wire, page.front.parse(asked.body, {}).request)


def sent_back(wire: str, request: Request) -> None:
    """The request has for the provider what it is to have again."""
    built = wire_named(wire).build(request, {})
    expected = answers()[wire][1]
    got = turn(wire, json.loads(built.body))
    assert _plain(got, expected) == expected
    assert not any("own was left out" in warning for warning in built.warnings)


def _plain(got: list[Any], expected: list[Any]) -> list[Any]:
    """Only the fields that are expected: ids and the like are each wire's own affair."""
    assert len(got) == len(expected)
    return [{name: one.get(name) for name in want} for one, want in zip(got, expected, strict=True)]


@pytest.mark.parametrize("wire", SOURCES)
@pytest.mark.parametrize("other", OTHERS)
def test_no_other_wire_is_sent_them(wire: str, other: str) -> None:
    if wire == other:
        return
    request = Request("m", (user("hello"), fold(decoded(wire)).message, user("go on")))
    built = wire_named(other).build(request, {})
    assert f"a part of the {wire} protocol's own was left out: no other understands it" in built.warnings
    for word in (b"web_search", b"executableCode", b"codeExecution", b"opaque"):
        assert word not in built.body
    alone = Message("assistant", (OpaquePart(Opaque(wire, {"x": 1})),))
    bodies = [
        wire_named(other).build(Request("m", (user("a"), *between, user("b"))), {}).body
        for between in ((), (alone,))
    ]
    assert bodies[0] == bodies[1]


@pytest.mark.parametrize("wire", SOURCES)
@pytest.mark.parametrize("other", OTHERS)
def test_clients_of_other_wires_read_on(wire: str, other: str) -> None:
    """Nothing of the block is written, and the texts around it are whole."""
    chunks = decoded(wire)
    opaque = [one for one in chunks if isinstance(one, BlockStart) and one.kind == "opaque"]
    assert opaque
    again = read_back(chunks, other)
    assert again.failure is None
    assert again.text == fold(chunks).text
    parts = again.message.parts
    if wire == other:
        assert [type(part) for part in parts] == [type(part) for part in fold(chunks).message.parts]
        assert [part.vendor for part in parts if isinstance(part, OpaquePart)] == [
            part.vendor for part in fold(chunks).message.parts if isinstance(part, OpaquePart)
        ]
    else:
        assert all(isinstance(part, TextPart) for part in parts)
        assert b"web_search" not in written(chunks, other)
