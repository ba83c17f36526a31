"""The models of a server, as each official client lists and finds them: the same cards for all."""

from __future__ import annotations

import asyncio
import json
from importlib.metadata import version
from typing import Any

import anthropic
import huggingface_hub
import ollama
import openai
import pytest
from google import genai
from tests.server.conftest import Carrier
from tests.server.doubles import Models
from tests.server.raw import connected, request

from headrace.core.model import ModelCard
from headrace.server.serve import running_server
from headrace.simulate.echo import EchoModel

# google-genai does this to aiohttp; it is not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")

BIG = ModelCard("up/big", owner="up", context_tokens=8192, created_s=1767312000, description="d", loaded=True)
CARDS = [BIG, *(ModelCard(f"up/{place:03}", owner="up") for place in range(60))]
IDS = [card.id for card in CARDS]
GONE = "nobody/x"


def serving() -> Any:
    return running_server(Models(*(EchoModel(card=card) for card in CARDS)))


def test_openai() -> None:
    async def main() -> None:
        async with (
            serving() as server,
            openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client,
        ):
            assert [model.id async for model in client.models.list()] == IDS
            big = await client.models.retrieve("up/big")
            assert (big.id, big.owned_by, big.created) == ("up/big", "up", BIG.created_s)
            with pytest.raises(openai.NotFoundError, match=GONE):
                await client.models.retrieve(GONE)

    asyncio.run(main())


def test_anthropic() -> None:
    async def main() -> None:
        async with (
            serving() as server,
            anthropic.AsyncAnthropic(base_url=server.url, api_key="none", max_retries=0) as client,
        ):
            first = await client.models.list()
            assert ([one.id for one in first.data], first.has_more) == (IDS[:20], True)
            for limit in (1, 20, 60, 61, 1000):
                assert [one.id async for one in client.models.list(limit=limit)] == IDS
            before = await client.models.list(before_id=IDS[9], limit=4)
            assert ([one.id for one in before.data], before.has_more) == (IDS[5:9], True)
            assert [one.id async for one in client.models.list(before_id=IDS[9], limit=4)] == [
                *IDS[5:9], *IDS[1:5], IDS[0],
            ]  # fmt: skip
            assert (await client.models.list(lifecycle=["retired"])).data == []
            assert len((await client.models.list(lifecycle=["active", "retired"], limit=5)).data) == 5
            big = await client.models.retrieve("up/big")
            assert (big.id, big.type, big.lifecycle, big.max_input_tokens) == (
                "up/big",
                "model",
                "active",
                8192,
            )
            assert big.created_at.timestamp() == BIG.created_s
            for refused, asked in (
                (anthropic.NotFoundError, client.models.retrieve(GONE)),
                (anthropic.BadRequestError, client.models.list(after_id=GONE)),
                (anthropic.BadRequestError, client.models.list(limit=0)),
            ):
                with pytest.raises(refused) as caught:
                    await asked
                assert caught.value.body["type"] == "error"  # type: ignore[call-overload,index]

    asyncio.run(main())


@pytest.mark.parametrize("api", ["v1beta", "v1"])
def test_gemini(api: str) -> None:
    async def main() -> None:
        async with serving() as server:
            options = genai.types.HttpOptions(base_url=server.url, api_version=api)
            client = genai.Client(api_key="none", http_options=options)
            try:
                pager = await client.aio.models.list()
                assert len(pager.page) == 50
                assert [model.name async for model in pager] == [f"models/{id}" for id in IDS]
                pager = await client.aio.models.list(config={"page_size": 7})
                assert len(pager.page) == 7
                assert [model.name async for model in pager] == [f"models/{id}" for id in IDS]
                big = await client.aio.models.get(model="up/big")
                assert (big.name, big.input_token_limit, big.description) == ("models/up/big", 8192, "d")
                assert big.supported_actions == ["generateContent", "countTokens"]
                with pytest.raises(genai.errors.ClientError, match=GONE):
                    await client.aio.models.get(model=GONE)
                for wrong in ({"page_token": GONE}, {"page_size": 0}):
                    with pytest.raises(genai.errors.ClientError) as caught:
                        await client.aio.models.list(config=wrong)
                    assert caught.value.status == "INVALID_ARGUMENT"
            finally:
                await client.aio.aclose()
                client.close()

    asyncio.run(main())


