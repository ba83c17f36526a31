"""The parts of a UI message stream, as plain data.

Source: the npm package `ai` 7.0.173, `ui-message-stream/ui-message-chunks.ts` and
`ui/process-ui-message-stream.ts`, read 2026-11-25 (6.0.325 beside it). Its reader refuses a part of an
unknown type, a delta of a block that was not started and a source without its id; what the protocol does
not model goes as `data-*`, which it takes.
"""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.core.chunk import Citation, ToolResult
from headrace.core.message import TextPart
from headrace.core.opaque import Opaque
from headrace.wire.plain import read_plain
from headrace.wire.reading import UNREADABLE
from headrace.wire.ui_messages.data import data_part
from headrace.wire.ui_messages.media import data_url
from headrace.wire.ui_messages.metadata import WIRE_NAME, Part, own, with_metadata

DOCUMENT = "source-document"
DERIVED = Opaque(WIRE_NAME, {"derived": True})  # of a source that the end of a text says again
PART_ID = "part-"  # how texts that nobody named are called, with their number behind it


def about(model: str, created_s: int) -> Part:
    """What the metadata of a message says of it from the start; times are in milliseconds there."""
    told: Part = {"model": model} if model else {}
    if created_s:
        told["createdAt"] = created_s * 1000
    return told


def call_part(id: str, name: str, arguments: str, vendor: Opaque | None) -> Part:
    """A whole tool call: its input as JSON; what is none is an error part that keeps the model's text.

    A call that came over this wire says itself what of it differs from that (`errorText`, `input`).
    """
    part: Part = {"type": "tool-input-available", "toolCallId": id, "toolName": name}
    part.update(input_of(arguments))
    with_metadata(part, vendor)
    if part.get("errorText") is not None:
        part["type"] = "tool-input-error"
    else:
        part.pop("errorText", None)
    return part


def input_of(arguments: str) -> Part:
    """The input of a call, and what is wrong with it."""
    try:
        return {"input": read_plain(arguments) if arguments.strip() else {}}
    except UNREADABLE as error:
        return {"input": arguments, "errorText": f"the arguments are no JSON ({error})"}


def result_part(result: ToolResult, id: str) -> Part:
    """What a tool answered to the call `id`. JSON goes as the value it is, as pages expect; text as text."""
    if result.is_error:
        error = result.output or "the tool failed"
        return {"type": "tool-output-error", "toolCallId": id, "errorText": error}
    output: Any = result.output
    if not all(isinstance(part, TextPart) for part in result.parts):
        output = msgspec.to_builtins(result.parts)
    elif output[:1] in ("{", "["):
        output = input_of(output)["input"]
    return {"type": "tool-output-available", "toolCallId": id, "output": output}


def citation_part(citation: Citation, number: int) -> Part:
    """A source. One without a URL is data of ours: a document needs a media type, which nobody told."""
    kept = own(citation.vendor)
    if kept.get("type") == DOCUMENT:
        return kept
    if not citation.url:
        return data_part(citation)
    part: Part = {"type": "source-url", "sourceId": source_id(number), "url": citation.url}
    if citation.title:
        part["title"] = citation.title
    marks: dict[str, Any] = {"quote": citation.quote} if citation.quote else {}
    if citation.end >= 0:
        marks.update(start=citation.start, end=citation.end)
    return with_metadata(part, citation.vendor, marks)


def source_id(number: int) -> str:
    """What the `number`-th source of a stream is called where nobody has named it."""
    return f"source-{number}"


def file_part(data: bytes, media_type: str, vendor: Opaque | None) -> Part:
    """A file, as a data: URL."""
    return with_metadata({"type": "file", "mediaType": media_type, "url": data_url(data, media_type)}, vendor)


def event_of(part: Part) -> bytes:
    """A part as an event of the stream."""
    return b"data: " + msgspec.json.encode(part) + b"\n\n"
