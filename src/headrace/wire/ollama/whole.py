"""A whole reply as the JSON body of an answer that is not streamed."""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.core.chunk import answer_tokens
from headrace.core.reply import Candidate, Reply
from headrace.wire.base import Says
from headrace.wire.ollama.finish import reason_word
from headrace.wire.ollama.logprobs import token_bodies
from headrace.wire.ollama.schema import WIRE_NAME
from headrace.wire.ollama.shape import Shape, call_body
from headrace.wire.ollama.usage import metrics_body
from headrace.wire.times import time_text

Fields = dict[str, Any]


def reply_body(reply: Reply, says: Says, shape: Shape) -> bytes:
    """The one line that says it all, for a reply that ended well; a failed one has `error_body` instead."""
    candidate = reply.candidates[0] if reply.candidates else Candidate()
    message: Fields = {"content": candidate.text + candidate.transcript + candidate.refusal}
    if candidate.reasoning:
        message["thinking"] = candidate.reasoning
    if candidate.tool_calls:
        message["tool_calls"] = [
            call_body(
                call.id,
                call.name,
                call.arguments,
                call.vendor.data if call.vendor is not None and call.vendor.wire == WIRE_NAME else None,
                place,
            )
            for place, call in enumerate(candidate.tool_calls)
        ]
    line: Fields = {
        "model": says.model or reply.model,
        "created_at": time_text(says.created_s or reply.created_s),
        **shape.piece(message),
    }
    if candidate.images:
        line.update(shape.image(candidate.images[0].data) or {})
        line.update(shape.piece(message))
    line["done"] = True
    line["done_reason"] = reason_word(candidate.finish_reason or "stop", candidate.raw_reason)
    for opaque in reply.vendor:
        if opaque.wire == WIRE_NAME and isinstance(opaque.data, dict):
            kept = {**opaque.data.get("line", {}), **opaque.data.get("end", {})}
            line.update({name: value for name, value in kept.items() if name not in line})
    tokens = answer_tokens(candidate.tokens)
    if tokens:
        line["logprobs"] = token_bodies(tokens)
    return msgspec.json.encode({**line, **metrics_body(reply.usage)})
