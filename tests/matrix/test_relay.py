"""Between a client and a place of one protocol, a stream is passed on as its very bytes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headrace.wire import wire_named
from tests.matrix import script
from tests.matrix.conftest import Stage
from tests.matrix.providers import PROVIDERS
from tests.server.raw import connected, request

USER = {"role": "user", "content": script.QUESTION}
# Each says what would be added where a client does not say it: that usage is told, that nothing is stored.
BODIES: dict[str, dict[str, Any]] = {
    "openai_chat": {"messages": [USER], "stream_options": {"include_usage": True}, "x": [1.50]},
    "openai_completions": {
        "prompt": script.QUESTION,
        "suffix": "…",
        "stream_options": {"include_usage": True},
    },
    "openai_responses": {"input": [USER], "metadata": {"a": "b"}, "store": False},
    "anthropic": {"messages": [USER], "max_tokens": 9, "x": {"y": None}},
    "gemini": {"contents": [{"role": "user", "parts": [{"text": script.QUESTION}]}], "labels": {}},
}
PATHS = {
    "openai_chat": "/v1/chat/completions",
    "openai_completions": "/v1/completions",
    "openai_responses": "/v1/responses",
    "anthropic": "/v1/messages",
    "gemini": f"/v1beta/models/gemini_place/{script.MODEL}:streamGenerateContent?alt=sse",
}
PLAIN = ("X-Headrace-Event-Ids: off",)  # else each event begins with its number
RELAYED = [wire for wire in PROVIDERS if wire_named(wire).relay is not None]
CASES = [(wire, scene) for wire in RELAYED for scene in PROVIDERS[wire].scripts]


@pytest.mark.parametrize(("wire", "scene"), CASES, ids=lambda name: str(name))
def test_the_bytes_are_the_places_own_and_the_model_is_the_one_it_has(
    wire: str, scene: str, stage: Stage
) -> None:
    rig, provider = stage.rig, PROVIDERS[wire]
    named = {} if wire == "gemini" else {"model": f"{wire}_place/{script.MODEL}", "stream": True}
    body = {**BODIES[wire], **named}

    async def ask() -> tuple[bytes, tuple[str, bytes]]:
        rig.upstream.answer = provider.answer(scene)
        async with connected(await rig.server()) as client:
            await client.send(request("POST", PATHS[wire], json.dumps(body).encode(), headers=PLAIN))
            answered = (await client.response()).body
        return answered, rig.upstream.last(wire)

    answered, asked = stage.run(ask())
    assert answered == b"".join(provider.scripts[scene].events)
    path, sent = asked
    assert provider.read(path.removeprefix(provider.base), sent).model == script.MODEL
    assert json.loads(sent) == {**body, **({"model": script.MODEL} if named else {})}
