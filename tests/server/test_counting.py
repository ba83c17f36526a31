"""Counting a prompt's tokens: exact where the model or its provider can, else an estimate that says so."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import anthropic
import pytest
from google import genai
from tests.server.conftest import Carrier
from tests.server.doubles import HandModel, HandSource, Models
from tests.server.raw import connected, request

from headrace.config import parse_config
from headrace.core.chunk import Failure, UsageReport
from headrace.core.model import Opened
from headrace.core.usage import Usage
from headrace.dispatch.runtime import Runtime
from headrace.errors import RateLimited
from headrace.server.serve import running_server
from headrace.simulate.echo import EchoModel, pieces
from headrace.testing.loopback import Peer, loopback

# google-genai does this to aiohttp; it is not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")

SAID = "Grüße, two words."
BODY = {"model": "m", "messages": [{"role": "user", "content": SAID}]}
ASK = request("POST", "/v1/messages/count_tokens", json.dumps(BODY).encode())
KEY = "sk-geheim-0123456789"


class CountingModel(HandModel):
    """Gives out sources for counts too."""

    def open_count(self, request: Any, /) -> Opened:
        return Opened(self._source(), self.warnings)


def client_of(url: str) -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(base_url=url, api_key="none", max_retries=0)


def test_a_model_that_can_count_is_asked() -> None:
    async def main() -> None:
        async with running_server(Models(EchoModel())) as server, client_of(server.url) as client:
            raw = await client.messages.with_raw_response.count_tokens(
                model="sim/echo",
                messages=BODY["messages"],  # type: ignore[arg-type]
            )
            assert (await raw.parse()).input_tokens == len(pieces(SAID))
            assert "x-headrace-estimated" not in raw.headers
            assert server.app.counters.answers == 0  # nothing was answered
            with pytest.raises(anthropic.NotFoundError, match="nobody/x"):
                await client.messages.count_tokens(
                    model="nobody/x",
                    messages=BODY["messages"],  # type: ignore[arg-type]
                )
            with pytest.raises(anthropic.BadRequestError, match="messages"):
                await client.messages.count_tokens(model="sim/echo", messages=[])

    asyncio.run(main())


def test_any_other_gets_an_estimate_that_says_so() -> None:
    async def main() -> None:
        model = HandModel()
        async with running_server(Models(model)) as server, client_of(server.url) as client:
            raw = await client.messages.with_raw_response.count_tokens(
                model="m",
                messages=BODY["messages"],  # type: ignore[arg-type]
                tools=[{"name": "f", "input_schema": {"type": "object"}}],
            )
            # 19 bytes of text and 29 of the tool, 4 bytes a token; 4 tokens for the message.
            assert (await raw.parse()).input_tokens == 12 + 4
            assert raw.headers["x-headrace-estimated"] == "true"
            assert model.sources.empty()

    asyncio.run(main())


def test_gemini() -> None:
    async def main() -> None:
        async with running_server(Models(EchoModel())) as server:
            client = genai.Client(api_key="none", http_options=genai.types.HttpOptions(base_url=server.url))
            try:
                told = await client.aio.models.count_tokens(model="sim/echo", contents=SAID)
                assert told.total_tokens == len(pieces(SAID))
                with pytest.raises(genai.errors.ClientError, match="nobody/x"):
                    await client.aio.models.count_tokens(model="nobody/x", contents=SAID)
            finally:
                await client.aio.aclose()
                client.close()

    asyncio.run(main())


async def counting(raw: Any, model: HandModel) -> HandSource:
    await raw.send(ASK)
    return await model.source()


def test_on_every_carrier_a_count_waits_fails_and_ends_with_its_client(carrier: Carrier) -> None:
    async def main() -> None:
        model = CountingModel(warnings=("seed was left out",))
        async with carrier.serving(Models(model)) as served:
            async with connected(served.url) as raw:
                source = await counting(raw, model)
                source.push(UsageReport(Usage(5)))
                source.end()
                answer = await raw.response()
                assert json.loads(answer.body) == {"input_tokens": 5}
                assert answer.headers["x-headrace-warnings"] == "seed was left out"

                source = await counting(raw, model)
                source.end(Failure.of(RateLimited("slow down", retry_after_s=3)))
                answer = await raw.response()
                assert (answer.status, answer.headers["retry-after"]) == (429, "3")
                assert answer.error["type"] == "rate_limit_error"

                source = await counting(raw, model)
                source.end()
                assert (await raw.response()).status == 502

                source = await counting(raw, model)
                raw.reset()
            async with asyncio.timeout(30):
                await source.was_cancelled.wait()

    carrier.run(main())


UPSTREAMS = {
    "anthropic": ("/v1", "/v1/messages/count_tokens", {"input_tokens": 14}),
    "gemini": ("/v1beta", "/v1beta/models/claude:countTokens", {"totalTokens": 14}),
}


def played(status: int, body: Any) -> Any:
    async def script(peer: Peer) -> None:
        await peer.request()
        data = json.dumps(body).encode()
        head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json; charset=utf-8\r\n"
        await peer.drip(f"{head}content-length: {len(data)}\r\n\r\n".encode() + data, 5)
        await peer.gone()

    return script


async def asked_upstream(wire: str, script: Any, monkeypatch: pytest.MonkeyPatch, more: str = "") -> Any:
    """(what reached the provider, the server's answer) of a count for a provider's model."""
    async with loopback(script) as far:
        monkeypatch.setenv("UP_KEY", KEY)
        text = f"[providers.up]\nwire = '{wire}'\nbase_url = '{far.url}{UPSTREAMS[wire][0]}'\n"
        settings = parse_config(f"{text}api_key_env = 'UP_KEY'\n{more}")
        async with (
            Runtime(settings) as runtime,
            running_server(runtime) as server,
            connected(server.url) as raw,
        ):
            body = json.dumps({**BODY, "model": "up/claude"}).encode()
            await raw.send(request("POST", "/v1/messages/count_tokens", body))
            return far.requests, await raw.response()


@pytest.mark.parametrize("wire", UPSTREAMS)
def test_a_provider_that_counts_is_asked_with_its_key(wire: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _, path, said = UPSTREAMS[wire]
    requests, answer = asyncio.run(asked_upstream(wire, played(200, said), monkeypatch))
    head = requests[0][0].decode()
    assert head.startswith(f"POST {path} HTTP/1.1\r\n")
    assert KEY in head
    assert SAID in requests[0][1].decode()
    assert json.loads(answer.body) == {"input_tokens": 14}
    assert "x-headrace-estimated" not in answer.headers


def test_a_providers_refusal_of_a_count_is_its_status_and_shows_no_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    error = {"type": "error", "error": {"type": "authentication_error", "message": f"no: {KEY}"}}
    _, answer = asyncio.run(asked_upstream("anthropic", played(401, error), monkeypatch))
    assert answer.status == 401
    assert "geheim" not in answer.body.decode()
    _, answer = asyncio.run(asked_upstream("anthropic", played(200, {"input_tokens": "many"}), monkeypatch))
    assert answer.status == 502


def test_a_provider_whose_quirk_says_so_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    done = asked_upstream("anthropic", played(200, {}), monkeypatch, "quirks.no_count = true\n")
    requests, answer = asyncio.run(done)
    assert requests == []
    assert answer.headers["x-headrace-estimated"] == "true"
