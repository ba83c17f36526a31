"""Whatever a client sends at length, an answer that quotes it stays short."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.server.conftest import Carrier
from tests.server.raw import Response, connected, request

from headrace.config.settings import Settings
from headrace.dispatch.runtime import Runtime
from headrace.server.serve import running_server

LONG = "A" * 1_000_000
MOST_BYTES = 4096
SAYS = [{"role": "user", "content": "hi"}]
BODIES: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": ("/v1/chat/completions", {"model": "sim/echo", "messages": SAYS}),
    "completions": ("/v1/completions", {"model": "sim/echo", "prompt": "hi"}),
    "responses": ("/v1/responses", {"model": "sim/echo", "input": "hi"}),
    "messages": ("/v1/messages", {"model": "sim/echo", "max_tokens": 9, "messages": SAYS}),
    "count": ("/v1/messages/count_tokens", {"model": "sim/echo", "messages": SAYS}),
    "gemini": ("/v1beta/models/sim/echo:generateContent", {"contents": [{"parts": [{"text": "hi"}]}]}),
    "ollama": ("/api/chat", {"model": "sim/echo", "messages": SAYS, "stream": False}),
    "generate": ("/api/generate", {"model": "sim/echo", "prompt": "hi", "stream": False}),
    "show": ("/api/show", {"model": "sim/echo"}),
    "tgi": ("/generate", {"inputs": "hi"}),
    "ui": ("/api/ui/chat", {"messages": [{"role": "user", "parts": [{"type": "text", "text": "hi"}]}]}),
    "speech": ("/v1/audio/speech", {"model": "sim/echo", "input": "hi", "voice": "v"}),
}
SWOLLEN: dict[str, Any] = {
    "a long model": lambda body: {**body, "model": LONG},
    "a long field": lambda body: {**body, LONG: 1},
    "many fields": lambda body: {**body, **{f"x{number}": number for number in range(50_000)}},
    "a long text for a number": lambda body: {**body, "temperature": LONG, "max_tokens": LONG},
    "long stops": lambda body: {**body, "stop": [LONG, 5], "tools": LONG, "tool_choice": LONG},
    "a long list": lambda body: [LONG],
}


def short(response: Response) -> None:
    assert response.status < 500
    if not response.headers["content-type"].startswith("audio/"):  # what was asked for
        assert len(response.body) <= MOST_BYTES
    assert sum(map(len, response.headers.values())) <= MOST_BYTES


def runtime() -> Runtime:
    return Runtime(Settings(aliases={"default": "sim/echo"}))


@pytest.mark.parametrize("swell", SWOLLEN.values(), ids=SWOLLEN)
@pytest.mark.parametrize(("path", "body"), BODIES.values(), ids=BODIES)
def test_a_body(path: str, body: dict[str, Any], swell: Callable[[Any], Any]) -> None:
    async def main() -> None:
        async with (
            runtime() as models,
            running_server(models) as server,
            connected(server.url, limit=2**22) as client,
        ):
            await client.send(request("POST", path, json.dumps(swell(body)).encode()))
            short(await client.response())

    asyncio.run(main())


LONG_HEAD = "A" * 20_000
HEADERS = ("x-headrace-priority", "x-headrace-deadline-s", "x-headrace-event-ids", "x-headrace-on-disconnect")
PATHS = {
    "nowhere": ("GET", f"/{LONG_HEAD}"),
    "no endpoint of Gemini's": ("GET", f"/v1beta/{LONG_HEAD}"),
    "no method of Gemini's": ("POST", f"/v1beta/models/m:{LONG_HEAD}"),
    "no model of Gemini's": ("POST", f"/v1beta/models/{LONG_HEAD}:generateContent"),
    "no model": ("GET", f"/v1/models/{LONG_HEAD}"),
    "no page of models": ("GET", f"/v1beta/models?pageSize={LONG_HEAD}"),
    "no token of models": ("GET", f"/v1beta/models?pageToken={LONG_HEAD}"),
    "no stream": ("GET", f"/v1/streams/{LONG_HEAD}"),
    "nothing to stop": ("DELETE", f"/v1/streams/{LONG_HEAD}"),
    "no place in a stream": ("GET", f"/v1/streams/s?after={LONG_HEAD}"),
    "no response": ("GET", f"/v1/responses/{LONG_HEAD}"),
    "no place in a response": ("GET", f"/v1/responses/r?stream=true&starting_after={LONG_HEAD}"),
    "nothing to do with a response": ("POST", f"/v1/responses/{LONG_HEAD}"),
    "no response to cancel": ("POST", f"/v1/responses/{LONG_HEAD}/cancel"),
    "no chat": ("GET", f"/api/ui/chat/{LONG_HEAD}"),
    "not with that method": ("PUT", f"/v1/streams/{LONG_HEAD}"),
}


@pytest.mark.parametrize(("method", "path"), PATHS.values(), ids=PATHS)
def test_a_path(carrier: Carrier, method: str, path: str) -> None:
    async def main() -> None:
        async with runtime() as models, carrier.serving(models) as served, connected(served.url) as client:
            body = b'{"contents": [{"parts": [{"text": "hi"}]}]}' if method == "POST" else b""
            await client.send(request(method, path, body))
            response = await client.response()
            assert 400 <= response.status < 500
            short(response)

    carrier.run(main())


@pytest.mark.parametrize("name", [*HEADERS, "last-event-id", "x-request-id", "traceparent", "authorization"])
def test_a_header(direct: Carrier, name: str) -> None:
    async def main() -> None:
        async with runtime() as models, direct.serving(models) as served, connected(served.url) as client:
            body = json.dumps(BODIES["chat"][1]).encode()
            await client.send(
                request("POST", "/v1/chat/completions", body, headers=(f"{name}: {LONG_HEAD}",))
            )
            response = await client.response()
            assert response.status == (400 if name in HEADERS else 200)
            short(response)

    direct.run(main())
