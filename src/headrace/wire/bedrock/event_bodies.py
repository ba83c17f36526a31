"""The vendor's events of blocks, written from our chunks."""

from __future__ import annotations

from base64 import b64encode

from headrace.core.chunk import (
    BlockEnd,
    BlockKind,
    BlockStart,
    Citation,
    ImageDelta,
    ReasoningDelta,
    RefusalDelta,
    ToolCallDelta,
)
from headrace.wire.bedrock.schema import IMPLIED, STOP, Fields, own
from headrace.wire.kept import put_back
from headrace.wire.one_block import Delta

Named = tuple[str, Fields]

START, DELTA, END = "contentBlockStart", "contentBlockDelta", "contentBlockStop"
# Our kinds that have a place here, a refusal and a transcript as text; sound has none.
KINDS: frozenset[BlockKind] = frozenset({"text", "refusal", "transcript", "reasoning", "tool-call", "image"})
TEXTS: frozenset[BlockKind] = frozenset({"text", "refusal", "transcript"})


def begun(start: BlockStart, index: int) -> Named | None:
    """What begins a block; None for one that begins with its first piece: text, reasoning, and another wire's
    image, whose format is not known before it.
    """
    if start.kind == "tool-call":
        body: Fields = {"toolUse": {"toolUseId": call_id(start.id, index), "name": start.name}}
    elif start.kind == "image" and own(start.vendor):
        body = {}
    else:
        return None
    return START, put_back({"contentBlockIndex": index, "start": body}, own(start.vendor))


def image_begun(image: ImageDelta, index: int) -> Named:
    """The same for such an image."""
    start = {"image": {"format": image.media_type.removeprefix("image/") or "png"}}
    return START, {"contentBlockIndex": index, "start": start}


def call_id(id: str, index: int) -> str:
    """The id of a tool call; one is made where the source has none, as results refer to it."""
    return id or f"tooluse_{index}"


def piece(delta: Delta, index: int) -> Named | None:
    """What says a piece of a block; None where there is nothing to say."""
    extra = own(delta.vendor)
    body: Fields
    match delta:
        case ImageDelta():
            said, body = bool(delta.data), {"image": {"source": {"bytes": b64encode(delta.data).decode()}}}
        case ToolCallDelta() if delta.vendor == IMPLIED:
            said, body, extra = True, {"toolUse": {"input": ""}}, {}
        case ToolCallDelta():
            said, body = bool(delta.arguments), {"toolUse": {"input": delta.arguments}}
        case ReasoningDelta():
            said, body = bool(delta.reasoning), {"reasoningContent": {"text": delta.reasoning}}
        case RefusalDelta():
            said, body = bool(delta.refusal), {"text": delta.refusal}
        case _:
            said, body = bool(delta.text), {"text": delta.text}
    if not said and not extra:
        return None
    # A delta is one of its kinds: one that is not modelled stands alone.
    alone = not said and extra.get("delta", {}).keys() - body.keys()
    return _delta(index, {} if alone else body, extra)


def cited(source: Citation, index: int) -> Named | None:
    """A source of the open text; None for one of another wire's that says nothing."""
    body = own(source.vendor) or foreign_citation(source)
    return _delta(index, {"citation": body}, {}) if body else None


def foreign_citation(source: Citation) -> Fields:
    """Another wire's source in the vendor's words; empty where it has neither address nor title."""
    if not source.url and not source.title:
        return {}
    body: Fields = {"title": source.title} if source.title else {}
    if source.quote:
        body["sourceContent"] = [{"text": source.quote}]
    if source.url:
        body["location"] = {"web": {"url": source.url}}
    return body


def ended(end: BlockEnd, index: int) -> list[Named]:
    """What ends a block: what makes its reasoning valid for the next turn, and the end itself."""
    kept = own(end.vendor)
    last = [
        _delta(index, {"reasoningContent": {name: kept[name]}}, {})
        for name in ("redactedContent", "signature")
        if name in kept
    ]
    return [*last, (END, put_back({"contentBlockIndex": index}, kept.get(STOP, {})))]


def _delta(index: int, body: Fields, extra: Fields) -> Named:
    return DELTA, put_back({"contentBlockIndex": index, "delta": body}, extra)
