"""Recorded requests: parsed and built again they are the same, and the official schema takes them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from anthropic.types.beta.message_create_params import MessageCreateParamsStreaming
from pydantic import TypeAdapter
from tests.wire.recordings import ABSENT, index

from headrace.wire.anthropic import WIRE, parse_request

pytestmark = pytest.mark.recordings

_schema: TypeAdapter[Any] = TypeAdapter(MessageCreateParamsStreaming)
# How a provider is called that takes all that was recorded.
QUIRKS = {"sampling": ("temperature", "top_p", "top_k")}


def recorded() -> list[dict[str, Any]]:
    if not index():
        pytest.skip(ABSENT)
    rows = index().values()
    return [row["request"] for row in rows if row.get("path") == "/v1/messages" and row.get("request")]


def normal(request: dict[str, Any]) -> dict[str, Any]:
    """One spelling: texts as blocks, the format in its present place, nothing that says nothing."""
    said = {name: value for name, value in request.items() if name != "output_format"}
    if "output_format" in request:
        schema = request["output_format"]["schema"]
        said["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
    if "system" in said:
        said["system"] = blocks(said["system"])
    said["messages"] = [{**one, "content": blocks(one["content"])} for one in request["messages"]]
    return said


def blocks(content: Any) -> list[Any]:
    content = [{"type": "text", "text": content}] if isinstance(content, str) else content
    out = []
    for block in content:
        block = {name: value for name, value in block.items() if value not in (None, False, [])}
        if isinstance(block.get("content"), str):
            block["content"] = blocks(block["content"])
        out.append(block)
    return out


def test_recorded_requests_go_through_unchanged() -> None:
    requests = recorded()
    assert len(requests) > 100
    for request in requests:
        parsed = parse_request(json.dumps(request).encode())
        assert parsed.stream
        built = WIRE.build(parsed.request, QUIRKS)
        body = json.loads(built.body)
        assert built.warnings == ()
        _schema.validate_python(body)
        assert normal(body) == normal(request)
