"""The parts of a UI message stream, as plain data.

Source: the npm package `ai`, `packages/ai/src/ui-message-stream/ui-message-chunks.ts` and
`ui/process-ui-message-stream.ts` at ed857f50f1 (August 2026), read 2026-11-21. Its reader refuses a part of
an unknown type, a delta of a block that was not started and a source without its id; what the protocol does
not model goes as `data-*`, which it takes.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import msgspec

from headrace.core.chunk import Citation, FinishReason, ToolResult
from headrace.core.message import TextPart
from headrace.core.opaque import Opaque
from headrace.core.usage import Usage

WIRE_NAME = "ui_messages"
Part = dict[str, Any]

_REASONS: dict[FinishReason, str] = {
    "stop": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "tool_calls": "tool-calls",
    "content_filter": "content-filter",
    "error": "error",
    "cancelled": "other",
}


def finish_part(reason: FinishReason, usage: Usage | None) -> Part:
    """The last part; the usage rides in the message's metadata, under the names the package itself uses."""
    part: Part = {"type": "finish", "finishReason": _REASONS[reason]}
    if usage is not None:
        part["messageMetadata"] = {"usage": usage_body(usage)}
    return part


def usage_body(usage: Usage) -> Part:
    """Usage in the package's words: input includes cached tokens, output includes reasoning."""
    fresh = usage.input_tokens - usage.cached_input_tokens - usage.cache_write_tokens
    return {
        "inputTokens": usage.input_tokens,
        "inputTokenDetails": {
            "noCacheTokens": max(fresh, 0),
            "cacheReadTokens": usage.cached_input_tokens,
            "cacheWriteTokens": usage.cache_write_tokens,
        },
        "outputTokens": usage.output_tokens,
        "outputTokenDetails": {
            "textTokens": max(usage.output_tokens - usage.reasoning_tokens, 0),
            "reasoningTokens": usage.reasoning_tokens,
        },
        "totalTokens": usage.total_tokens,
    }


def call_part(id: str, name: str, arguments: str, vendor: Opaque | None) -> Part:
    """A whole tool call: its input as JSON; what is none is an error part that keeps the model's text."""
    part: Part = {"type": "tool-input-available", "toolCallId": id, "toolName": name}
    try:
        part["input"] = msgspec.json.decode(arguments) if arguments.strip() else {}
    except (msgspec.DecodeError, RecursionError) as error:
        part.update(
            type="tool-input-error", input=arguments, errorText=f"the arguments are no JSON ({error})"
        )
    return with_metadata(part, vendor)


def result_part(result: ToolResult) -> Part:
    """What a tool answered. JSON goes as the value it is, as pages expect it; other text as text."""
    if result.is_error:
        error = result.output or "the tool failed"
        return {"type": "tool-output-error", "toolCallId": result.id, "errorText": error}
    output: Any = result.output
    if not all(isinstance(part, TextPart) for part in result.parts):
        output = msgspec.to_builtins(result.parts)
    elif output[:1] in ("{", "["):
        try:
            output = msgspec.json.decode(output)
        except (msgspec.DecodeError, RecursionError):
            output = result.output
    return {"type": "tool-output-available", "toolCallId": result.id, "output": output}


def citation_part(citation: Citation, number: int) -> Part:
    """A source. One without a URL is data of ours: a document needs a media type, which nobody told."""
    if citation.url:
        part: Part = {"type": "source-url", "sourceId": f"source-{number}", "url": citation.url}
        if citation.title:
            part["title"] = citation.title
        return with_metadata(part, citation.vendor)
    return data_part("citation", {"title": citation.title, "quote": citation.quote, "block": citation.block})


def file_part(data: bytes, media_type: str, vendor: Opaque | None) -> Part:
    """A file, as a data: URL."""
    kind = media_type or "image/png"
    url = f"data:{kind};base64,{b64encode(data).decode()}"
    return with_metadata({"type": "file", "mediaType": kind, "url": url}, vendor)


def data_part(name: str, data: Any, *, transient: bool = False) -> Part:
    """Data of ours. transient: shown, and not kept in the message."""
    part: Part = {"type": f"data-{name}", "data": data}
    if transient:
        part["transient"] = True
    return part


def with_metadata(part: Part, vendor: Opaque | None) -> Part:
    """The part with what its vendor's wire keeps opaque, such as a signature: a map by wire of a map."""
    if vendor is not None and isinstance(vendor.data, dict) and vendor.data:
        part["providerMetadata"] = {vendor.wire: vendor.data}
    return part
