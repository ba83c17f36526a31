"""The events of content and calls that are read as plain data: beginnings, and pieces with more in them."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from headrace.core.chunk import Chunk, Token
from headrace.core.opaque import Opaque
from headrace.wire.cohere.blocks import Blocks
from headrace.wire.cohere.schema import WIRE_NAME, Content, Fields, opaque
from headrace.wire.cohere.tokens import tokens_from
from headrace.wire.failing import Misplaced
from headrace.wire.kept import Known, left_over

V = TypeVar("V")
_ITEM: Known = {"text": None, "token_ids": None, "logprobs": None}


def said(body: Fields, name: str, kind: type[V]) -> V:
    """What an event says of its message. Raises Misplaced where it is nothing of this kind."""
    delta = body.get("delta")
    message = delta.get("message") if isinstance(delta, dict) else None
    value = message.get(name) if isinstance(message, dict) else None
    if not isinstance(value, kind):
        raise Misplaced(f"a {body.get('type')} without its {name}")
    return value


def read_piece(
    kind: str, index: int, body: Fields, vendor: Opaque | None, blocks: Blocks, out: list[Chunk]
) -> None:
    """Read one event. vendor: its unknown fields. Raises Misplaced where it is not what it says."""
    match kind:
        case "content-start":
            content = said(body, "content", dict)
            _known(content)
            blocks.start_content(index, content, vendor, out)
        case "content-delta":
            _content(index, body, vendor, blocks, out)
        case "tool-call-start":
            call = said(body, "tool_calls", dict)
            function = call.get("function") or {}
            id, name = _text(call, "id"), _text(function, "name")
            blocks.start_call(index, id, name, _text(function, "arguments"), vendor, out)
        case "tool-call-delta":
            call = said(body, "tool_calls", dict)
            blocks.arguments(index, _text(call.get("function") or {}, "arguments"), out, vendor)


def _content(index: int, body: Fields, vendor: Opaque | None, blocks: Blocks, out: list[Chunk]) -> None:
    content = said(body, "content", dict)
    piece = _known(content)
    if blocks.is_opaque(index) or (piece.text is None and piece.thinking is None):
        own = {name: value for name, value in body.items() if name not in ("type", "index")}
        blocks.odd_content(index, content, Opaque(WIRE_NAME, own), out)
        return
    tokens: tuple[Token, ...] = ()
    if vendor is not None and "logprobs" in vendor.data:
        tokens, vendor = _tokens(vendor.data)
    blocks.content(index, piece, out, vendor, tokens)


def _tokens(own: Fields) -> tuple[tuple[Token, ...], Opaque | None]:
    """(the tokens of a piece, the unknown fields without them)."""
    item = own["logprobs"]
    tokens = tokens_from(item) if item is not None else ()
    if not tokens:
        return (), opaque(own)
    more = left_over(item, _ITEM)
    rest = {name: value for name, value in own.items() if name != "logprobs"}
    return tokens, opaque({**rest, "logprobs": more} if more else rest)


def _known(content: Fields) -> Content:
    """The known fields of a piece of content. Raises msgspec.ValidationError where they are no texts."""
    return msgspec.convert({name: content.get(name) for name in ("text", "thinking")}, Content)


def _text(body: Any, name: str) -> str:
    value = body.get(name) if isinstance(body, dict) else None
    if value is not None and not isinstance(value, str):
        raise Misplaced(f"a tool call whose {name} is no text")
    return value or ""
