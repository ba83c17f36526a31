"""What one vendor needs back goes through the clients of another wire, and to nobody else."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from headrace.core.chunk import (
    BlockEnd,
    BlockStart,
    CandidateEnd,
    Chunk,
    Finish,
    ReasoningDelta,
    Start,
    TextDelta,
    ToolCallDelta,
)
from headrace.core.fold import fold
from headrace.core.message import Message, Part, ReasoningPart, TextPart, ToolCallPart
from headrace.core.opaque import Opaque
from headrace.core.request import Request
from headrace.wire import wire_named
from headrace.wire.base import ParsedRequest, Says
from headrace.wire.carried import MARK, MAX_CARRIED_CHARS, carried, carry, carry_call, holds_carried

SIGNED = Opaque("another", {"signature": "abc", "text": "é/+"})
OTHER = Opaque("another", {"signature": "def"})
REDACTED = Opaque("another", {"type": "redacted", "data": "ghi"})
CALL = Opaque("gemini", {"thoughtSignature": "c2ln"})
ASKED = ParsedRequest(Request("m"))
SAYS = Says("id", "m", 7)


def thought(block: int, text: str, begins: Opaque | None = None, ends: Opaque | None = None) -> list[Chunk]:
    said = [ReasoningDelta(block, text)] if text else []
    return [BlockStart(block, "reasoning", vendor=begins), *said, BlockEnd(block, vendor=ends)]


ANSWER: list[Chunk] = [
    Start("r"),
    *thought(0, "First, é. ", ends=SIGNED),
    *thought(1, "", begins=REDACTED),
    *thought(2, "Unsigned. "),
    *thought(3, "Second.", ends=OTHER),
    BlockStart(4, "text"),
    TextDelta(4, "So: "),
    BlockEnd(4),
    BlockStart(5, "tool-call", "c1", "f", vendor=CALL),
    ToolCallDelta(5, "{}"),
    BlockEnd(5),
    BlockStart(6, "tool-call", "c2", "g"),
    ToolCallDelta(6, '{"a":1}'),
    BlockEnd(6),
    CandidateEnd("tool_calls"),
    Finish(),
]


def next_request(wire: str, answer: Any) -> tuple[bytes, dict[str, str]]:
    """A client's next request with the answer as it got it."""
    match wire:
        case "openai_chat":
            user = {"role": "user", "content": "q"}
            body = {"model": "m", "messages": [user, answer["choices"][0]["message"]]}
        case "openai_responses":
            body = {"model": "m", "input": [{"role": "user", "content": "q"}, *answer["output"]]}
        case "anthropic":
            user = {"role": "user", "content": "q"}
            said = {"role": "assistant", "content": answer["content"]}
            body = {"model": "m", "max_tokens": 9, "messages": [user, said]}
        case _:
            user = {"role": "user", "parts": [{"text": "q"}]}
            body = {"contents": [user, answer["candidates"][0]["content"]]}
    return json.dumps(body).encode(), {"model": "m"}


def back(wire: str, chunks: list[Chunk]) -> tuple[Part, ...]:
    """The answer, as it comes back with the next turn."""
    front = wire_named(wire).front
    assert front is not None
    answer = json.loads(front.body(fold(chunks), SAYS, ASKED))
    parts: list[Part] = []
    for message in front.parse(*next_request(wire, answer)).request.messages[1:]:
        parts += message.parts
    return tuple(parts)


CARRYING = ("openai_chat", "openai_responses", "anthropic", "gemini")


@pytest.mark.parametrize("wire", CARRYING)
def test_signed_reasoning_comes_back_piece_by_piece(wire: str) -> None:
    thoughts = [part for part in back(wire, ANSWER) if isinstance(part, ReasoningPart)]
    signed = [(part.text, part.vendor) for part in thoughts if part.vendor in (SIGNED, OTHER, REDACTED)]
    assert [one for one in signed if one[1] != REDACTED] == [("First, é. ", SIGNED), ("Second.", OTHER)]
    assert "".join(part.text for part in thoughts) == "First, é. Unsigned. Second."
    assert REDACTED in [vendor for _, vendor in signed]


@pytest.mark.parametrize("wire", [name for name in CARRYING if name != "gemini"])
def test_a_calls_signature_comes_back_with_its_call(wire: str) -> None:
    calls = [part for part in back(wire, ANSWER) if isinstance(part, ToolCallPart)]
    assert [(call.id, call.name, call.vendor == CALL) for call in calls] == [
        ("c1", "f", True),
        ("c2", "g", False),
    ]


@pytest.mark.parametrize("wire", CARRYING)
def test_what_is_carried_goes_to_no_other_vendor(wire: str) -> None:
    """A body with it is told from others, for a relay would pass it on; what is built holds nothing of it."""
    front = wire_named(wire).front
    assert front is not None
    body, path = next_request(wire, json.loads(front.body(fold(ANSWER), SAYS, ASKED)))
    assert holds_carried(body)
    built = wire_named(wire).build(front.parse(body, path).request, {})
    assert not holds_carried(built.body)
    if wire in ("anthropic", "openai_responses"):  # the others take the text of anybody's
        assert any("reasoning" in warning for warning in built.warnings)


def test_own_data_and_a_call_that_its_vendor_can_do_without_are_not_carried() -> None:
    assert carry(SIGNED, "another") is None
    assert carry(None, "gemini") is None
    assert carry(Opaque("another", {}), "gemini") is None
    assert carry_call(CALL, "gemini") is None
    assert carry_call(Opaque("gemini", {"no_id": True}), "anthropic") is None
    assert carry_call(Opaque("ollama", {"index": 0}), "anthropic") is None
    assert carry(Opaque("another", {"x": "y" * MAX_CARRIED_CHARS}), "gemini") is None


@pytest.mark.parametrize(
    "text", [None, 7, "", "abc", MARK, MARK + "%", MARK + "e30=", MARK + "A" * MAX_CARRIED_CHARS]
)
def test_what_is_not_ours_stays_what_it_is(text: Any) -> None:
    assert carried(text, "anthropic") is None


def test_a_vendors_own_signature_is_not_taken_for_ours() -> None:
    body, path = next_request(
        "anthropic", {"content": [{"type": "thinking", "thinking": "hm", "signature": "EqQB"}]}
    )
    front = wire_named("anthropic").front
    assert front is not None
    messages = front.parse(body, path).request.messages
    assert messages[1] == Message(
        "assistant", (ReasoningPart("hm", Opaque("anthropic", {"signature": "EqQB"})),)
    )


def test_gemini_takes_thoughts_as_they_came_where_nobody_signed_them() -> None:
    parts = [{"text": "a", "thought": True}, {"text": "b", "thought": True}, {"text": "c"}]
    body = msgspec.json.encode({"contents": [{"role": "model", "parts": parts}]})
    front = wire_named("gemini").front
    assert front is not None
    (message,) = front.parse(body, {"model": "m"}).request.messages
    assert message.parts == (ReasoningPart("a"), ReasoningPart("b"), TextPart("c"))
