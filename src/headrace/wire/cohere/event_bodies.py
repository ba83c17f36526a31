"""The vendor's events of content, plan and calls, written from our chunks."""

from __future__ import annotations

from headrace.core.chunk import (
    BlockEnd,
    BlockKind,
    BlockStart,
    Citation,
    ReasoningDelta,
    RefusalDelta,
    ToolCallDelta,
)
from headrace.wire.cohere.citations import BESIDE, citation_body
from headrace.wire.cohere.schema import EVENT, IMPLIED, PLAN, STOP, Fields, own
from headrace.wire.cohere.tokens import item_from
from headrace.wire.kept import put_back
from headrace.wire.one_block import Delta

# Our kinds that have a place here, a refusal and a transcript as text; sound and images have none.
TEXTS: frozenset[BlockKind] = frozenset({"text", "refusal", "transcript"})
KINDS: frozenset[BlockKind] = TEXTS | {"reasoning", "tool-call"}


def message_start(id: str, extra: Fields) -> Fields:
    """The first event."""
    message = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    return put_back({"type": "message-start", "id": id, "delta": {"message": message}}, extra)


def is_plan(start: BlockStart) -> bool:
    """Whether a block came as the plan for the calls that follow."""
    return PLAN in own(start.vendor)


def begun(start: BlockStart, index: int) -> Fields | None:
    """What begins a block; None for the plan. index: the vendor's, of content and of calls apart."""
    if is_plan(start):
        return None
    if start.kind == "tool-call":
        function = {"name": start.name, "arguments": ""}
        call = {"id": call_id(start.id, index), "type": "function", "function": function}
        event = _event("tool-call-start", index, tool_calls=call)
    else:
        kind = "thinking" if start.kind == "reasoning" else "text"
        event = _event("content-start", index, content={"type": kind, kind: ""})
    return put_back(event, own(start.vendor))


def call_id(id: str, index: int) -> str:
    """The id of a tool call; one is made where the source has none, as results refer to it."""
    return id or f"call_{index}"


def piece(delta: Delta, of: BlockStart, index: int) -> Fields | None:
    """What says a piece of the block `of`; None where there is nothing to say."""
    extra = own(delta.vendor)
    if isinstance(delta, ToolCallDelta):
        if delta.vendor == IMPLIED:
            return None  # the vendor says nothing of a call without arguments
        said = delta.arguments
        event = _event("tool-call-delta", index, tool_calls={"function": {"arguments": said}})
    elif isinstance(delta, ReasoningDelta) and is_plan(of):
        said = delta.reasoning
        event = {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": said}}}
    else:
        name, said = _content(delta)
        event = _event("content-delta", index, content={name: said} if said or not extra else {})
    item = item_from(getattr(delta, "tokens", ()))
    if item:
        event["logprobs"] = item
    return put_back(event, extra) if said or extra or item else None


def ended(start: BlockStart, end: BlockEnd, index: int) -> Fields | None:
    """What ends the block that began with `start`; None for the plan."""
    if is_plan(start):
        return None
    event = {"type": "tool-call-end" if start.kind == "tool-call" else "content-end", "index": index}
    return put_back(event, own(end.vendor).get(STOP, {}))


def _content(delta: Delta) -> tuple[str, str]:
    """(the vendor's field, what it says)."""
    match delta:
        case ReasoningDelta():
            return "thinking", delta.reasoning
        case RefusalDelta():
            return "text", delta.refusal
        case _:
            return "text", delta.text


def cited(source: Citation, index: int, content_index: int) -> list[Fields]:
    """The two events of a source, the index-th of the answer; none for one that says nothing."""
    if source.vendor == BESIDE:
        return []  # the citation before it names it too
    kept = own(source.vendor)
    body = {name: one for name, one in kept.items() if name != EVENT}
    body = body or citation_body(source, content_index)
    if not body:
        return []
    start = _event("citation-start", index, citations=body)
    return [put_back(start, kept.get(EVENT, {})), {"type": "citation-end", "index": index}]


def _event(kind: str, index: int, **message: Fields) -> Fields:
    return {"type": kind, "index": index, "delta": {"message": message}}
