"""A whole reply as the JSON body of an answer that is not streamed."""

from __future__ import annotations

import msgspec

from headrace.core.chunk import answer_tokens
from headrace.core.message import OpaquePart, Part, ReasoningPart, RefusalPart, TextPart, ToolCallPart
from headrace.core.reply import Candidate, Reply
from headrace.wire.answer_text import AnswerText
from headrace.wire.cited import placed_all
from headrace.wire.gemini.bodies import (
    call_part,
    data_part,
    extras,
    grounding_body,
    malformed,
    merge,
)
from headrace.wire.gemini.finish import reason_word, refusal_word
from headrace.wire.gemini.logprobs import logprobs_body
from headrace.wire.gemini.schema import MORE, Fields, own
from headrace.wire.gemini.thoughts import signature_for
from headrace.wire.gemini.usage import usage_body
from headrace.wire.sound import media_type_of


def response_body(reply: Reply, *, id: str = "", model: str = "") -> bytes:
    """The `GenerateContentResponse` for a reply that ended well; a failed one has `error_body` instead.

    id, model: what the body says; what is empty is the reply's own.
    """
    candidates = [_candidate(one) for one in reply.candidates]
    body: Fields = {"candidates": candidates}
    for opaque in reply.vendor:
        kept = own(opaque)
        for more in kept.get("candidates", ()):
            index = more.get("index", 0)
            if index < len(candidates):
                merge(candidates[index], more)
        body.update({name: value for name, value in kept.items() if name not in ("candidates", MORE)})
    for index, candidate in enumerate(candidates):
        candidate["index"] = index
        candidate["content"]["parts"] = candidate["content"]["parts"] or [{"text": ""}]
    if reply.usage is not None:
        body["usageMetadata"] = usage_body(reply.usage)
    body["modelVersion"] = model or reply.model
    body["responseId"] = id or reply.id
    return msgspec.json.encode(body)


def _candidate(candidate: Candidate) -> Fields:
    parts: list[Fields] = []
    said = ""
    for one in candidate.parts:
        part = _part(one)
        if part is not None:
            parts.append(part)
        elif isinstance(one, ToolCallPart):
            said = malformed(one.name, one.arguments)
    parts += [data_part(image.data, image.format or "image/png", {}) for image in candidate.images]
    if candidate.audio is not None:
        sound = candidate.audio
        parts.append(
            data_part(sound.data, media_type_of(sound.format, sound.sample_rate_hz, sound.channels), {})
        )
    if candidate.transcript:
        parts.append({"audioTranscription": {"text": candidate.transcript}})
    word = reason_word(candidate.finish_reason or "stop", candidate.raw_reason)
    if candidate.refusal:
        word = refusal_word(word)
    body: Fields = {"content": {"parts": parts, "role": "model"}}
    if said:
        word = "MALFORMED_FUNCTION_CALL" if word == "STOP" else word
        body["finishMessage"] = said
    body["finishReason"] = word
    tokens = answer_tokens(candidate.tokens)
    if tokens:
        body["logprobsResult"] = logprobs_body(tokens)
    answer = AnswerText()
    answer.add(candidate.text)
    grounding = grounding_body(placed_all(candidate.citations, candidate.parts), answer)
    if grounding is not None:
        body["groundingMetadata"] = grounding
    return body


def _part(part: Part) -> Fields | None:
    kept = own(part.vendor)
    match part:
        case TextPart() | RefusalPart():
            return {"text": part.text, **extras(kept)}
        case ReasoningPart():
            signature = signature_for(part.vendor, len(part.text))
            return {"text": part.text, "thought": True, **signature, **extras(kept)}
        case ToolCallPart():
            return call_part(part.id, part.name, part.arguments, _unpieced(kept))
        case OpaquePart():
            return kept.get("part")
        case _:
            return None


def _unpieced(kept: Fields) -> Fields:
    """What was kept of a call, less how it came in pieces: here it is whole."""
    return {name: value for name, value in kept.items() if name != "partial"}
