"""A run against providers of each wire: what leaves in the second step is in the vendor's own shape."""

from __future__ import annotations

import asyncio
import json
from typing import Any, NamedTuple

import pytest
from tests.wire.openai_responses import events as responses

import headrace
from headrace.config import ProviderSettings
from headrace.core.chunk import Start, ToolResult
from headrace.testing.loopback import Peer, loopback

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"


def events(*bodies: Any, named: bool = False, done: bool = False) -> bytes:
    """Events of a stream; `named` puts each body's type on its event line."""
    out = [(f"event: {body['type']}\n" if named else "") + f"data: {json.dumps(body)}\n\n" for body in bodies]
    return "".join([*out, *(["data: [DONE]\n\n"] if done else [])]).encode()


def chat(*choices: dict[str, Any]) -> bytes:
    frame = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
    frames = [{**frame, "choices": [{"index": 0, "finish_reason": None, **one}]} for one in choices]
    return events(*frames, {**frame, "choices": [], "usage": usage}, done=True)


def chat_call(index: int, id: str, name: str, arguments: str) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"delta": {"tool_calls": [{"index": index, "id": id, "type": "function", "function": function}]}}


def message(*blocks: tuple[dict[str, Any], list[dict[str, Any]]], reason: str) -> bytes:
    start = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": []}
    start |= {"stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 5, "output_tokens": 1}}
    bodies: list[dict[str, Any]] = [{"type": "message_start", "message": start}]
    for index, (block, deltas) in enumerate(blocks):
        bodies.append({"type": "content_block_start", "index": index, "content_block": block})
        bodies += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        bodies.append({"type": "content_block_stop", "index": index})
    ended = {"stop_reason": reason, "stop_sequence": None}
    bodies.append({"type": "message_delta", "delta": ended, "usage": {"output_tokens": 2}})
    return events(*bodies, {"type": "message_stop"}, named=True)


def tool_use(id: str, name: str, arguments: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in ("", arguments)]
    return {"type": "tool_use", "id": id, "name": name, "input": {}}, deltas


def gemini(*parts: dict[str, Any]) -> bytes:
    content = {"role": "model", "parts": list(parts)}
    usage = {"promptTokenCount": 5, "candidatesTokenCount": 2, "totalTokenCount": 7}
    candidate = {"content": content, "finishReason": "STOP", "index": 0}
    return events({"candidates": [candidate], "usageMetadata": usage, "responseId": "r"})


def ollama(*messages: dict[str, Any]) -> bytes:
    line = {"model": "m", "created_at": "2026-01-01T00:00:00Z", "done": False}
    lines = [{**line, "message": {"role": "assistant", "content": "", **one}} for one in messages]
    last = {**line, "message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop"}
    last |= {"prompt_eval_count": 5, "eval_count": 2}
    return "".join(json.dumps(one) + "\n" for one in [*lines, last]).encode()


def response(*items: dict[str, Any]) -> bytes:
    """Items whole, as they stand in the last event, each told when it begins and when it ends."""
    usage = {**responses.USAGE, "input_tokens": 5, "output_tokens": 2, "total_tokens": 7}
    told = [responses.added(one, at) + responses.item_done(one, at) for at, one in enumerate(items)]
    return responses.CREATED + b"".join(told) + responses.completed(*items, usage=usage)


def function_call(id: str, name: str, arguments: str) -> dict[str, Any]:
    return {"id": f"fc_{id}", "type": "function_call", "call_id": id, "name": name, "arguments": arguments}


def page(*parts: dict[str, Any]) -> bytes:
    """An answer in one step, as servers of web pages write it."""
    usage = {"usage": {"inputTokens": 5, "outputTokens": 2}}
    last = [{"type": "finish-step"}, {"type": "finish", "messageMetadata": usage}]
    return events({"type": "start"}, {"type": "start-step"}, *parts, *last, done=True)


def page_text(text: str) -> list[dict[str, Any]]:
    pieces = ({"type": "text-start"}, {"type": "text-delta", "delta": text}, {"type": "text-end"})
    return [{**one, "id": "0"} for one in pieces]


def page_call(id: str, name: str, arguments: str) -> dict[str, Any]:
    return {
        "type": "tool-input-available",
        "toolCallId": id,
        "toolName": name,
        "input": json.loads(arguments),
    }


class Case(NamedTuple):
    """wire: of the provider. first, second: its answers. turns: what the second request adds."""

    wire: str
    first: bytes
    second: bytes
    under: str
    turns: list[dict[str, Any]]
    content_type: bytes = b"text/event-stream"


ADD, WARN = '{"a":1,"b":2}', '{"text":"no"}'
SIGNED = {"type": "thinking", "thinking": "hm", "signature": "sig=="}
# A block that only its own vendor knows.
SEARCHED = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
ENCRYPTED = {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "gAAA"}
CASES = [
    Case(
        "openai_chat",
        chat(
            {"delta": {"role": "assistant", "content": "So."}},
            chat_call(0, "call_1", "add", ADD),
            chat_call(1, "call_2", "warn", WARN),
            {"delta": {}, "finish_reason": "tool_calls"},
        ),
        chat({"delta": {"content": "It is 3."}}, {"delta": {}, "finish_reason": "stop"}),
        "messages",
        [
            {
                "role": "assistant",
                "content": "So.",
                "tool_calls": [
                    {"id": "call_1", "type": "function", "function": {"name": "add", "arguments": ADD}},
                    {"id": "call_2", "type": "function", "function": {"name": "warn", "arguments": WARN}},
                ],
            },
            {"role": "tool", "tool_call_id": "call_1", "content": "3"},
            {"role": "tool", "tool_call_id": "call_2", "content": "ValueError: no"},
        ],
    ),
    Case(
        "anthropic",
        message(
            (
                {"type": "thinking", "thinking": "", "signature": ""},
                [
                    {"type": "thinking_delta", "thinking": "hm"},
                    {"type": "signature_delta", "signature": "sig=="},
                ],
            ),
            (SEARCHED, []),
            ({"type": "text", "text": ""}, [{"type": "text_delta", "text": "So."}]),
            tool_use("toolu_1", "add", ADD),
            tool_use("toolu_2", "warn", WARN),
            reason="tool_use",
        ),
        message(
            ({"type": "text", "text": ""}, [{"type": "text_delta", "text": "It is 3."}]), reason="end_turn"
        ),
        "messages",
        [
            {
                "role": "assistant",
                "content": [
                    SIGNED,
                    SEARCHED,
                    {"type": "text", "text": "So."},
                    {"type": "tool_use", "id": "toolu_1", "name": "add", "input": json.loads(ADD)},
                    {"type": "tool_use", "id": "toolu_2", "name": "warn", "input": json.loads(WARN)},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "toolu_1", "content": "3"},
                    {
                        "type": "tool_result",
                        "tool_use_id": "toolu_2",
                        "content": "ValueError: no",
                        "is_error": True,
                    },
                ],
            },
        ],
    ),
    Case(
        "openai_responses",
        response(ENCRYPTED, function_call("call_1", "add", ADD), function_call("call_2", "warn", WARN)),
        response(responses.message("It is 3.")),
        "input",
        [
            ENCRYPTED,
            function_call("call_1", "add", ADD),
            function_call("call_2", "warn", WARN),
            {"type": "function_call_output", "call_id": "call_1", "output": "3"},
            {"type": "function_call_output", "call_id": "call_2", "output": "ValueError: no"},
        ],
    ),
    Case(
        "gemini",
        gemini(
            {"text": "So."},
            {
                "functionCall": {"id": "f1", "name": "add", "args": json.loads(ADD)},
                "thoughtSignature": "c2ln",
            },
            {"functionCall": {"id": "f2", "name": "warn", "args": json.loads(WARN)}},
        ),
        gemini({"text": "It is 3."}),
        "contents",
        [
            {
                "role": "model",
                "parts": [
                    {"text": "So."},
                    {
                        "functionCall": {"id": "f1", "name": "add", "args": json.loads(ADD)},
                        "thoughtSignature": "c2ln",
                    },
                    {"functionCall": {"id": "f2", "name": "warn", "args": json.loads(WARN)}},
                ],
            },
            {
                "role": "user",
                "parts": [
                    {"functionResponse": {"id": "f1", "name": "add", "response": {"output": "3"}}},
                    {
                        "functionResponse": {
                            "id": "f2",
                            "name": "warn",
                            "response": {"error": "ValueError: no"},
                        }
                    },
                ],
            },
        ],
    ),
    Case(
        "ollama",
        ollama(
            {"content": "So."},
            {"tool_calls": [{"function": {"name": "add", "arguments": json.loads(ADD)}}]},
            {"tool_calls": [{"function": {"name": "warn", "arguments": json.loads(WARN)}}]},
        ),
        ollama({"content": "It is 3."}),
        "messages",
        [
            {
                "role": "assistant",
                "content": "So.",
                "tool_calls": [
                    {"id": "call_1", "function": {"name": "add", "arguments": json.loads(ADD)}},
                    {"id": "call_2", "function": {"name": "warn", "arguments": json.loads(WARN)}},
                ],
            },
            {"role": "tool", "content": "3", "tool_name": "add", "tool_call_id": "call_1"},
            {"role": "tool", "content": "ValueError: no", "tool_name": "warn", "tool_call_id": "call_2"},
        ],
        b"application/x-ndjson",
    ),
    Case(
        "ui_messages",
        page(*page_text("So."), page_call("call_1", "add", ADD), page_call("call_2", "warn", WARN)),
        page(*page_text("It is 3.")),
        "messages",
        [
            {
                "id": "message-1",
                "role": "assistant",
                "parts": [
                    {"type": "text", "text": "So."},
                    {
                        "type": "tool-add",
                        "toolCallId": "call_1",
                        "state": "output-available",
                        "input": json.loads(ADD),
                        "output": "3",
                    },
                    {
                        "type": "tool-warn",
                        "toolCallId": "call_2",
                        "state": "output-error",
                        "input": json.loads(WARN),
                        "errorText": "ValueError: no",
                    },
                ],
            }
        ],
    ),
]


