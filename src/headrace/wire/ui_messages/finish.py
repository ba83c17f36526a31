"""How an answer ends, both ways: the reason's words, and what else the last part says.

Source: the npm package `ai` 7.0.173, `ui-message-stream/ui-message-chunks.ts`, read 2026-11-25. Version 6 has
no `interrupted`, so it is read and not written. The finer reason and the stop text have no place of their
own: they ride in the message's metadata, as `rawFinishReason` and `stopSequence`.
"""

from __future__ import annotations

from typing import Any

from headrace.core.chunk import CandidateEnd, FinishReason
from headrace.core.opaque import Opaque
from headrace.core.usage import Usage
from headrace.wire.ui_messages.metadata import WIRE_NAME, Part, own
from headrace.wire.ui_messages.usage import usage_body, usage_from

_WORDS: dict[FinishReason, str] = {
    "stop": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "tool_calls": "tool-calls",
    "content_filter": "content-filter",
    "error": "error",
    "cancelled": "other",
}
_REASONS: dict[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "tool-calls": "tool_calls",
    "content-filter": "content_filter",
    "error": "error",
    "interrupted": "cancelled",
}
_FIELDS = frozenset({"type", "finishReason", "messageMetadata"})


def finish_part(end: CandidateEnd, usage: Usage | None) -> Part:
    """The last part; the usage rides in the message's metadata, under the names the package itself uses."""
    kept = dict(own(end.vendor))
    word = kept.pop("finishReason", _WORDS[end.finish_reason])
    part: Part = {"type": "finish"}
    if word is not None:
        part["finishReason"] = word
    told = kept.pop("messageMetadata", None)
    metadata: Part = dict(told) if isinstance(told, dict) else {}
    if usage is not None:
        metadata["usage"] = usage_body(usage)
    if end.raw_reason and end.raw_reason != word:
        metadata["rawFinishReason"] = end.raw_reason
    if end.stop_sequence:
        metadata["stopSequence"] = end.stop_sequence
    if metadata or told is not None:
        part["messageMetadata"] = metadata or told
    return {**part, **kept}


def end_from(part: Part) -> tuple[CandidateEnd, Usage | None]:
    """What the last part says."""
    told = part.get("messageMetadata")
    metadata: Part = dict(told) if isinstance(told, dict) else {}
    usage = usage_from(metadata.get("usage"))
    if usage is not None:
        del metadata["usage"]
    word = part.get("finishReason")
    raw = _taken(metadata, "rawFinishReason") or (word if isinstance(word, str) else "")
    sequence = _taken(metadata, "stopSequence")
    reason = _REASONS.get(word, "stop") if isinstance(word, str) else "stop"
    if reason == "stop" and sequence:
        reason = "stop_sequence"
    kept: dict[str, Any] = {name: value for name, value in part.items() if name not in _FIELDS}
    if _WORDS[reason] != word:
        kept["finishReason"] = word
    if metadata or not isinstance(told, dict | None):
        kept["messageMetadata"] = metadata or told
    vendor = Opaque(WIRE_NAME, kept) if kept else None
    return CandidateEnd(reason, raw, sequence, vendor=vendor), usage


def _taken(metadata: Part, name: str) -> str:
    """A text out of the metadata, which loses it."""
    value = metadata.get(name)
    if not isinstance(value, str) or not value:
        return ""
    del metadata[name]
    return value
