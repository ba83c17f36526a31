"""A piece of text of any kind -> a delta of ours."""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.core.chunk import BlockKind, Chunk, Token
from headrace.core.opaque import Opaque
from headrace.wire.logprobs import token_bodies, tokens_in
from headrace.wire.openai_responses.pieces import Block, Fields, Pieces, Slot, say
from headrace.wire.openai_responses.schema import (
    WIRE_NAME,
    AnyDelta,
    ArgumentsDeltaBody,
    InputDeltaBody,
    RefusalDeltaBody,
    SummaryDeltaBody,
    TextDeltaBody,
    ThoughtDeltaBody,
)

_KINDS: dict[type[AnyDelta], tuple[BlockKind, Slot]] = {
    TextDeltaBody: ("text", "content"),
    RefusalDeltaBody: ("refusal", "content"),
    ThoughtDeltaBody: ("reasoning", "content"),
    SummaryDeltaBody: ("reasoning", "summary"),
    ArgumentsDeltaBody: ("tool-call", "input"),
    InputDeltaBody: ("tool-call", "input"),
}
_BODIES: dict[str, type[AnyDelta]] = {str(body.__struct_config__.tag): body for body in _KINDS}


def read_delta(body: AnyDelta, extra: Fields | None, pieces: Pieces, out: list[Chunk]) -> None:
    """Append what a delta says. extra: its fields that we do not know.

    Raises ValueError or msgspec.ValidationError where it breaks the wire, TooManyPieces.
    """
    kind, slot = _KINDS[type(body)]
    at = 0
    if isinstance(body, SummaryDeltaBody):
        at = body.summary_index
    elif isinstance(body, TextDeltaBody | RefusalDeltaBody | ThoughtDeltaBody):
        at = body.content_index
    block = _block(body, kind, slot, at, pieces, out)
    odd = dict(extra) if extra else {}
    if body.item_id != block.item_id:
        odd["item_id"] = body.item_id  # GitHub Copilot gives every event another
    tokens: tuple[Token, ...] = ()
    if isinstance(body, TextDeltaBody) and body.logprobs:
        tokens = tokens_in(body.logprobs)
        if token_bodies(tokens) != body.logprobs:
            odd["logprobs"] = body.logprobs
    say(block, body.delta, out, tokens, Opaque(WIRE_NAME, {"extra": odd}) if odd else None)


def _block(body: AnyDelta, kind: BlockKind, slot: Slot, at: int, pieces: Pieces, out: list[Chunk]) -> Block:
    """The block a delta belongs to; one that nothing announced is opened."""
    if body.output_index < 0 or at < 0:
        raise ValueError("an index is below 0")
    block = pieces.blocks.get((body.output_index, slot, at))
    if block is None or block.ended or block.kind != kind:
        block = pieces.open(pieces.item(body.output_index, body.item_id), kind, slot, at, out)
    return block


def read_odd_delta(event: Fields, pieces: Pieces, out: list[Chunk]) -> bool:
    """A delta with fields that we do not know, or of odd types. False where it is none of ours."""
    struct = _BODIES.get(event["type"])
    if struct is None:
        return False
    known: Fields = {"item_id": "", "output_index": 0}
    extra: Fields = {}
    for name, value in event.items():
        (known if name in _FIELDS[struct] else extra)[name] = value
    extra.pop("type", None)
    body: AnyDelta = msgspec.convert({**known, "type": event["type"]}, struct, strict=False)
    read_delta(body, extra, pieces, out)
    return True


_FIELDS: dict[Any, frozenset[str]] = {
    struct: frozenset(struct.__struct_encode_fields__) for struct in _BODIES.values()
}
