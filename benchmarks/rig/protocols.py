"""The protocols that the upstream plays and the load reads: a row each, told from the request's path."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

WORDS = ("the ", "stream ", "runs ", "down ", "to ", "the ", "mill, ", "wheel ", "by ", "wheel. ")
PROMPT = "Tell me how the stream drives the mill."
MESSAGES = [{"role": "user", "content": PROMPT}]


def words(count: int) -> list[str]:
    """The pieces of text of a reply."""
    return [WORDS[i % len(WORDS)] for i in range(count)]


@dataclass(frozen=True, slots=True)
class Played:
    """A whole reply as SSE events: before its text, a piece each, after it."""

    opening: list[bytes]
    pieces: list[bytes]
    ending: list[bytes]


@dataclass(slots=True)
class Answer:
    """What one answer held.

    done: the protocol's own end came, and nothing after it. garbled: how many events were not JSON.
    """

    status: int
    events: int = 0
    text: str = ""
    finish: str = ""
    output_tokens: int = 0
    error: dict[str, Any] | None = None
    done: bool = False
    garbled: int = 0
    pieces: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Protocol:
    """path: of its requests. first: bytes that stand before the first text of an answer, and not earlier.

    body: (model, whether usage is asked for) -> a streamed request. played: (pieces, whether usage was asked
    for) -> a reply. take: reads one event's JSON into the answer.
    """

    name: str
    path: str
    first: bytes
    body: Callable[[str, bool], dict[str, Any]]
    played: Callable[[int, bool], Played]
    take: Callable[[dict[str, Any], Answer], None]


def chunk(choices: list[dict[str, Any]], usage: dict[str, int] | None = None, *, asked: bool = True) -> bytes:
    """One OpenAI chat.completion.chunk as an SSE event."""
    body: dict[str, Any] = {
        "id": "chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG",
        "object": "chat.completion.chunk",
        "created": 1741570283,
        "model": "scripted",
        "service_tier": "default",
        "system_fingerprint": "fp_50cad350e4",
        "choices": choices,
    }
    if asked:
        body["usage"] = usage
    return b"data: " + _json(body) + b"\n\n"


def _json(body: dict[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def _named(type: str, **fields: Any) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (type.encode(), _json({"type": type, **fields}))


def _chat_body(model: str, include_usage: bool) -> dict[str, Any]:
    body: dict[str, Any] = {"model": model, "messages": MESSAGES, "stream": True}
    if include_usage:
        body["stream_options"] = {"include_usage": True}
    return body


def _chat_played(count: int, asked: bool) -> Played:
    def choice(delta: dict[str, Any], finish: str | None = None) -> bytes:
        row = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return chunk([row], asked=asked)

    ending = [choice({}, "stop")]
    if asked:
        usage = {"prompt_tokens": 12, "completion_tokens": count, "total_tokens": count + 12}
        ending.append(chunk([], usage))
    opening = [choice({"role": "assistant", "content": "", "refusal": None})]
    return Played(
        opening, [choice({"content": word}) for word in words(count)], [*ending, b"data: [DONE]\n\n"]
    )


def _chat_take(event: dict[str, Any], answer: Answer) -> None:
    if event.get("error") is not None:
        answer.error = event["error"]
    if event.get("usage"):
        answer.output_tokens = int(event["usage"].get("completion_tokens", 0))
    for choice in event.get("choices", ()):
        answer.pieces.append(choice["delta"].get("content") or "")
        answer.finish = choice.get("finish_reason") or answer.finish


def _messages_body(model: str, _: bool) -> dict[str, Any]:
    return {"model": model, "messages": MESSAGES, "max_tokens": 4096, "stream": True}


def _messages_played(count: int, _: bool) -> Played:
    message = {
        "id": "msg_01B9MHDbslfkBeAs8l4bebGd",
        "type": "message",
        "role": "assistant",
        "model": "scripted",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 12, "output_tokens": 1},
    }
    block = {"type": "text", "text": ""}
    opening = [
        _named("message_start", message=message),
        _named("content_block_start", index=0, content_block=block),
    ]
    pieces = [
        _named("content_block_delta", index=0, delta={"type": "text_delta", "text": word})
        for word in words(count)
    ]
    ended = {"stop_reason": "end_turn", "stop_sequence": None}
    ending = [
        _named("content_block_stop", index=0),
        _named("message_delta", delta=ended, usage={"output_tokens": count}),
        _named("message_stop"),
    ]
    return Played(opening, pieces, ending)


def _messages_take(event: dict[str, Any], answer: Answer) -> None:
    match event["type"]:
        case "content_block_delta":
            answer.pieces.append(event["delta"].get("text", ""))
        case "message_delta":
            answer.finish = "stop" if event["delta"]["stop_reason"] == "end_turn" else "?"
            answer.output_tokens = event["usage"]["output_tokens"]
        case "message_stop":
            answer.done = True
        case "error":
            answer.error = event["error"]


def _responses_body(model: str, _: bool) -> dict[str, Any]:
    return {"model": model, "input": PROMPT, "stream": True}


def _responses_played(count: int, _: bool) -> Played:
    numbers = iter(range(count + 8))

    def event(type: str, **fields: Any) -> bytes:
        return _named(f"response.{type}", **fields, sequence_number=next(numbers))

    whole = "".join(words(count))
    head = {"id": "resp_68b9", "object": "response", "created_at": 1741570283, "model": "scripted"}
    place = {"item_id": "msg_68b9", "output_index": 0, "content_index": 0}
    empty: dict[str, Any] = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    said = {**empty, "text": whole}
    item = {"id": "msg_68b9", "type": "message", "role": "assistant"}
    begun = {**item, "status": "in_progress", "content": []}
    ended = {**item, "status": "completed", "content": [said]}
    usage = {
        "input_tokens": 12,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": count,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": count + 12,
    }
    opening = [
        event("created", response={**head, "status": "in_progress", "output": [], "usage": None}),
        event("in_progress", response={**head, "status": "in_progress", "output": [], "usage": None}),
        event("output_item.added", output_index=0, item=begun),
        event("content_part.added", **place, part=empty),
    ]
    pieces = [event("output_text.delta", **place, delta=word, logprobs=[]) for word in words(count)]
    ending = [
        event("output_text.done", **place, text=whole, logprobs=[]),
        event("content_part.done", **place, part=said),
        event("output_item.done", output_index=0, item=ended),
        event("completed", response={**head, "status": "completed", "output": [ended], "usage": usage}),
    ]
    return Played(opening, pieces, ending)


def _responses_take(event: dict[str, Any], answer: Answer) -> None:
    match event["type"]:
        case "response.output_text.delta":
            answer.pieces.append(event["delta"])
        case "response.completed":
            answer.finish, answer.done = "stop", True
            answer.output_tokens = (event["response"].get("usage") or {}).get("output_tokens", 0)
        case "error":
            answer.error = event


CHAT = Protocol("openai_chat", "/v1/chat/completions", b'"content":"', _chat_body, _chat_played, _chat_take)
MESSAGES_WIRE = Protocol(
    "anthropic", "/v1/messages", b"text_delta", _messages_body, _messages_played, _messages_take
)
RESPONSES = Protocol(
    "openai_responses",
    "/v1/responses",
    b"response.output_text.delta",
    _responses_body,
    _responses_played,
    _responses_take,
)
PROTOCOLS = {one.name: one for one in (CHAT, MESSAGES_WIRE, RESPONSES)}
BY_PATH = {one.path: one for one in PROTOCOLS.values()}
