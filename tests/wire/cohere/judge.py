"""The official client as the judge: it reads our streams, its types read our bodies, and it sends its own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import cohere
import httpx
from cohere.types.assistant_message_response import AssistantMessageResponse
from cohere.v2.types.v2chat_response import V2ChatResponse
from tests.wire.judge import Judge
from tests.wire.recordings import Recording

from headrace.core.chunk import Chunk
from headrace.core.fold import fold
from headrace.core.message import ReasoningPart, TextPart, ToolCallPart
from headrace.core.reply import Reply
from headrace.wire.cohere import ChatDecoder, ChatEncoder


def client(body: bytes = b"", status: int = 200, asked: list[Any] | None = None) -> cohere.ClientV2:
    """The official client, answered with `body`. asked: the paths and bodies that it sends, as they come."""
    kind = "text/event-stream" if status == 200 and body[:1] != b"{" else "application/json"

    def answer(request: httpx.Request) -> httpx.Response:
        if asked is not None:
            asked.append((request.url.path, json.loads(request.content)))
        return httpx.Response(status, headers={"content-type": kind}, content=body)

    http = httpx.Client(transport=httpx.MockTransport(answer))
    return cohere.ClientV2(api_key="k", base_url="http://local", httpx_client=http)


def client_events(body: bytes) -> list[dict[str, Any]]:
    """The events that the official client gives for a stream, as plain data."""
    stream = client(body).chat_stream(model="m", messages=[{"role": "user", "content": "hi"}])
    return [_plain(event) for event in stream]


def client_answer(body: bytes) -> dict[str, Any]:
    """What the official client makes of a whole answer."""
    answer = client(body).chat(model="m", messages=[{"role": "user", "content": "hi"}])
    assert isinstance(answer, V2ChatResponse)
    assert isinstance(answer.message, AssistantMessageResponse)
    return _plain(answer)


def _plain(model: Any) -> dict[str, Any]:
    said: dict[str, Any] = model.model_dump(exclude_none=True, exclude_unset=True, warnings="error")
    return said


def fold_events(events: list[dict[str, Any]]) -> dict[str, Any]:
    """What events add up to, written down apart from the decoder: the client has no accumulator."""
    said: dict[str, Any] = {"id": "", "content": {}, "calls": {}, "plan": "", "citations": []}
    for event in events:
        message = (event.get("delta") or {}).get("message") or {}
        if event["type"] == "message-start":
            said["id"] = event.get("id", "")
        elif event["type"] == "message-end":
            said["end"] = event["delta"]
        elif "content" in message:
            _add(said["content"].setdefault(event["index"], {}), message["content"])
        elif "tool_calls" in message:
            call = message["tool_calls"]
            known = said["calls"].setdefault(event["index"], [call.get("id"), "", ""])
            known[1] += call["function"].get("name", "")
            known[2] += call["function"]["arguments"]
        elif "citations" in message:
            said["citations"].append(message["citations"])
        said["plan"] += message.get("tool_plan", "")
    return {**said, "content": list(said["content"].values()), "calls": list(said["calls"].values())}


def _add(content: dict[str, Any], piece: dict[str, str]) -> None:
    for name, value in piece.items():
        content[name] = content.get(name, "") + value


def theirs(events: list[dict[str, Any]]) -> dict[str, Any]:
    """What events add up to, arguments as values."""
    added = fold_events(events)
    calls = [[id, name, json.loads(arguments or "{}")] for id, name, arguments in added["calls"]]
    return {**added, "calls": calls}


def said(reply: Reply) -> dict[str, Any]:
    """The same of a reply."""
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


def _official(_recording: Recording, body: bytes) -> dict[str, Any]:
    return theirs(client_events(body))


def _said(_recording: Recording, chunks: Sequence[Chunk]) -> dict[str, Any]:
    return said(fold(chunks))


JUDGE = Judge(
    wire="cohere",
    by="a fold over the events of the official client (cohere)",
    decoder=ChatDecoder,
    encoder=ChatEncoder,
    official=_official,
    told=lambda _recording, told: told,
    said=_said,
    ends=lambda event: b"message-end" in event,
)
