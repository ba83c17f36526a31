"""A whole reply as the JSON body of an answer that is not streamed."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import msgspec

from headrace.core.chunk import answer_tokens
from headrace.core.message import ReasoningPart
from headrace.core.reply import Candidate, Reply
from headrace.wire.cited import placed_all
from headrace.wire.logprobs import token_bodies
from headrace.wire.openai_chat.delta_bodies import annotation_body, call_body, image_body
from headrace.wire.openai_chat.details import call_extra, reasoning_detail
from headrace.wire.openai_chat.finish import reason_word
from headrace.wire.openai_chat.schema import WIRE_NAME
from headrace.wire.openai_chat.sources import DERIVED
from headrace.wire.openai_chat.usage import usage_body

Fields = dict[str, Any]


def completion_body(reply: Reply, *, id: str = "", model: str = "", created_s: int = 0) -> bytes:
    """The `chat.completion` object for a reply that ended well; a failed one has `error_body` instead.

    id, model, created_s (Unix seconds): what the body says; what is empty is the reply's own.
    """
    body: Fields = {
        "id": id or reply.id,
        "object": "chat.completion",
        "created": created_s or reply.created_s,
        "model": model or reply.model,
        "choices": [_choice(index, candidate) for index, candidate in enumerate(reply.candidates)],
    }
    if reply.usage is not None:
        body["usage"] = usage_body(reply.usage)
    for opaque in reply.vendor:
        if opaque.wire == WIRE_NAME and isinstance(opaque.data, dict):
            body.update({name: value for name, value in opaque.data.items() if name not in body})
    return msgspec.json.encode(body)


def _choice(index: int, candidate: Candidate) -> Fields:
    logprobs: Fields | None = None
    if candidate.tokens or candidate.refusal_tokens:
        logprobs = {
            "content": token_bodies(answer_tokens(candidate.tokens), ids=True) or None,
            "refusal": token_bodies(answer_tokens(candidate.refusal_tokens), ids=True) or None,
        }
    return {
        "index": index,
        "message": _message(candidate),
        "logprobs": logprobs,
        "finish_reason": reason_word(candidate.finish_reason or "stop", candidate.raw_reason),
    }


def _message(candidate: Candidate) -> Fields:
    silent = bool(candidate.tool_calls or candidate.refusal or candidate.audio)
    message: Fields = {
        "role": "assistant",
        "content": candidate.text or (None if silent else ""),
        "refusal": candidate.refusal or None,
    }
    if candidate.reasoning:
        message["reasoning_content"] = candidate.reasoning
    details = _details(candidate)
    if details:
        message["reasoning_details"] = [{"index": place, **one} for place, one in enumerate(details)]
    calls: list[Fields] = []
    for place, call in enumerate(candidate.tool_calls):
        own = call.vendor.data if call.vendor is not None and call.vendor.wire == WIRE_NAME else {}
        if own.get("field") == "function_call":
            message["function_call"] = {"name": call.name, "arguments": call.arguments}
        else:
            body = call_body(call.id or f"call_{place}", call.name, call.arguments, own)
            calls.append({**body, **call_extra(call.vendor)})
    if calls:
        message["tool_calls"] = calls
    placed = placed_all(candidate.citations, candidate.parts)
    cited = [annotation_body(one) for one in placed if one.vendor != DERIVED]
    if cited:
        message["annotations"] = cited
    if candidate.audio is not None:
        sound = b64encode(candidate.audio.data).decode()
        message["audio"] = {"id": "audio_0", "data": sound, "transcript": candidate.transcript}
    if candidate.images:
        message["images"] = [image_body(one.data, one.format) for one in candidate.images]
    return message


def _details(candidate: Candidate) -> list[Fields]:
    details: list[Fields] = []
    begin = 0
    for part in candidate.parts:
        if isinstance(part, ReasoningPart):
            detail = reasoning_detail(part.vendor, begin, len(part.text))
            details += [detail] if detail is not None else []
            begin += len(part.text)
    return details
