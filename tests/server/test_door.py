"""Keys and limits as the official clients of every protocol meet them, over every carrier."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anthropic
import huggingface_hub
import huggingface_hub.errors
import msgspec
import ollama
import openai
import pytest
from google import genai
from google.genai import types
from tests.server.conftest import Carrier
from tests.server.doubles import END, HandModel, Models
from tests.server.raw import chat, connected, request
from tests.server.test_streams import MakeSessions, asked, began, detached, sessions

from headrace.config.door import KeySettings, LimitSettings
from headrace.config.keys import digest_of
from headrace.server.door import Door
from headrace.server.keys import Keys
from headrace.sessions.rates import LocalRates
from headrace.simulate.echo import EchoModel

__all__ = ["sessions"]

# google-genai does this to aiohttp; it is not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")
HI: Any = [{"role": "user", "content": "hi"}]
ECHO = "sim/echo"


def door(**limits: Any) -> Door:
    keys = {
        "a": KeySettings(sha256=digest_of("hr-a")),
        "b": KeySettings(sha256=digest_of("hr-b"), models=("nobody/*",), priority=5),
    }
    return Door(keys=Keys(keys), limits=LimitSettings(**limits), rates=LocalRates())


async def openai_chat(url: str, key: str) -> None:
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0) as client:
        await client.chat.completions.create(model=ECHO, messages=HI)


async def openai_responses(url: str, key: str) -> None:
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0) as client:
        await client.responses.create(model=ECHO, input="hi")


async def anthropic_messages(url: str, key: str) -> None:
    async with anthropic.AsyncAnthropic(base_url=url, api_key=key, max_retries=0) as client:
        await client.messages.create(model=ECHO, max_tokens=9, messages=HI)


async def gemini(url: str, key: str) -> None:
    client = genai.Client(api_key=key, http_options=types.HttpOptions(base_url=url))
    try:
        await client.aio.models.generate_content(model=ECHO, contents="hi")
    finally:
        await client.aio.aclose()
        client.close()


async def ollama_chat(url: str, key: str) -> None:
    client = ollama.AsyncClient(host=url, headers={"authorization": f"Bearer {key}"})
    try:
        await client.chat(model=ECHO, messages=HI)
    finally:
        await client._client.aclose()


async def tgi(url: str, key: str) -> None:
    async with huggingface_hub.AsyncInferenceClient(model=url, token=key) as client:
        await client.text_generation("hi")


Client = Callable[[str, str], Awaitable[None]]
# What each raises at 401 and 429, and how its status is read.
CLIENTS: dict[Client, tuple[type[Exception], type[Exception], Callable[[Any], int]]] = {
    openai_chat: (openai.AuthenticationError, openai.RateLimitError, lambda error: error.status_code),
    openai_responses: (openai.AuthenticationError, openai.RateLimitError, lambda error: error.status_code),
    anthropic_messages: (
        anthropic.AuthenticationError,
        anthropic.RateLimitError,
        lambda error: error.status_code,
    ),
    gemini: (genai.errors.ClientError, genai.errors.ClientError, lambda error: error.code),
    ollama_chat: (ollama.ResponseError, ollama.ResponseError, lambda error: error.status_code),
    # Its client raises by what the error is called, from an error that has the status.
    tgi: (
        huggingface_hub.errors.TextGenerationError,
        huggingface_hub.errors.OverloadedError,
        lambda error: error.__cause__.response.status_code,
    ),
}


@pytest.mark.parametrize("ask", CLIENTS, ids=lambda ask: ask.__name__)
def test_a_wrong_key_and_a_spent_one_raise_the_clients_own_errors(carrier: Carrier, ask: Client) -> None:
    unknown, spent, status = CLIENTS[ask]

    async def main() -> None:
        models = Models(EchoModel())
        async with carrier.serving(models, door=door(requests_per_minute=1)) as served:
            with pytest.raises(unknown, match="this API key is not valid here") as caught:
                await ask(served.url, "hr-wrong")
            assert status(caught.value) == 401
            await ask(served.url, "hr-a")
            with pytest.raises(spent, match="1 requests a minute are reached") as caught:
                await ask(served.url, "hr-a")
            assert status(caught.value) == 429

    carrier.run(main())


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/v1/chat/completions", "error.code=missing_api_key"),
        ("/v1/nothing", "error.code=missing_api_key"),
        ("/v1/messages", "error.type=authentication_error"),
        ("/v1beta/models/m:generateContent", "error.status=UNAUTHENTICATED"),
        ("/v1/models/m:generateContent", "error.status=UNAUTHENTICATED"),
        ("/api/chat", "error=an API key is needed"),
        ("/generate", "error=an API key is needed"),
    ],
)
def test_without_a_key_nothing_is_told(carrier: Carrier, path: str, told: str) -> None:
    async def main() -> None:
        async with (
            carrier.serving(Models(EchoModel()), door=door()) as served,
            connected(served.url) as client,
        ):
            await client.send(request("POST", path, b"{"))
            answer = await client.response()
            assert answer.status == 401
            assert answer.headers["www-authenticate"] == "Bearer"
            assert b"sim/" not in answer.body
            value: Any = msgspec.json.decode(answer.body)
            names, _, expected = told.partition("=")
            for name in names.split("."):
                value = value[name]
            assert str(value).startswith(expected)

    carrier.run(main())


def test_health_is_open_and_tells_strangers_no_names(carrier: Carrier) -> None:
    async def main() -> None:
        async with (
            carrier.serving(Models(EchoModel()), door=door()) as served,
            connected(served.url) as client,
        ):
            await client.send(request("GET", "/health"))
            assert (await client.response()).body == b'{"status":"ok"}'
            await client.send(request("GET", "/health", headers=("authorization: Bearer hr-a",)))
            assert b"sim/echo" in (await client.response()).body

    carrier.run(main())


def test_a_key_asks_its_own_models_only(direct: Carrier) -> None:
    key = ("authorization: Bearer hr-b",)

    async def main() -> None:
        async with (
            direct.serving(Models(EchoModel()), door=door()) as served,
            connected(served.url) as client,
        ):
            for model in (ECHO, "sim/ech", "nothing"):
                body = msgspec.json.encode({"model": model, "messages": HI})
                await client.send(request("POST", "/v1/chat/completions", body, headers=key))
                answer = await client.response()
                assert (answer.status, answer.error["code"]) == (403, "model_not_allowed"), model
                assert b"did you mean" not in answer.body
            await client.send(request("GET", "/v1/models", headers=key))
            assert msgspec.json.decode((await client.response()).body)["data"] == []
            await client.send(request("GET", "/v1/models/sim/echo", headers=key))
            assert (await client.response()).status == 403

    direct.run(main())


def test_streams_of_others_are_not_there(carrier: Carrier) -> None:
    async def main() -> None:
        async with (
            carrier.serving(Models(EchoModel()), door=door()) as served,
            connected(served.url) as client,
        ):
            body = msgspec.json.encode({"model": ECHO, "messages": HI, "stream": True})
            await client.send(
                request("POST", "/v1/chat/completions", body, headers=("authorization: Bearer hr-a",))
            )
            _, headers = await client.head()
            await client.response_body()
            id = headers["x-headrace-stream-id"]
            for key, status in (("hr-a", 200), ("hr-b", 404)):
                for method, path in (("GET", ""), ("GET", "/status"), ("DELETE", "")):
                    asked = request(method, f"/v1/streams/{id}{path}", headers=(f"x-api-key: {key}",))
                    await client.send(asked)
                    assert (await client.response()).status == status, (key, method, path)
            await client.send(request("GET", "/v1/streams", headers=("x-api-key: hr-b",)))
            assert msgspec.json.decode((await client.response()).body)["data"] == []

    carrier.run(main())


def test_a_running_stream_of_others_is_not_there(direct: Carrier, sessions: MakeSessions) -> None:
    """Nor does the answer tell an id that is somebody else's from one that nobody has."""

    async def main() -> None:
        model = HandModel()
        async with (
            direct.serving(Models(model), sessions=sessions(), door=door()) as served,
            connected(served.url) as client,
        ):
            await client.send(detached().replace(b"\r\n", b"\r\nx-api-key: hr-a\r\n", 1))
            id, source = await began(client, model)
            none = f"{id[:-1]}-"
            for method, path in (
                ("GET", f"/v1/streams/{id}"),
                ("GET", f"/v1/streams/{id}?after=1"),
                ("GET", f"/v1/streams/{id}/status"),
                ("DELETE", f"/v1/streams/{id}"),
                ("GET", f"/v1/responses/{id}?stream=true"),
                ("POST", f"/v1/responses/{id}/cancel"),
                ("DELETE", f"/v1/responses/{id}"),
            ):
                theirs = await asked(served, method, path, "x-api-key: hr-b")
                nobodys = await asked(served, method, path.replace(id, none), "x-api-key: hr-b")
                assert theirs.status == nobodys.status == 404, (method, path)
                assert theirs.body.replace(id.encode(), none.encode()) == nobodys.body
            assert not source.was_cancelled.is_set()
            source.push(*END)
            source.end()
            await client.response_body()

    direct.run(main())


