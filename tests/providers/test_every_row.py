"""Every known place, played by a server on loopback: what leaves, what is read back, and where keys go."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import msgspec
import pytest
from tests.providers.answers import ANSWERS, TYPES

from headrace.config import Secret
from headrace.core.chunk import Failure, Finish, UsageReport
from headrace.core.message import AudioPart, user
from headrace.core.request import GenerationSettings, Request
from headrace.errors import AuthError
from headrace.providers import KNOWN, ProviderRow
from headrace.providers.listing import list_models
from headrace.providers.model import provider_model
from headrace.testing.loopback import Loopback, Peer, loopback
from headrace.transport.pool import HttpPool
from headrace.wire import WIRES

KEY = "sk-geheim-0123456789abcdef"
ASK = Request("x/m", messages=(user("hi"),), settings=GenerationSettings(max_tokens=9))
HEAR = Request("x/m", (user([AudioPart(b"RIFF....", format="wav")]),), task="transcription")


# Behind the base URL; and what the body must say.
PATHS = {
    "openai_chat": "/chat/completions",
    "openai_completions": "/completions",
    "openai_responses": "/responses",
    "openai_audio": "/audio/transcriptions",
    "anthropic": "/messages",
    "gemini": "/models/m:streamGenerateContent?alt=sse",
    "ollama": "/api/chat",
    "tgi": "/generate_stream",
    "cohere": "/v2/chat",
    "bedrock": "/model/m/converse-stream",
}
BODIES: dict[str, dict[str, Any]] = {
    "openai_chat": {"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": True},
    "openai_completions": {"model": "m", "prompt": "hi", "stream": True, "max_tokens": 9},
    "openai_responses": {"model": "m", "stream": True, "max_output_tokens": 9, "store": False},
    "anthropic": {"model": "m", "max_tokens": 9, "stream": True},
    "gemini": {"contents": [{"role": "user", "parts": [{"text": "hi"}]}],
               "generationConfig": {"maxOutputTokens": 9}},
    "ollama": {"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": True},
    "tgi": {"inputs": "hi"},
    "cohere": {"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": True,
               "max_tokens": 9},
    "bedrock": {"messages": [{"role": "user", "content": [{"text": "hi"}]}],
                "inferenceConfig": {"maxTokens": 9}},
}  # fmt: skip
# Where the key goes; all others send a bearer token.
KEY_FIELDS = {"google": ("x-goog-api-key", KEY), "azure": ("api-key", KEY)}
FURTHER_FIELDS = {"anthropic": {"anthropic-version": "2026-10-21"}}
BASE_PATHS = {"azure": "/openai/v1"}


def local(row: ProviderRow, server: Loopback, monkeypatch: pytest.MonkeyPatch) -> ProviderRow:
    """The row, its host played by `server`; its key in the environment."""
    if row.base_url_env:
        monkeypatch.setenv(row.base_url_env, f"{server.url}/")
    else:
        path = "/" + row.base_url.split("/", 3)[3] if row.base_url.count("/") > 2 else ""
        row = msgspec.structs.replace(row, base_url=server.url + path, region_names=())
    if row.api_key_env:
        monkeypatch.setenv(row.api_key_env, KEY)
    return row


def base_path(row: ProviderRow) -> str:
    return row.base_url.partition("//")[2].partition("/")[2] if row.base_url else BASE_PATHS[row.name][1:]


def answering(content_type: str, body: bytes, status: int = 200) -> Any:
    async def script(peer: Peer) -> None:
        await peer.request()
        head = f"HTTP/1.1 {status} X\r\ncontent-type: {content_type}\r\ncontent-length: {len(body)}\r\n\r\n"
        await peer.drip(head.encode() + body, 7)
        await peer.gone()

    return script


def fields_of(head: bytes) -> tuple[str, dict[str, str]]:
    """A request's first line less the version, and its header fields."""
    line, *rest = head.decode().strip().split("\r\n")
    fields = dict(field.split(": ", 1) for field in rest)
    return line.rpartition(" ")[0], {name.lower(): value for name, value in fields.items()}


@pytest.fixture(autouse=True)
def _no_keys_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for row in KNOWN.values():
        for name in (*row.key_names, row.base_url_env, *row.region_names):
            monkeypatch.delenv(name, raising=False)


def ask_of(name: str) -> Request:
    """What is asked of a place: those of the audio wire hear."""
    return HEAR if KNOWN[name].wire == "openai_audio" else ASK


def called(basin: Any, name: str, script: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any, Any]:
    """(what left, what came, how it ended) of one call of a known place."""

    async def main() -> tuple[Any, Any, Any]:
        async with loopback(script) as server, HttpPool() as pool:
            sink = basin()
            model = provider_model(local(KNOWN[name], server, monkeypatch), "m", pool)
            model.open(ask_of(name)).source.start(sink)
            terminal = await sink.terminal()
            return server.requests[0], sink, terminal

    return asyncio.run(main())


def test_every_wire_has_a_place() -> None:
    own = {"ui_messages"}  # what people build their own servers for: no place is known
    assert {row.wire for row in KNOWN.values()} == set(WIRES) - own == set(ANSWERS)


