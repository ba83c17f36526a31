"""The official client, unmodified, against what the encoder writes and the parser reads."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import openai
import pydantic
import pytest
from tests.wire.openai_responses.test_encode import CHAT

from headrace.core.chunk import BlockEnd, BlockStart, Chunk, Failure, Finish, Start, TextDelta
from headrace.core.fold import fold
from headrace.errors import RateLimited
from headrace.testing import stages
from headrace.wire.base import ParsedRequest, Says
from headrace.wire.openai_responses import WIRE

SAYS = Says("resp_9", "m", 9)


class Point(pydantic.BaseModel):
    """What the answer must be."""

    x: int
    y: int


def serve(chunks: list[Chunk], asked: list[ParsedRequest]) -> openai.OpenAI:
    """A client whose server is the wire's front over a scripted source."""
    front = WIRE.front
    assert front is not None

    def answer(request: httpx2.Request) -> httpx2.Response:
        parsed = front.parse(request.read(), {})
        asked.append(parsed)
        if parsed.stream:
            stream = b"".join(stages.run(front.encoder(SAYS, parsed), [chunks]))
            return httpx2.Response(200, headers={"content-type": front.content_type}, content=stream)
        reply = fold(chunks)
        if reply.failure is not None:
            return httpx2.Response(reply.failure.http_status, content=front.error_body(reply.failure))
        return httpx2.Response(200, json=json.loads(front.body(reply, SAYS, parsed)))

    transport = httpx2.MockTransport(answer)
    return openai.OpenAI(
        api_key="k", base_url="http://test", http_client=httpx2.Client(transport=transport), max_retries=0
    )


@pytest.fixture(name="asked")
def asked_fixture() -> list[ParsedRequest]:
    return []


def text(*pieces: str) -> list[Chunk]:
    deltas = [TextDelta(0, piece) for piece in pieces]
    return [Start("r", "m", 1), BlockStart(0, "text"), *deltas, BlockEnd(0), Finish()]


def test_text_and_tools_streamed_and_whole_are_the_same(asked: list[ParsedRequest]) -> None:
    tool: Any = {"type": "function", "name": "f", "parameters": {}, "strict": False}
    about: Any = {"model": "m", "input": "hi", "instructions": "be short", "tools": [tool]}
    with serve(CHAT, asked) as client:
        with client.responses.stream(**about) as stream:
            kinds = [event.type for event in stream]
            streamed = stream.get_final_response()
        whole = client.responses.create(**about)
    assert kinds.count("response.output_text.delta") == 2
    assert streamed.output_text == whole.output_text == 'Hello "\n\u2028é\U0001f600'
    assert [item.type for item in whole.output] == [item.type for item in streamed.output]
    assert [item.type for item in whole.output] == ["reasoning", "message", "function_call", "function_call"]
    assert asked[0].request == asked[1].request
    assert asked[0].request.tools[0].name == "f"


def test_structured_output_is_parsed_by_the_client(asked: list[ParsedRequest]) -> None:
    with (
        serve(text('{"x": 1', ', "y": 2}'), asked) as client,
        client.responses.stream(model="m", input="where?", text_format=Point) as stream,
    ):
        response = stream.get_final_response()
    assert response.output_parsed == Point(x=1, y=2)
    wanted = asked[0].request.response_format
    assert wanted is not None
    assert (wanted.kind, wanted.name, wanted.strict) == ("json_schema", "Point", True)


def test_the_answer_goes_back_as_input(asked: list[ParsedRequest]) -> None:
    with serve(CHAT, asked) as client:
        first = client.responses.create(model="m", input="hi")
        result: Any = {"type": "function_call_output", "call_id": "call_a", "output": "1"}
        client.responses.create(model="m", input=[*first.output, result])  # type: ignore[list-item]
    parts = asked[1].request.messages[0].parts
    assert [type(part).__name__ for part in parts] == [
        "ReasoningPart",
        "TextPart",
        "ToolCallPart",
        "ToolCallPart",
    ]
    assert asked[1].request.messages[1].role == "tool"


def test_a_failure_in_the_stream_raises_at_the_client(asked: list[ParsedRequest]) -> None:
    broken = Failure.of(RateLimited("slow down", code="tokens"))
    with serve([Start("r", "m", 1), BlockStart(0, "text"), TextDelta(0, "a"), broken], asked) as client:
        with pytest.raises(openai.APIError, match="slow down"):
            list(client.responses.create(model="m", input="hi", stream=True))
        with pytest.raises(openai.RateLimitError, match="slow down"):
            client.responses.create(model="m", input="hi")
