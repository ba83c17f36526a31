"""The npm package as the judge: it reads what we write, and reads what servers of its own write as we do."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.node.page import VERSIONS, Page
from tests.wire.ui_messages.events import DONE, STREAMS, TEXT, decode, event, parts, reply
from tests.wire.ui_messages.test_round_trip import CARRIED, encode

from headrace.core.chunk import (
    BlockEnd,
    BlockStart,
    CandidateEnd,
    Chunk,
    Failure,
    Finish,
    Start,
    TextDelta,
    ToolCallDelta,
    ToolResult,
)
from headrace.core.fold import fold
from headrace.core.message import ImagePart, RefusalPart, TextPart, ToolCallPart, ToolResultPart
from headrace.errors import RateLimited
from headrace.wire.ui_messages import parse_request
from headrace.wire.ui_messages.parts import DERIVED

Answer = dict[str, Any]


def without(kinds: tuple[str, ...], *events: bytes) -> list[Any]:
    return [part for part in parts(*events) if part["type"] not in kinds]


def said(message: Answer) -> Answer:
    """What a page has of an answer, as a reply of ours has it."""
    found = message["parts"]
    return {
        "text": "".join(part["text"] for part in found if part["type"] == "text"),
        "reasoning": "".join(part["text"] for part in found if part["type"] == "reasoning"),
        "calls": [
            (part["toolCallId"], part.get("toolName") or part["type"].removeprefix("tool-"))
            for part in found
            if part["type"].startswith(("tool-", "dynamic"))
        ],
        "sources": [part["url"] for part in found if part["type"] == "source-url"],
    }


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", STREAMS)
def test_what_a_server_of_the_package_writes_we_read_as_its_page_does(
    page: Page, name: str, version: int
) -> None:
    """novel is nobody's; custom parts came with version 7."""
    told = without(("novel",) if version > 6 else ("novel", "custom"), *STREAMS[name])
    written = page.ask("write", version=version, parts=told)["text"].encode()
    assert parts(written) == told
    seen = page.read(version, stream=written.decode())
    assert seen["error"] is None
    whole = reply(written)
    assert whole.failure is None
    assert said(seen["message"]) == {
        "text": whole.text,
        "reasoning": whole.reasoning,
        "calls": [(call.id, call.name) for call in whole.tool_calls],
        "sources": [one.url for one in whole.candidates[0].citations if one.url and one.vendor != DERIVED],
    }
    again = page.read(version, stream=encode(decode(written)).decode())
    assert again["message"] == seen["message"]


@pytest.mark.parametrize("version", VERSIONS)
def test_whatever_other_wires_keep_the_package_takes_it_and_sends_it_back(page: Page, version: int) -> None:
    for name, chunks in CARRIED.items():
        end = (CandidateEnd("stop", "stop"), Finish("stop", "stop"))
        answer = encode([Start("i", "m", 5), *chunks, *end])
        seen = page.read(version, stream=answer.decode())
        assert seen["error"] is None, name
        assert len(seen["parts"]) == len(parts(answer)), name
        sent = b'{"messages": [%b]}' % msgspec.json.encode(seen["message"])
        back = [part for turn in parse_request(sent, {}).request.messages for part in turn.parts]
        assert plain(back) == plain(reply(answer).message.parts), name


@pytest.mark.parametrize("version", VERSIONS)
def test_the_steps_of_a_run_with_tools_come_back_as_turns(page: Page, version: int) -> None:
    chunks: list[Chunk] = []
    for block in (0, 1):
        call = [BlockStart(block, "tool-call", f"call_{block}", "add"), ToolCallDelta(block, "{}")]
        answer = ToolResult(f"call_{block}", "add", (TextPart('{"sum":3}'),), is_error=bool(block))
        chunks += [Start("i"), *call, BlockEnd(block), CandidateEnd("tool_calls"), answer]
    chunks += [Start("j"), BlockStart(2, "text"), TextDelta(2, "3"), BlockEnd(2), CandidateEnd("stop")]
    seen = page.read(version, stream=encode([*chunks, Finish()]).decode())
    assert seen["error"] is None
    sent = b'{"messages": [%b]}' % msgspec.json.encode(seen["message"])
    back = parse_request(sent, {}).request.messages
    told = fold([*chunks, Finish()]).messages
    assert [(turn.role, [_of(part) for part in turn.parts]) for turn in back] == [
        (turn.role, [_of(part) for part in turn.parts]) for turn in told
    ]


def _of(part: Any) -> Any:
    return msgspec.structs.replace(part, vendor=None)


def plain(found: Any) -> list[Any]:
    """The parts that both have. A page answers input that is no JSON with an error, and gives images back.

    A reply of ours keeps nothing beside a refusal, and a page no spelling of JSON.
    """
    return [
        RefusalPart(part.text)
        if isinstance(part, RefusalPart)
        else msgspec.structs.replace(part, arguments=part.arguments.replace(" ", "") or "{}")
        if isinstance(part, ToolCallPart)
        else part
        for part in found
        if not isinstance(part, ToolResultPart | ImagePart)
    ]


@pytest.mark.parametrize("version", VERSIONS)
def test_events_of_nobody_and_of_no_part_are_refused(page: Page, version: int) -> None:
    """So a part of ours that the protocol does not have must be data."""
    missing = event("tool-input-delta", toolCallId="9", inputTextDelta="x")
    for bad in (event("novel"), event("text-delta", id="9", delta="x"), missing):
        seen = page.read(version, stream=(TEXT[0] + bad + DONE).decode())
        assert seen["error"] is not None


@pytest.mark.parametrize("version", VERSIONS)
def test_an_error_in_the_stream_is_the_pages_error(page: Page, version: int) -> None:
    failed = encode([Start("i"), TextDelta(0, "Hel"), Failure.of(RateLimited("slow down"))]).decode()
    seen = page.read(version, stream=failed)
    assert seen["error"] == {"name": "Error", "message": "slow down", "status": None}
    assert said(seen["message"])["text"] == "Hel"
    told = page.ask("chat", version=version, stream=failed, text="x")
    assert told["status"] == "error"
    assert [(one["type"], one["data"]["kind"]) for one in told["data"]] == [("data-failure", "rate_limited")]
    assert told["ends"][0]["isError"]