def add(a: int, b: int) -> int:
    """Adds."""
    return a + b


async def warn(text: str) -> str:
    """Raises."""
    raise ValueError(text)


@pytest.mark.parametrize("case", CASES, ids=[case.wire for case in CASES])
def test_the_second_step_speaks_the_vendors_language(case: Case) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        body = case.first if len(peer.server.requests) == 1 else case.second
        peer.write(HEAD.replace(b"text/event-stream", case.content_type) + body)

    async def main() -> None:
        async with loopback(script) as server:
            provider = ProviderSettings(wire=case.wire, base_url=server.url, auth="none")
            settings = headrace.Settings(providers={"up": provider})
            async with headrace.Runtime(settings) as runtime:
                run = headrace.run_tools("up/m", "1 + 2?", tools=[add, warn], runtime=runtime, max_tokens=99)
                chunks = [chunk async for chunk in run.chunks]
                assert run.text == "It is 3."
                results = [(one.output, one.is_error) for one in chunks if isinstance(one, ToolResult)]
                assert results == [("3", False), ("ValueError: no", True)]
                assert [type(one) for one in chunks].count(Start) == 2
                assert run.response.usage is not None
                assert (run.response.usage.input_tokens, run.response.usage.output_tokens) == (10, 4)
        first, second = (json.loads(body) for _, body in server.requests)
        asked = len(first[case.under])
        assert second[case.under][:asked] == first[case.under]
        assert second[case.under][asked:] == case.turns
        assert second["tools"] == first["tools"]

    asyncio.run(main())