def test_ollama() -> None:
    async def main() -> None:
        async with serving() as server:
            client = ollama.AsyncClient(host=server.url)
            try:
                listed = (await client.list()).models
                assert [model.model for model in listed] == IDS
                assert listed[0].modified_at is not None
                assert listed[0].modified_at.timestamp() == BIG.created_s
                assert len({model.digest for model in listed}) == len(IDS)
                assert all(len(model.digest or "") == 64 for model in listed)
                shown = await client.show("up/big")
                assert (shown.capabilities, shown.details and shown.details.family) == (["completion"], "up")
                assert (shown.modelinfo or {})["up.context_length"] == 8192
                running = (await client.ps()).models
                assert [(model.model, model.context_length) for model in running] == [("up/big", 8192)]
                with pytest.raises(ollama.ResponseError, match=GONE) as caught:
                    await client.show(GONE)
                assert caught.value.status_code == 404
            finally:
                await client._client.aclose()

    asyncio.run(main())


def test_tgi() -> None:
    async def main() -> None:
        async with serving() as server:
            client = huggingface_hub.InferenceClient(server.url, provider="hf-inference")
            told = await asyncio.to_thread(client.get_endpoint_info)
            assert (told["model_id"], told["max_total_tokens"], told["router"]) == (
                "up/big",
                8192,
                "headrace",
            )
            assert told["version"]
            assert await asyncio.to_thread(client.health_check)

    asyncio.run(main())


# Header fields of a client -> what its list is called at the address that three vendors share.
SHARED = {
    "nobody": ((), "data", "object"),
    "Anthropic": (("anthropic-version: 2023-06-01",), "data", "has_more"),
    "Google by its key": (("x-goog-api-key: k",), "models", "nextPageToken"),
    "Google by its library": (("x-goog-api-client: genai-js",), "models", "nextPageToken"),
}


@pytest.mark.parametrize("client", SHARED)
def test_who_asks_is_known_by_the_headers_on_every_carrier(client: str, carrier: Carrier) -> None:
    headers, name, mark = SHARED[client]

    async def main() -> None:
        models = Models(*(EchoModel(card=card) for card in CARDS))
        async with carrier.serving(models) as served, connected(served.url) as raw:
            await raw.send(request("GET", "/v1/models", headers=headers))
            body = json.loads((await raw.response()).body)
            assert mark in body
            assert body[name]
            await raw.send(request("GET", "/api/version"))
            assert json.loads((await raw.response()).body) == {"version": version("headrace")}
            await raw.send(request("HEAD", "/api/tags"))
            assert (await raw.response(head_only=True)).status == 200

    carrier.run(main())


BAD_PAGES = ["limit=0", "limit=-1", "limit=x", "limit=%C2%B2", "limit=9999999999", "after_id=nobody"]


@pytest.mark.parametrize("query", BAD_PAGES)
def test_a_page_that_cannot_be_is_refused_by_name(query: str) -> None:
    async def main() -> Any:
        async with serving() as server, connected(server.url) as raw:
            ask = request("GET", f"/v1/models?{query}", headers=("anthropic-version: 2023-06-01",))
            await raw.send(ask)
            return await raw.response()

    answer = asyncio.run(main())
    assert answer.status == 400
    assert query.partition("=")[0] in answer.error["message"]


def test_a_show_of_nothing_is_refused() -> None:
    async def main() -> Any:
        async with serving() as server, connected(server.url) as raw:
            await raw.send(request("POST", "/api/show", b"[]"))
            broken = await raw.response()
            await raw.send(request("POST", "/api/show", b'{"name": "up/big"}'))
            return broken, await raw.response()

    broken, older = asyncio.run(main())
    assert broken.status == 400
    assert isinstance(json.loads(broken.body)["error"], str)
    assert older.status == 200  # what older clients send
