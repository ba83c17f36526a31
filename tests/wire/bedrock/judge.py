"""The official client's own parts as judges: its parser of event streams, its model, its serializer."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from botocore.eventstream import EventStream
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel
from botocore.parsers import EventStreamJSONParser, RestJSONParser
from botocore.serialize import create_serializer
from botocore.validate import ParamValidator
from tests.wire.bedrock.messages import EVENT_STREAM
from tests.wire.judge import Judge
from tests.wire.recordings import Recording

from headrace.core.chunk import Chunk
from headrace.core.fold import fold
from headrace.core.message import OpaquePart, Part, ReasoningPart, TextPart, ToolCallPart
from headrace.core.reply import Reply
from headrace.wire.bedrock import ConverseDecoder, ConverseEncoder


@cache
def operation(name: str = "ConverseStream") -> OperationModel:
    model = ServiceModel(Loader().load_service_model("bedrock-runtime", "service-2"))
    return model.operation_model(name)


class _Raw:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def stream(self) -> Iterator[bytes]:
        return iter([self._data])


def client_events(data: bytes) -> list[dict[str, Any]]:
    """The events that the official client gives for a stream; it raises EventStreamError at an exception."""
    shape = operation().output_shape.members["stream"]
    return [_plain(one) for one in EventStream(_Raw(data), shape, EventStreamJSONParser(), "ConverseStream")]


def client_answer(body: bytes, status: int = 200, name: str = "Converse") -> dict[str, Any]:
    """What the official client makes of a whole answer, or of an error."""
    answer = {"status_code": status, "headers": {}, "body": body}
    parsed: dict[str, Any] = RestJSONParser().parse(answer, operation(name).output_shape)
    return parsed


def client_request(path: str, body: dict[str, Any], model: str) -> tuple[str, Any]:
    """(path, body) as the official client would send what `body` says: only what its model knows.

    AssertionError where its validator finds a fault.
    """
    shape = operation().input_shape
    params = {"modelId": model, **_parsed(body, shape)}
    report = ParamValidator().validate(params, shape)
    assert not report.has_errors(), report.generate_report()
    sent = create_serializer("rest-json").serialize_to_request(params, operation())
    return sent["url_path"], sent["body"]


def _parsed(value: Any, shape: Any) -> Any:
    """Plain JSON as the client's parameters: base64 as bytes."""
    if shape.type_name == "structure" and not getattr(shape, "is_document_type", False):
        return {
            name: _parsed(one, shape.members[name]) if name in shape.members else one
            for name, one in value.items()
        }
    if shape.type_name == "list":
        return [_parsed(one, shape.member) for one in value]
    if shape.type_name == "blob":
        return b64decode(value, validate=True)
    return value


def _plain(value: Any) -> Any:
    """The client's values as JSON has them: bytes as base64."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return b64encode(value).decode() if isinstance(value, bytes) else value


def fold_events(events: list[dict[str, Any]]) -> dict[str, Any]:
    """What events add up to, written down apart from the decoder: the client has no accumulator."""
    blocks: dict[int, dict[str, Any]] = {}
    said: dict[str, Any] = {"content": [], "stop": None, "usage": None}
    for event in events:
        ((name, body),) = event.items()
        if name == "contentBlockDelta":
            _add(blocks.setdefault(body["contentBlockIndex"], {}), body["delta"])
        elif name == "contentBlockStart" and "toolUse" in body["start"]:
            blocks[body["contentBlockIndex"]] = {"call": body["start"]["toolUse"], "input": ""}
        elif name == "messageStop":
            said["stop"] = body["stopReason"]
        elif name == "metadata":
            said["usage"] = body.get("usage")
    said["content"] = [blocks[at] for at in sorted(blocks)]
    return said


def _add(block: dict[str, Any], delta: dict[str, Any]) -> None:
    if "text" in delta:
        block["text"] = block.get("text", "") + delta["text"]
    if "toolUse" in delta:
        block["input"] = block.get("input", "") + delta["toolUse"]["input"]
    for name, value in delta.get("reasoningContent", {}).items():
        block[name if name != "text" else "thought"] = (
            block.get(name if name != "text" else "thought", "") + value
        )
    if "citation" in delta:
        block.setdefault("citations", []).append(delta["citation"])


_COUNTS = ("inputTokens", "outputTokens", "cacheReadInputTokens", "cacheWriteInputTokens")


def theirs(events: list[dict[str, Any]]) -> dict[str, Any]:
    """What events add up to, arguments as values and usage as the counts that both sides know."""
    added = fold_events(events)
    for block in added["content"]:
        if "call" in block:
            block["input"] = json.loads(block["input"] or "{}")
    usage = added["usage"]
    return {**added, "usage": usage and [usage.get(name, 0) for name in _COUNTS]}


def said(reply: Reply) -> dict[str, Any]:
    """The same of a reply."""
    first, usage = reply.candidates[0], reply.usage
    counts = usage and [
        usage.input_tokens - usage.cached_input_tokens - usage.cache_write_tokens,
        usage.output_tokens,
        usage.cached_input_tokens,
        usage.cache_write_tokens,
    ]
    return {"content": [_block(part) for part in first.parts], "stop": first.raw_reason, "usage": counts}


def _block(part: Part) -> dict[str, Any]:
    own = part.vendor.data if part.vendor else {}
    match part:
        case TextPart():
            return {"text": part.text, **({"citations": own["citations"]} if "citations" in own else {})}
        case ReasoningPart():
            return {"thought": part.text, **own}
        case ToolCallPart():
            return {"call": {"toolUseId": part.id, "name": part.name}, "input": json.loads(part.arguments)}
        case _:
            assert isinstance(part, OpaquePart)
            return own


def _official(_recording: Recording, body: bytes) -> dict[str, Any]:
    """One recording was made by hand, with beginnings of nothing that the official client refuses."""
    sent = [one.raw for one in EVENT_STREAM.split(body) if b'"start": {}' not in one.data]
    return theirs(client_events(b"".join(sent)))


def _said(_recording: Recording, chunks: Sequence[Chunk]) -> dict[str, Any]:
    return said(fold(chunks))


_SHORT = "it was kept without its metadata"

JUDGE = Judge(
    wire="bedrock",
    by="a fold over the events of the official client's parser (botocore)",
    decoder=ConverseDecoder,
    encoder=ConverseEncoder,
    official=_official,
    told=lambda _recording, told: told,
    said=_said,
    ends=lambda event: b"messageStop" in event,
    unclean={
        f"json_lines/amazon-bedrock/amazon-bedrock-json-{name}.1.jsonl": _SHORT
        for name in ("tool", "with-tool", "with-tools")
    }
    | {f"json_lines/amazon-bedrock/amazon-bedrock-json-tool.{at}.jsonl": _SHORT for at in (2, 3)},
    separated=EVENT_STREAM,
)
