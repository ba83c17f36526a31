"""A whole reply as a message of the page: what its reader would make of the stream."""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.core.message import ReasoningPart, RefusalPart, TextPart, ToolCallPart
from headrace.core.reply import Candidate, Reply
from headrace.wire.base import Says
from headrace.wire.ui_messages.parts import Part, call_part, file_part, usage_body, with_metadata


def message_body(reply: Reply, says: Says) -> bytes:
    """The message as JSON. The protocol itself knows streams only."""
    candidate = reply.candidates[0] if reply.candidates else Candidate()
    parts: list[Part] = [{"type": "step-start"}]
    for part in candidate.parts:
        match part:
            case TextPart() | RefusalPart():
                parts.append(with_metadata({"type": "text", "text": part.text, "state": "done"}, part.vendor))
            case ReasoningPart():
                said: Part = {"type": "reasoning", "text": part.text, "state": "done"}
                parts.append(with_metadata(said, part.vendor))
            case ToolCallPart():
                parts.append(_call(part))
    parts += [file_part(image.data, image.format, None) for image in candidate.images]
    message: dict[str, Any] = {"id": says.id or reply.id, "role": "assistant", "parts": parts}
    if reply.usage is not None:
        message["metadata"] = {"usage": usage_body(reply.usage)}
    return msgspec.json.encode(message)


def _call(call: ToolCallPart) -> Part:
    """A call as the reader keeps it: the names of its fields differ from the stream's."""
    told = call_part(call.id, call.name, call.arguments, None)
    part: Part = {"type": f"tool-{call.name}", "toolCallId": call.id, "state": "input-available"}
    if "errorText" in told:
        part.update(state="output-error", rawInput=told["input"], errorText=told["errorText"])
    else:
        part["input"] = told["input"]
    if call.vendor is not None and isinstance(call.vendor.data, dict) and call.vendor.data:
        part["callProviderMetadata"] = {call.vendor.wire: call.vendor.data}
    return part
