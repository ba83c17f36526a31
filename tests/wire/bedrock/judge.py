"""The official client's own parts as judges: its parser of event streams, its model, its serializer."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator
from functools import cache
from typing import Any

from botocore.eventstream import EventStream
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel
from botocore.parsers import EventStreamJSONParser, RestJSONParser
from botocore.serialize import create_serializer
from botocore.validate import ParamValidator


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
