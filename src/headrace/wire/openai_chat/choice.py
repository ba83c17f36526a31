"""One choice of a chunk -> chunks of our family."""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.core.chunk import Chunk, ReasoningDelta, RefusalDelta, TextDelta, Token, VendorPart
from headrace.core.opaque import Opaque
from headrace.wire.logprobs import tokens_from
from headrace.wire.openai_chat.candidate import Candidate
from headrace.wire.openai_chat.deltas import parts_of, read_annotations, read_audio, read_images, reasoning_in
from headrace.wire.openai_chat.extras import Extras
from headrace.wire.openai_chat.says import says
from headrace.wire.openai_chat.schema import WIRE_NAME, Choice, Delta, LogProbs, ToolCall

Fields = dict[str, Any]
_REASONING = Opaque(WIRE_NAME, {"field": "reasoning"})
_FUNCTION_CALL = {"field": "function_call"}


def plain_text(choice: Choice) -> str | None:
    """The choice's text where it says nothing else."""
    delta = choice.delta
    if (
        delta is None
        or choice.finish_reason is not None
        or choice.logprobs is not None
        or delta.reasoning_content is not None
        or delta.reasoning is not None
        or delta.tool_calls is not None
        or delta.refusal is not None
        or delta.reasoning_details is not None
        or delta.function_call is not None
        or delta.audio is not None
        or delta.annotations is not None
        or delta.images is not None
    ):
        return None
    content = delta.content
    return content if type(content) is str else None


def read_choice(choice: Choice, to: Candidate, at: int, extras: Extras | None, out: list[Chunk]) -> None:
    """Append what `choice`, at place `at` of its chunk, says. Raises ValueError or TooManyCalls."""
    delta = choice.delta
    odd = extras.choices.get(at) if extras is not None else None
    if delta is not None:
        if says(delta):
            to.speaks()
        left = _Left(odd, choice.logprobs)
        _read_said(delta, to, left, out)
        left.give(to, out)
        if _has_more(delta):
            _read_more(delta, to, at, extras, out)
    elif odd is not None:
        _Left(odd, None).give(to, out)
    if choice.finish_reason:
        native = choice.native_finish_reason
        vendor = Opaque(WIRE_NAME, {"native_finish_reason": native}) if native else None
        to.end(choice.finish_reason, out, vendor)
    to.in_text = to.speaking and to.kind == "text"


def _has_more(delta: Delta) -> bool:
    return (
        delta.tool_calls is not None
        or delta.audio is not None
        or delta.annotations is not None
        or delta.images is not None
        or delta.function_call is not None
    )


class _Left:
    """Unknown fields and log probabilities that still need a place: the first delta that fits."""

    __slots__ = ("logprobs", "odd")

    def __init__(self, odd: Fields | None, logprobs: LogProbs | None) -> None:
        self.odd: Fields = dict(odd) if odd else {}
        self.logprobs = logprobs

    def vendor(self) -> Opaque | None:
        odd, self.odd = self.odd, {}
        return Opaque(WIRE_NAME, odd) if odd else None

    def tokens(self, field: str = "content") -> tuple[Token, ...]:
        logprobs = self.logprobs
        if logprobs is None:
            return ()
        entries = getattr(logprobs, field)
        if entries:
            setattr(logprobs, field, None)
        return tokens_from(entries)

    def give(self, to: Candidate, out: list[Chunk]) -> None:
        """Whatever found no place goes on its own."""
        logprobs = self.logprobs
        if logprobs is not None and (logprobs.content or logprobs.refusal):
            self.odd["logprobs"] = msgspec.to_builtins(logprobs)
        if self.odd:
            out.append(VendorPart(Opaque(WIRE_NAME, {"choices": [{"index": to.index, **self.odd}]})))


def _read_said(delta: Delta, to: Candidate, left: _Left, out: list[Chunk]) -> None:
    """Reasoning, content and refusal, in this order."""
    _read_reasoning(delta, to, left, out)
    content = delta.content
    if isinstance(content, list):
        pieces, unknown = parts_of(content)
        if unknown:
            left.odd["delta"] = {**left.odd.get("delta", {}), "content_parts": unknown}
        for kind, text in pieces:
            if text:
                _say(kind, text, to, left, out)
    elif content:
        _say("text", content, to, left, out)
    elif left.logprobs is not None and left.logprobs.content and not delta.tool_calls and not delta.refusal:
        _say("text", "", to, left, out)  # a token that is only a part of a character
    if delta.refusal:
        block = to.turn_to("refusal", out)
        tokens = left.tokens("refusal")
        out.append(RefusalDelta(block, delta.refusal, tokens, to.index, left.vendor()))


def _say(kind: str, text: str, to: Candidate, left: _Left, out: list[Chunk]) -> None:
    if kind == "reasoning":
        block = to.turn_to("reasoning", out)
        out.append(ReasoningDelta(block, text, left.tokens(), to.index, left.vendor()))
    else:
        block = to.turn_to("text", out)
        out.append(TextDelta(block, text, left.tokens(), to.index, left.vendor()))


def _read_reasoning(delta: Delta, to: Candidate, left: _Left, out: list[Chunk]) -> None:
    text = delta.reasoning_content or delta.reasoning or ""
    details = delta.reasoning_details
    if details:
        left.odd["delta"] = {**left.odd.get("delta", {}), "reasoning_details": details}
        text = text or reasoning_in(details)
    if not text and not details:
        return
    named = _REASONING if delta.reasoning and not delta.reasoning_content else None
    block = to.turn_to("reasoning", out, named)
    tokens = () if delta.content else left.tokens()
    out.append(ReasoningDelta(block, text, tokens, to.index, left.vendor()))


def _read_more(delta: Delta, to: Candidate, at: int, extras: Extras | None, out: list[Chunk]) -> None:
    """Tool calls, sound, images, annotations."""
    calls = extras.calls if extras is not None else {}
    for place, piece in enumerate(delta.tool_calls or ()):
        to.call(piece, calls.get((at, place)), out)
    if delta.function_call is not None:
        to.call(ToolCall(index=-1, function=delta.function_call), dict(_FUNCTION_CALL), out)
    if delta.audio is not None:
        read_audio(delta.audio, to, out)
    if delta.images:
        unknown = read_images(delta.images, to, out)
        _Left({"delta": {"images": unknown}} if unknown else None, None).give(to, out)
    if delta.annotations:
        read_annotations(delta.annotations, to, out)
