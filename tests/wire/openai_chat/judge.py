"""The official client's own accumulator as the judge of answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from openai._models import construct_type
from openai._streaming import SSEDecoder
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletionChunk
from tests.wire.judge import Judge, spoken
from tests.wire.recordings import Recording

from headrace.core.fold import fold
from headrace.core.reply import Reply
from headrace.wire.openai_chat import ChatDecoder, ChatEncoder


class Said(NamedTuple):
    """What a stream adds up to, as far as all sides can tell it."""

    text: str
    refusal: str
    reasoning: str
    tool_calls: list[tuple[str, str, str]]
    finish_reason: str | None
    prompt_tokens: int | None
    completion_tokens: int | None
    total_tokens: int | None


def sdk_chunks(body: bytes) -> Iterator[Any]:
    """The chunks as the official client makes them of the bytes of an answer."""
    for event in SSEDecoder().iter_bytes(iter([body])):
        if event.data.startswith("[DONE]"):
            return
        yield construct_type(type_=ChatCompletionChunk, value=event.json())


def sdk_said(body: bytes) -> Said:
    """What the official client's accumulator makes of an answer's bytes."""
    state: ChatCompletionStreamState[Any] = ChatCompletionStreamState()
    for chunk in sdk_chunks(body):
        state.handle_chunk(chunk)
    final = state.current_completion_snapshot
    message = final.choices[0].message
    calls = [(call.id, call.function.name, call.function.arguments) for call in message.tool_calls or ()]
    reasoning = getattr(message, "reasoning_content", None) or getattr(message, "reasoning", None)
    usage = final.usage
    return Said(
        text=message.content or "",
        refusal=message.refusal or "",
        reasoning=reasoning or "",
        tool_calls=calls,
        finish_reason=final.choices[0].finish_reason,
        prompt_tokens=usage.prompt_tokens if usage else None,
        completion_tokens=usage.completion_tokens if usage else None,
        total_tokens=usage.total_tokens if usage else None,
    )


def said(reply: Reply) -> tuple[Any, ...]:
    """The same fields as the judge's `Said`."""
    usage = reply.usage
    return (
        *spoken(reply),
        reply.candidates[0].raw_reason,
        usage and usage.input_tokens,
        usage and usage.output_tokens,
    )


def plain_fold(body: bytes) -> tuple[Any, ...]:
    """A fold for what the official accumulator cannot read: lists as content, calls without index."""
    text, reasoning, reason, usage = "", "", None, None
    calls: dict[str, list[str]] = {}
    for line in body.split(b"\n\n"):
        if not line.startswith(b"data: {"):
            continue
        event = json.loads(line[6:])
        usage = event.get("usage") or usage
        for choice in event["choices"]:
            delta = choice["delta"]
            reasoning += delta.get("reasoning") or ""
            content = delta.get("content") or ""
            for part in [{"type": "text", "text": content}] if isinstance(content, str) else content:
                text += part.get("text", "")
                reasoning += "".join(piece["text"] for piece in part.get("thinking", ()))
            for call in delta.get("tool_calls") or ():
                known = calls.setdefault(call["id"], [call["function"]["name"], ""])
                known[1] += call["function"]["arguments"]
            reason = choice.get("finish_reason") or reason
    assert usage is not None
    counts = (usage["prompt_tokens"], usage["completion_tokens"])
    return text, "", reasoning, [(id, *call) for id, call in calls.items()], reason, *counts


# Why a recording is not compared with the official accumulator: it is folded plainly instead.
ODD = {
    "json_lines/mistral/mistral-reasoning.jsonl": "content is a list: the accumulator raises",
    "json_lines/mistral/mistral-tool-call.jsonl": "no index: the accumulator raises",
    "json_lines/cerebras/": "two replies, both index 0: the accumulator glues ids and names",
}


def official(recording: Recording, body: bytes) -> tuple[Any, ...]:
    """What the client makes of a recording, or of what we made of it."""
    if body is recording.body and recording.name.startswith(tuple(ODD)):
        return plain_fold(body)
    return tuple(sdk_said(body))[:7]


JUDGE = Judge(
    wire="openai_chat",
    by="the accumulator of the official client (openai)",
    decoder=ChatDecoder,
    encoder=lambda: ChatEncoder(include_usage=True),
    official=official,
    told=lambda _recording, told: told,
    said=lambda _recording, chunks: said(fold(chunks)),
    ends=lambda event: b'"finish_reason":"' in event.replace(b" ", b""),
)