def test_a_header_cannot_make_a_key_more_urgent(direct: Carrier) -> None:
    async def main() -> None:
        async with (
            direct.serving(Models(EchoModel()), door=door()) as served,
            connected(served.url) as client,
        ):
            for priority, status in (("4", 400), ("5", 200), ("9", 200)):
                head = f"Host: test\r\nauthorization: Bearer hr-a\r\nx-headrace-priority: {priority}"
                asked = chat(model=ECHO, stream=False).replace(b"Host: test", head.encode())
                await client.send(asked)
                assert (await client.response()).status == status, priority

    direct.run(main())


def test_what_is_left_is_told_and_tokens_count_after_the_answer(carrier: Carrier) -> None:
    async def main() -> None:
        limits = {"requests_per_minute": 5, "tokens_per_minute": 10}
        async with (
            carrier.serving(Models(EchoModel()), door=door(**limits)) as served,
            connected(served.url) as client,
        ):
            asked = chat(model=ECHO, stream=False, text="a b c d e f g h i j k l").replace(
                b"Host: test", b"Host: test\r\nx-goog-api-key: hr-a"
            )
            await client.send(asked)
            first = await client.response()
            assert first.status == 200
            assert first.headers["x-ratelimit-limit-requests"] == "5"
            assert first.headers["x-ratelimit-remaining-requests"] == "4"
            assert first.headers["x-ratelimit-remaining-tokens"] == "10"
            await client.send(asked)
            second = await client.response()
            assert second.status == 429  # the first took more than there were
            assert "10 tokens a minute" in second.error["message"]
            assert second.headers["x-ratelimit-remaining-tokens"] == "0"
            assert 0 < int(second.headers["retry-after"]) <= 60

    carrier.run(main())


# How somebody may try to come by the door, or out of a tree of paths.
TRICKS = (
    "/%2e%2e/health",
    "/../health",
    "/.//health",
    "//health",
    "/health/",
    "/health%00",
    "/health%0d%0aX:%20y",
    "/HEALTH",
    "/health;a=b",
    "/health/../v1/models",
    "/v1/streams/..",
    "/v1/streams/%2e%2e%2fhealth",
    "/v1/models/..%2f..%2f..%2fetc%2fpasswd",
    "/v1/models/%00",
    "/%ff%fe",
)


@pytest.mark.parametrize("path", TRICKS)
def test_no_path_leads_by_the_door(carrier: Carrier, path: str) -> None:
    async def main() -> None:
        async with (
            carrier.serving(Models(EchoModel()), door=door()) as served,
            connected(served.url) as client,
        ):
            await client.send(request("GET", path))
            refused = await client.response()
            assert refused.status == 401
            assert b"passwd" not in refused.body
            await client.send(request("GET", path, headers=("authorization: Bearer hr-a",)))
            assert (await client.response()).status == 404

    carrier.run(main())