@pytest.mark.parametrize("name", KNOWN)
def test_what_leaves_and_what_is_read_back(basin: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row = KNOWN[name]
    script = answering(TYPES.get(row.wire, "text/event-stream; charset=utf-8"), ANSWERS[row.wire])
    (head, body), sink, terminal = called(basin, name, script, monkeypatch)

    line, fields = fields_of(head)
    path = base_path(row)
    assert line == f"POST {'/' + path if path else ''}{PATHS[row.wire]}"
    if row.wire == "openai_audio":
        assert fields["content-type"].startswith("multipart/form-data; boundary=")
        assert b'name="model"\r\n\r\nm\r\n' in body
    else:
        assert fields["content-type"] == "application/json"
        assert BODIES[row.wire].items() <= json.loads(body).items()

    where, value = KEY_FIELDS.get(name, ("authorization", f"Bearer {KEY}"))
    carrying = {field: told for field, told in fields.items() if KEY in told}
    assert carrying == ({where: value} if row.api_key_env else {})
    assert "authorization" not in fields or where == "authorization"
    assert FURTHER_FIELDS.get(name, {}).items() <= fields.items()

    assert isinstance(terminal, Finish)
    assert (terminal.finish_reason, terminal.clean, sink.text) == ("stop", True, "hello")
    usage = [chunk.usage for chunk in sink.items if isinstance(chunk, UsageReport)][-1]
    assert (usage.input_tokens, usage.output_tokens) == (3, 2)


@pytest.mark.parametrize("name", [row.name for row in KNOWN.values() if not row.key_optional])
def test_a_missing_key_names_its_variables(name: str) -> None:
    row = msgspec.structs.replace(KNOWN[name], base_url="http://127.0.0.1:1", region_names=())
    with pytest.raises(AuthError) as caught:
        provider_model(row, "m").open(ask_of(name))
    assert (caught.value.code, caught.value.provider) == ("missing_api_key", name)
    assert all(variable in caught.value.message for variable in row.key_names)


REFUSALS: dict[str, Any] = {
    "anthropic": {"type": "error", "error": {"type": "authentication_error", "message": f"no: {KEY}"}},
    "gemini": {"error": {"code": 401, "message": f"no: {KEY}", "status": "UNAUTHENTICATED"}},
    "ollama": {"error": f"unauthorized: {KEY}"},
    "tgi": {"error": f"no: {KEY}"},
    "cohere": {"message": f"invalid api token: {KEY}"},
    "bedrock": {"__type": "AccessDeniedException", "message": f"no: {KEY}"},
}
OPENAI_REFUSAL = {"error": {"message": f"Incorrect API key: {KEY}", "code": "invalid_api_key"}}


def assert_silent(failure: Failure) -> None:
    error = failure.error()
    assert isinstance(error, AuthError)
    assert "geheim" not in f"{failure!r}{error!r}{error}{error.details()}{vars(error)}"


@pytest.mark.parametrize("name", KNOWN)
def test_a_wrong_key_is_an_auth_error_that_shows_no_key(
    basin: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = json.dumps(REFUSALS.get(KNOWN[name].wire, OPENAI_REFUSAL)).encode()
    if not KNOWN[name].api_key_env:  # a key that was never sent cannot be scrubbed
        said = said.replace(KEY.encode(), b"")
    script = answering("application/json", said, 401)
    _, sink, failure = called(basin, name, script, monkeypatch)
    assert not sink.items
    assert failure.detail["provider"] == name
    assert failure.detail["status"] == 401
    assert_silent(failure)


@pytest.mark.parametrize("name", KNOWN)
def test_neither_a_row_nor_a_model_shows_a_key(name: str) -> None:
    row = msgspec.structs.replace(KNOWN[name], api_key=Secret(KEY))
    assert KEY not in repr(row)
    assert KEY not in repr(provider_model(row, "m"))


LISTS: dict[str, tuple[str, Any]] = {
    "anthropic": ("/models?limit=1000", {"data": [{"id": "m"}], "has_more": False}),
    "gemini": ("/models?pageSize=1000", {"models": [{"name": "models/m"}]}),
    "ollama": ("/api/tags", {"models": [{"model": "m"}]}),
    "tgi": ("/info", {"model_id": "m"}),
    "cohere": ("/v1/models?endpoint=chat&page_size=1000", {"models": [{"name": "m"}]}),
    "bedrock": ("/foundation-models?byOutputModality=TEXT", {"modelSummaries": [{"modelId": "m"}]}),
}


@pytest.mark.parametrize("name", KNOWN)
def test_every_place_is_asked_for_its_models(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row = KNOWN[name]
    path, said = LISTS.get(row.wire, ("/models", {"object": "list", "data": [{"id": "m"}]}))
    script = answering("application/json", json.dumps(said).encode())

    async def main() -> tuple[Any, Any]:
        async with loopback(script) as server, HttpPool() as pool:
            cards = await list_models(local(row, server, monkeypatch), pool)
            return server.requests[0][0], cards

    head, cards = asyncio.run(main())
    line, fields = fields_of(head)
    prefix = base_path(row)
    assert line == f"GET {'/' + prefix if prefix else ''}{path}"
    where, value = KEY_FIELDS.get(name, ("authorization", f"Bearer {KEY}"))
    assert fields.get(where) == (value if row.api_key_env else None)
    assert FURTHER_FIELDS.get(name, {}).items() <= fields.items()
    assert [(card.id, card.owner) for card in cards] == [(f"{name}/m", name)]
