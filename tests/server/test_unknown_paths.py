"""What is served nowhere, or not with that method, is refused in the protocol whose paths begin so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from tests.server.conftest import Carrier
from tests.server.doubles import HandModel, Models
from tests.server.raw import connected, request


def openai(body: Any) -> bool:
    return set(body["error"]) == {"message", "type", "param", "code"}


def anthropic(body: Any) -> bool:
    return body["type"] == "error" and body["error"]["type"] in ("not_found_error", "invalid_request_error")


def gemini(body: Any) -> bool:
    return body["error"]["status"] in ("NOT_FOUND", "INVALID_ARGUMENT") and body["error"]["code"] in (
        404,
        405,
    )


def ollama(body: Any) -> bool:
    return isinstance(body["error"], str) and "error_type" not in body


def tgi(body: Any) -> bool:
    return isinstance(body["error"], str) and isinstance(body["error_type"], str)


def page(body: Any) -> bool:
    return set(body["error"]) == {"message", "code"}


CASES: dict[str, tuple[str, str, int, Callable[[Any], bool]]] = {
    "Anthropic's": ("POST", "/v1/messages/batches", 404, anthropic),
    "Anthropic's, another method": ("GET", "/v1/messages", 405, anthropic),
    "Gemini's": ("GET", "/v1beta/tunedModels", 404, gemini),
    "Gemini's root": ("GET", "/v1beta", 404, gemini),
    "Gemini's, another method": ("DELETE", "/v1beta/models/m", 405, gemini),
    "Gemini's, under its other root": ("POST", "/v1/models/m:embedContent", 404, gemini),
    "Ollama's": ("POST", "/api/embeddings", 404, ollama),
    "Ollama's root": ("GET", "/api", 404, ollama),
    "Ollama's, another method": ("GET", "/api/chat", 405, ollama),
    "a page's": ("GET", "/api/ui/chat/c", 404, page),
    "TGI's": ("POST", "/generate_batch", 404, tgi),
    "TGI's, another method": ("GET", "/generate", 405, tgi),
    "Responses'": ("POST", "/v1/responses/r/input_items", 404, openai),
    "OpenAI's": ("POST", "/v1/embeddings", 404, openai),
    "OpenAI's, another method": ("GET", "/v1/chat/completions", 405, openai),
    "nobody's": ("GET", "/nowhere", 404, openai),
}


@pytest.mark.parametrize(("method", "path", "status", "speaks"), CASES.values(), ids=CASES)
def test_a_refusal_is_in_the_paths_own_protocol(
    carrier: Carrier, method: str, path: str, status: int, speaks: Callable[[Any], bool]
) -> None:
    async def main() -> None:
        async with carrier.serving(Models(HandModel())) as served, connected(served.url) as client:
            await client.send(request(method, path, b"{}" if method == "POST" else b""))
            response = await client.response()
            assert response.status == status
            assert speaks(msgspec.json.decode(response.body)), response.body
            assert ("allow" in response.headers) == (status == 405)

    carrier.run(main())
