"""The official client as the judge of answers: a fold over the events that it gives."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import httpx
from google import genai
from google.genai import types
from tests.wire.judge import Judge

from headrace.core.chunk import BlockStart, Chunk
from headrace.core.fold import fold
from headrace.wire.gemini import GeminiDecoder, GeminiEncoder


class _Far:
    """The far end of the one official client there is: making one costs more than a test."""

    def __init__(self) -> None:
        self.answer = httpx.Response(500)
        self.asked: list[httpx.Request] = []
        transport = httpx.Client(transport=httpx.MockTransport(self.give))
        once = types.HttpRetryOptions(attempts=1)
        options = types.HttpOptions(httpx_client=transport, retry_options=once)
        self.client = genai.Client(api_key="not-a-key", http_options=options)

    def give(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self.answer


_far = cache(_Far)


class Official:
    """The official client, given `body` as the answer to whatever it asks. asked: its requests."""

    def __init__(
        self, body: bytes = b"{}", status: int = 200, content_type: str = "text/event-stream"
    ) -> None:
        self._answer = (status, body, {"content-type": content_type})
        self.asked: list[httpx.Request] = []

    @property
    def client(self) -> genai.Client:
        """The client, whose next request gets the answer."""
        far = _far()
        status, body, headers = self._answer
        far.answer, far.asked = httpx.Response(status, content=body, headers=headers), self.asked
        return far.client

    def stream(self) -> list[types.GenerateContentResponse]:
        """The events of a streamed answer, as the client gives them."""
        config = types.GenerateContentConfig(automatic_continuation=False)
        return list(
            self.client.models.generate_content_stream(model="gemini-x", contents="hi", config=config)
        )

    def whole(self) -> types.GenerateContentResponse:
        """An answer that is not streamed."""
        config = types.GenerateContentConfig(automatic_continuation=False)
        return self.client.models.generate_content(model="gemini-x", contents="hi", config=config)

    def history(self) -> list[types.Content]:
        """What the client's chat remembers of the answer: it keeps each event's content as it came."""
        chat = self.client.chats.create(model="gemini-x")
        for _ in chat.send_message_stream("hi"):
            pass
        return chat.get_history(curated=True)[1:]


class Said(NamedTuple):
    """What an answer adds up to."""

    text: str
    reasoning: str
    calls: list[tuple[str, Any]]
    signatures: list[bytes]
    finish_reason: str
    counts: tuple[int, int, int, int]


def _put(into: Any, path: str, value: Any) -> None:
    """Set `value` in a tree at a path such as $.a[0].b; strings grow."""
    names = path.removeprefix("$.").replace("[", ".[").split(".")
    steps: list[Any] = [int(name[1:-1]) if name.startswith("[") else name for name in names]
    for step, following in pairwise(steps):
        if isinstance(into, list) and len(into) == step:
            into.append([] if isinstance(following, int) else {})
        elif isinstance(into, dict) and step not in into:
            into[step] = [] if isinstance(following, int) else {}
        into = into[step]
    last = steps[-1]
    if isinstance(into, list) and len(into) == last:
        into.append(value)
    elif isinstance(value, str):
        into[last] = (into[last] if isinstance(into, list) else into.get(last, "")) + value
    else:
        into[last] = value


def _call(part: types.FunctionCall, calls: list[tuple[str, Any]]) -> None:
    if part.name:
        calls.append((part.name, part.args or {}))
    for piece in part.partial_args or ():
        value = piece.string_value if piece.string_value is not None else piece.number_value
        _put(calls[-1][1], piece.json_path or "", value)


def said_by(responses: list[types.GenerateContentResponse]) -> Said:
    """A plain fold over the events as the official client reads them: it has no accumulator of its own."""
    text, reasoning, reason = "", "", ""
    calls: list[tuple[str, Any]] = []
    signatures: list[bytes] = []
    counts = (0, 0, 0, 0)
    for response in responses:
        usage = response.usage_metadata
        if usage is not None and usage.total_token_count:
            counts = (
                usage.prompt_token_count or 0,
                usage.candidates_token_count or 0,
                usage.thoughts_token_count or 0,
                usage.total_token_count,
            )
        for candidate in response.candidates or ():
            reason = candidate.finish_reason.value if candidate.finish_reason else reason
            parts = (candidate.content.parts if candidate.content else None) or ()
            for part in parts:
                if part.thought_signature:
                    signatures.append(part.thought_signature)
                if part.function_call is not None:
                    _call(part.function_call, calls)
                elif part.text and part.thought:
                    reasoning += part.text
                elif part.text:
                    text += part.text
    return Said(text, reasoning, calls, signatures, reason, counts)


def said(chunks: Sequence[Chunk]) -> tuple[Any, ...]:
    """The same fields as `Said`, of our chunks."""
    reply = fold(chunks)
    usage = reply.usage
    assert usage is not None
    answer, thoughts = usage.output_tokens - usage.reasoning_tokens, usage.reasoning_tokens
    assert usage.vendor is not None
    used_by_tools = usage.vendor.data.get("toolUsePromptTokenCount", 0)
    starts = [one.vendor.data for one in chunks if isinstance(one, BlockStart) and one.vendor]
    return (
        reply.text,
        reply.reasoning,
        [(call.name, json.loads(call.arguments)) for call in reply.tool_calls],
        [b64decode(start["thoughtSignature"]) for start in starts if "thoughtSignature" in start],
        reply.candidates[0].raw_reason,
        (usage.input_tokens - used_by_tools, answer, thoughts, usage.total_tokens),
    )


class Heard(NamedTuple):
    """What the client makes of a stream: what it says, and what its chat remembers of it."""

    said: Said
    history: list[types.Content]


JUDGE = Judge(
    wire="gemini",
    by="a fold over the events of the official client (google-genai), and its chat's memory",
    decoder=GeminiDecoder,
    encoder=GeminiEncoder,
    official=lambda _recording, body: Heard(said_by(Official(body).stream()), Official(body).history()),
    told=lambda _recording, heard: tuple(heard.said),
    said=lambda _recording, chunks: said(chunks),
    ends=lambda event: b"finishReason" in event,
)
