"""A whole reply as the JSON body of an answer that is not streamed."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from headrace.core.chunk import (
    BlockEnd,
    BlockKind,
    BlockStart,
    CandidateEnd,
    Chunk,
    Citation,
    Finish,
    ImageDelta,
    ReasoningDelta,
    RefusalDelta,
    Start,
    TextDelta,
    Token,
    ToolCallDelta,
    UsageReport,
    VendorPart,
    answer_tokens,
)
from headrace.core.message import OpaquePart, Part, ReasoningPart, RefusalPart, TextPart, ToolCallPart
from headrace.core.reply import Candidate, Reply
from headrace.wire.logprobs import token_bodies
from headrace.wire.openai_responses.encode import ResponsesEncoder
from headrace.wire.openai_responses.template import filled, own
from headrace.wire.openai_responses.usage import usage_body

Fields = dict[str, Any]

# The field that a text was taken out of -> the part of ours that holds it.
_FIELDS: dict[str, tuple[type[Part], ...]] = {
    "text": (TextPart, ReasoningPart),
    "refusal": (RefusalPart,),
    "arguments": (ToolCallPart,),
    "input": (ToolCallPart,),
}


def response_body(
    reply: Reply,
    *,
    id: str = "",
    model: str = "",
    created_s: int = 0,
    echo: Mapping[str, Any] | None = None,
    custom: frozenset[str] = frozenset(),
) -> bytes:
    """The `response` object for a reply that ended well; a failed one has `error_body` instead.

    id, model, created_s (Unix seconds): what the body says; what is empty is the reply's own. echo, custom:
    as the encoder takes them.
    """
    kept = _kept(reply)
    if kept is not None:
        named = {"id": id, "model": model}
        kept = {**kept, **{name: value for name, value in named.items() if value}}
        if reply.usage is not None:
            kept["usage"] = usage_body(reply.usage)
        return msgspec.json.encode(kept)
    encoder = ResponsesEncoder(id=id, model=model, created_s=created_s, echo=echo or {}, custom=custom)
    *_, last = encoder.feed(list(_chunks(reply)))
    data = last.partition(b"\ndata: ")[2]
    return bytes(msgspec.json.decode(data, type=_Last).response)


class _Last(msgspec.Struct):
    """The event that ends a stream."""

    response: msgspec.Raw


def _kept(reply: Reply) -> Fields | None:
    """The response as it came over this wire, with the reply's texts; None where they do not fit."""
    data = own(reply.terminal.vendor) if isinstance(reply.terminal, Finish) else {}
    if "event" not in data or len(reply.candidates) > 1:
        return None
    candidate = reply.candidates[0] if reply.candidates else Candidate()
    images = iter(candidate.images)

    def content(hole: Fields) -> Any:
        way, place = hole.get("as", "text"), hole["part"]
        if way == "base64":
            return b64encode(next(images).data).decode()
        if way == "logprobs":
            texts = sum(isinstance(part, TextPart) for part in candidate.parts)
            return token_bodies(candidate.tokens) if texts == 1 else []
        part = candidate.parts[place]
        if place < 0 or not isinstance(part, _FIELDS.get(hole["at"][-1], ())):
            raise LookupError
        return part.arguments if isinstance(part, ToolCallPart) else getattr(part, "text", "")

    try:
        response: Fields = filled(data, content)["response"]
    except (LookupError, StopIteration):
        return None
    return response


def _chunks(reply: Reply) -> Iterator[Chunk]:
    """The reply as the chunks it might have come in."""
    candidate = reply.candidates[0] if reply.candidates else Candidate()
    yield Start(reply.id, reply.model, reply.created_s)
    parts = list(candidate.parts)
    if candidate.transcript:
        parts.append(TextPart(candidate.transcript))  # sound has no item, but what it says can be read
    texts = [at for at, part in enumerate(parts) if isinstance(part, TextPart)]
    tokens = _tokens_of(
        [part for part in parts if isinstance(part, TextPart)], answer_tokens(candidate.tokens)
    )
    for number, part in enumerate(parts):
        if isinstance(part, OpaquePart):
            yield VendorPart(part.vendor)  # written where it came over this wire
            continue
        yield from _block(number, part, next(tokens) if isinstance(part, TextPart) else ())
        for one in candidate.citations:
            if number == (one.block if one.block in texts else max(texts, default=-1)):
                yield Citation(number, one.url, one.title, "", one.start, one.end)
        vendor = part.vendor if isinstance(part, ReasoningPart) else None
        yield BlockEnd(number, vendor=vendor if vendor is not None and not own(vendor) else None)
    for place, image in enumerate(candidate.images, len(parts)):
        yield BlockStart(place, "image")
        yield ImageDelta(place, image.data, image.format)
        yield BlockEnd(place)
    if reply.usage is not None:
        yield UsageReport(reply.usage)
    reason = candidate.finish_reason or "stop"
    yield CandidateEnd(reason, candidate.raw_reason)
    yield Finish(reason)


def _tokens_of(texts: Sequence[TextPart], tokens: tuple[Token, ...]) -> Iterator[tuple[Token, ...]]:
    """The tokens of each text; none where they are not those of the texts one behind the other."""
    if len(texts) == 1:
        yield tokens
        return
    begin = 0
    for part in texts:
        end, chars = begin, 0
        while end < len(tokens) and chars < len(part.text) and part.text.startswith(tokens[end].text, chars):
            chars += len(tokens[end].text)
            end += 1
        yield tokens[begin:end] if chars == len(part.text) else ()
        begin = end


def _block(number: int, part: Part, tokens: tuple[Token, ...]) -> Iterator[Chunk]:
    kinds: dict[type[Part], BlockKind] = {
        TextPart: "text",
        ReasoningPart: "reasoning",
        RefusalPart: "refusal",
        ToolCallPart: "tool-call",
    }
    id, name, vendor = (part.id, part.name, part.vendor) if isinstance(part, ToolCallPart) else ("", "", None)
    yield BlockStart(number, kinds[type(part)], id, name, 0, vendor if not own(vendor) else None)
    match part:
        case TextPart():
            yield TextDelta(number, part.text, tokens)
        case ReasoningPart():
            yield ReasoningDelta(number, part.text)
        case RefusalPart():
            yield RefusalDelta(number, part.text)
        case ToolCallPart():
            yield ToolCallDelta(number, part.arguments)
