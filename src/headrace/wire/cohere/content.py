"""The assistant's message in the vendor's words, written from our parts: an answer's and an earlier turn's.

What came over this wire with a part: `plan`, the plan for the calls after it; `content`, content whole;
`beside`, unknown fields; and `citations` of a text, which go back with the next turn.
"""

from __future__ import annotations

from collections.abc import Iterable

from headrace.core.message import OpaquePart, Part, ReasoningPart, RefusalPart, TextPart, ToolCallPart
from headrace.wire.arguments import NO_ARGUMENTS
from headrace.wire.cohere.event_bodies import call_id
from headrace.wire.cohere.schema import PLAN, Fields, own
from headrace.wire.kept import put_back


def spoken(parts: Iterable[Part]) -> Fields:
    """content, tool_plan, tool_calls and citations of a message, those that are there."""
    content: list[Fields] = []
    plan: list[str] = []
    calls: list[Fields] = []
    citations: list[Fields] = []
    for part in parts:
        kept = own(part.vendor)
        match part:
            case TextPart() | RefusalPart():
                content.append(put_back({"type": "text", "text": part.text}, kept.get("beside", {})))
                citations += kept.get("citations", ())
            case ReasoningPart() if PLAN in kept:
                plan.append(part.text)
            case ReasoningPart():
                thought = {"type": "thinking", "thinking": part.text}
                content.append(put_back(thought, kept.get("beside", {})))
            case ToolCallPart():
                calls.append(_call(part, len(calls), kept))
            case OpaquePart() if "content" in kept:
                content.append(kept["content"])
    body: Fields = {"content": content, "tool_plan": "".join(plan), "tool_calls": calls}
    return {name: value for name, value in {**body, "citations": citations}.items() if value}


def plain(content: list[Fields]) -> str | list[Fields]:
    """As a text where that says it all."""
    if len(content) == 1 and content[0].keys() == {"type", "text"}:
        text: str = content[0]["text"]
        return text
    return content


def _call(part: ToolCallPart, place: int, kept: Fields) -> Fields:
    function = {"name": part.name, "arguments": part.arguments or NO_ARGUMENTS}
    body = {"id": call_id(part.id, place), "type": "function", "function": function}
    return put_back(body, kept.get("beside", {}))
