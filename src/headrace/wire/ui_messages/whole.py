"""A whole reply as a message of the page: what its reader would make of the stream."""

from __future__ import annotations

import msgspec

from headrace.core.chunk import CandidateEnd
from headrace.core.reply import Candidate, Reply
from headrace.wire.ui_messages.build_message import Conversation
from headrace.wire.ui_messages.finish import finish_part
from headrace.wire.ui_messages.metadata import Part
from headrace.wire.ui_messages.parts import citation_part, file_part

_TEXTS = ("text", "reasoning")


def message_body(reply: Reply, id: str) -> bytes:
    """The message as JSON; id: its own, the reply's where it is empty. The protocol knows streams only."""
    candidate = reply.candidates[0] if reply.candidates else Candidate()
    conversation = Conversation([])
    conversation.add([reply.message])
    said: list[Part] = conversation.bodies[0]["parts"]
    parts: list[Part] = [{"type": "step-start"}]
    parts += [{**part, "state": "done"} if part["type"] in _TEXTS else part for part in said]
    parts += [citation_part(source, at) for at, source in enumerate(candidate.citations, 1)]
    parts += [file_part(image.data, image.format or "image/png", None) for image in candidate.images]
    message: Part = {"id": id or reply.id, "role": "assistant", "parts": parts}
    end = CandidateEnd(reply.finish_reason or "stop", candidate.raw_reason, candidate.stop_sequence)
    metadata = finish_part(end, reply.usage).get("messageMetadata")
    if metadata:
        message["metadata"] = metadata
    return msgspec.json.encode(message)
