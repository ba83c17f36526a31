"""The npm package `ai`, unmodified under Node, against a running server: what a web page reads and sends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.node.page import VERSIONS, Page
from tests.server.doubles import BEGIN, HandModel, Models, ScriptModel
from tests.wire import scripted

from headrace.core.chunk import (
    BlockEnd,
    BlockStart,
    CandidateEnd,
    Chunk,
    Citation,
    Failure,
    Finish,
    ImageDelta,
    ReasoningDelta,
    Start,
    TextDelta,
    ToolCallDelta,
)
from headrace.core.fold import fold
from headrace.core.message import ReasoningPart, TextPart, ToolCallPart, ToolResultPart, user
from headrace.core.opaque import Opaque
from headrace.core.request import Request, ResponseFormat, Tool
from headrace.errors import Unavailable, UnknownModel
from headrace.providers.model import provider_model
from headrace.providers.row import ProviderRow
from headrace.server.app import Runtime
from headrace.server.serve import running_server
from headrace.simulate.echo import EchoModel
from headrace.stream.generation import GenerationStream

PATH = "/api/ui/chat"
SAID = "Grüße 👩‍🚀, two\n\nparagraphs and  spaces.\r\n\u2028 data: [DONE]\n\n"
SIGNED = Opaque("anthropic", {"signature": "sig"})
HI: list[Any] = [{"id": "1", "role": "user", "parts": [{"type": "text", "text": "Hi"}]}]
END: tuple[Chunk, ...] = (CandidateEnd("stop", "stop"), Finish("stop", "stop"))

versions = pytest.mark.parametrize("version", VERSIONS)
Ask = Callable[..., Awaitable[dict[str, Any]]]


def serve(runtime: Runtime, page: Page, version: int, main: Callable[[Ask], Awaitable[Any]]) -> Any:
    """What `main` makes of a page whose answers come from `runtime`."""

    async def run() -> Any:
        async with running_server(runtime) as server:

            async def ask(op: str = "read", **command: Any) -> dict[str, Any]:
                command = {"version": version, "url": server.url + PATH, "messages": HI, **command}
                return await asyncio.to_thread(page.ask, op, **command)

            return await main(ask)

    return asyncio.run(run())


def answered(page: Page, version: int, *chunks: Chunk, **command: Any) -> dict[str, Any]:
    """What a page has of an answer of these chunks."""
    script = ScriptModel([Start("i", "vendor-model", 5), *chunks])
    seen: dict[str, Any] = serve(Models(script), page, version, lambda ask: ask(**command))
    return seen


def parts_of(seen: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [part for part in seen["message"]["parts"] if part["type"] == kind]


@versions
def test_text_is_read_byte_for_byte(page: Page, version: int) -> None:
    said = [{"id": "1", "role": "user", "parts": [{"type": "text", "text": SAID}]}]
    seen = serve(
        Models(EchoModel()), page, version, lambda ask: ask(messages=said, body={"model": "sim/echo"})
    )
    assert seen["error"] is None
    assert [part["text"] for part in parts_of(seen, "text")] == [SAID]
    assert seen["message"]["id"].startswith("msg_")
    assert seen["message"]["metadata"]["model"] == "sim/echo"
    assert seen["message"]["metadata"]["usage"]["outputTokens"] > 0


@versions
def test_reasoning_and_calls_whose_arguments_interleave(page: Page, version: int) -> None:
    chunks = list(scripted.EVERYTHING[1:])
    chunks[3] = BlockEnd(0, vendor=SIGNED)
    seen = answered(page, version, *chunks)
    assert seen["error"] is None
    (reasoning,) = parts_of(seen, "reasoning")
    assert (reasoning["text"], reasoning["state"]) == ("Let me think.", "done")
    assert reasoning["providerMetadata"] == {"anthropic": {"signature": "sig"}}
    (weather,), (time,) = parts_of(seen, "tool-weather"), parts_of(seen, "tool-time")
    assert (weather["toolCallId"], weather["state"]) == ("call_a", "input-available")
    assert (weather["input"], time["input"]) == ({"city": "Oslo"}, {})
    usage = seen["message"]["metadata"]["usage"]
    assert (usage["inputTokens"], usage["outputTokens"], usage["totalTokens"]) == (11, 7, 18)
    assert (
        usage["inputTokenDetails"]["cacheReadTokens"],
        usage["outputTokenDetails"]["reasoningTokens"],
    ) == (4, 2)
    assert seen["parts"][-1]["finishReason"] == "tool-calls"


@versions
def test_a_call_whose_arguments_are_no_json_is_a_call_that_failed(page: Page, version: int) -> None:
    call = (BlockStart(0, "tool-call", "c", "f"), ToolCallDelta(0, '{"a": cut'), BlockEnd(0))
    (part,) = parts_of(answered(page, version, *call, *END), "tool-f")
    assert (part["state"], part["input" if version > 6 else "rawInput"]) == ("output-error", '{"a": cut')
    assert "no JSON" in part["errorText"]


@versions
def test_sources_and_images(page: Page, version: int) -> None:
    seen = answered(
        page, version, BlockStart(0, "text"), TextDelta(0, "x"), Citation(0, "https://x", "X"),
        Citation(0, "https://y"), BlockEnd(0), BlockStart(1, "image"), ImageDelta(1, b"png", "image/png"),
        BlockEnd(1), *END,
    )  # fmt: skip
    assert seen["error"] is None
    sources = [(part["sourceId"], part["url"], part.get("title")) for part in parts_of(seen, "source-url")]
    assert sources == [("source-1", "https://x", "X"), ("source-2", "https://y", None)]
    (image,) = parts_of(seen, "file")
    assert (image["mediaType"], image["url"]) == ("image/png", "data:image/png;base64,cG5n")


@versions
def test_a_failure_before_the_first_byte_is_a_status(page: Page, version: int) -> None:
    async def ask_for(ask: Ask) -> list[dict[str, Any]]:
        wrong = {"model": "m", "tools": {"f": {"inputSchema": 5}}}
        return [await ask(body={"model": "nobody/x"}), await ask(body=wrong), await ask(body={"model": "m"})]

    failed = Failure.of(Unavailable("gone", http_status=503))
    seen = serve(Models(ScriptModel([Start(), failed])), page, version, ask_for)
    if version > 6:
        assert [one["error"]["status"] for one in seen] == [404, 400, 503]
    told = [json.loads(one["error"]["message"])["error"] for one in seen]
    assert [one["code"] for one in told] == [UnknownModel("").code, "invalid_request", failed.code]
    assert "nobody/x" in told[0]["message"]
    assert told[1]["message"].startswith("tools.f.inputSchema: ")
    assert all(one["message"] is None and one["parts"] == [] for one in seen)


@versions
def test_a_failure_in_mid_stream_is_an_error_of_the_page(page: Page, version: int) -> None:
    failed = Failure.of(Unavailable("the provider went away"))
    seen = answered(page, version, BlockStart(0, "text"), TextDelta(0, "Hel"), failed)
    assert seen["error"] == {"name": "Error", "message": "the provider went away", "status": None}
    assert [part["text"] for part in parts_of(seen, "text")] == ["Hel"]


@versions
def test_a_page_that_aborts_cancels_the_model(page: Page, version: int) -> None:
    model = HandModel()

    async def main(ask: Ask) -> dict[str, Any]:
        # start, start-step, text-start, text-delta: the page has seen the text when it aborts
        asking = asyncio.ensure_future(ask(abortAfter=4))
        source = await model.source()
        source.push(*BEGIN, TextDelta(0, "Hel"))
        async with asyncio.timeout(30):
            await source.was_cancelled.wait()
        return await asking

    seen = serve(Models(model), page, version, main)
    assert seen["error"]["name"] == "AbortError"
    assert len(seen["parts"]) == 4


@versions
def test_a_page_that_is_loaded_again_has_its_answer_and_may_stop_it(page: Page, version: int) -> None:
    model = HandModel()
    detached = {"x-headrace-on-disconnect": "detach"}

    async def main() -> dict[str, Any]:
        async with running_server(Models(model)) as server:

            def ask(**command: Any) -> asyncio.Future[dict[str, Any]]:
                command = {"version": version, "url": server.url + PATH, "headers": detached, **command}
                return asyncio.ensure_future(asyncio.to_thread(page.ask, "read", **command))

            leaving = ask(messages=HI, abortAfter=4)
            source = await model.source()
            source.push(*BEGIN, TextDelta(0, "Hel"))
            assert (await leaving)["error"]["name"] == "AbortError"
            assert not source.was_cancelled.is_set()
            back = ask(reconnect=True, deleteAfter=4)
            seen = await back
            assert source.was_cancelled.is_set()
            assert (await ask(reconnect=True))["none"]
            return seen

    seen = asyncio.run(main())
    assert [part["text"] for part in parts_of(seen, "text")] == ["Hel"]
    assert seen["error"] is None
    assert seen["parts"][-1] == {"type": "abort", "reason": "it was stopped on request"}


@versions
def test_an_object_grows_as_its_json_arrives(page: Page, version: int) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "array"}}}
    pieces = ('{"city": "Os', 'lo", "days"', ": [1, ", "2]}")
    script = ScriptModel(scripted.text_reply(*pieces))
    asked = {"responseFormat": {"type": "json", "name": "trip", "schema": schema}}
    seen = serve(Models(script), page, version, lambda ask: ask(body=asked, objects=True))
    assert script.requests[0].response_format == ResponseFormat("json_schema", "trip", schema)
    values = [one["value"] for one in seen["objects"] if "value" in one]
    assert {"city": "Os"} in values
    assert {"city": "Oslo", "days": [1]} in values
    assert seen["objects"][-1] == {"state": "successful-parse", "value": {"city": "Oslo", "days": [1, 2]}}


@versions
def test_a_page_runs_the_tools_that_any_model_calls(page: Page, version: int) -> None:
    first: list[Chunk] = [
        Start("a"), BlockStart(0, "reasoning"), ReasoningDelta(0, "Hm."), BlockEnd(0, vendor=SIGNED),
        BlockStart(1, "tool-call", "c", "weather"), ToolCallDelta(1, '{"city":"Oslo"}'), BlockEnd(1),
        CandidateEnd("tool_calls"), Finish("tool_calls"),
    ]  # fmt: skip
    script = ScriptModel(first, scripted.text_reply("It rains."))
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    asked = {"tools": {"weather": {"description": "The sky.", "inputSchema": schema}}}
    sky = {"weather": {"sky": "grey"}}

    def talk(ask: Ask) -> Awaitable[dict[str, Any]]:
        return ask("chat", text="And Oslo?", body=asked, outputs=sky, messages=[])

    seen = serve(Models(script), page, version, talk)
    assert (seen["status"], seen["error"]) == ("ready", None)
    assert [one["role"] for one in seen["messages"]] == ["user", "assistant"]
    assert [part["type"] for part in seen["messages"][1]["parts"]] == [
        "step-start", "reasoning", "tool-weather", "step-start", "text",
    ]  # fmt: skip
    assert [one["finishReason"] for one in seen["ends"]] == ["tool-calls", "stop"]
    begun, went_on = script.requests
    assert begun.tools == (Tool("weather", "The sky.", schema),)
    assert [one.role for one in went_on.messages] == ["user", "assistant", "tool"]
    assert went_on.messages[1].parts == (
        ReasoningPart("Hm.", SIGNED), ToolCallPart("c", "weather", '{"city":"Oslo"}'),
    )  # fmt: skip
    assert seen["messages"][1]["id"].startswith("msg_")
    (result,) = went_on.messages[2].parts
    assert isinstance(result, ToolResultPart)
    assert (result.id, result.text) == ("c", '{"sky":"grey"}')


def test_another_server_of_this_protocol_is_a_provider() -> None:
    """Headrace calls Headrace: what the model behind it keeps opaque arrives, and goes back."""
    chunks = list(scripted.EVERYTHING)
    chunks[4] = BlockEnd(0, vendor=SIGNED)
    script = ScriptModel(chunks, [Start(), Failure.of(Unavailable("busy", http_status=503))])

    async def main() -> tuple[Any, Any]:
        async with running_server(Models(script)) as server:
            model = provider_model(ProviderRow("app", "ui_messages", server.url + PATH), "m")
            asked = Request("app/m", (user("Hi"),))
            first = await GenerationStream(model.open(asked).source).reply()
            with pytest.raises(Unavailable, match="busy") as raised:
                await GenerationStream(model.open(asked).source).reply()
            return first, raised.value

    first, error = asyncio.run(main())
    told = fold(chunks)
    assert first.message.parts == told.message.parts
    assert first.usage == told.usage
    assert (first.finish_reason, first.id[:4]) == ("tool_calls", "msg_")
    assert script.requests[0].messages[0].parts == (TextPart("Hi"),)
    assert error.http_status == 503
