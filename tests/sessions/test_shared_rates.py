"""Counts that several servers share in a Valkey server, and what happens when it is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from tests.server.doubles import Models
from tests.server.raw import chat, connected
from tests.store.servers import valkey_server

from headrace.config.door import LimitSettings, RateSettings
from headrace.errors import ConfigError
from headrace.server.door import Door
from headrace.server.serve import running_server
from headrace.sessions.rates import SharedRates
from headrace.simulate.echo import EchoModel

TWO = LimitSettings(requests_per_minute=2, tokens_per_minute=50)


def test_two_servers_count_together_and_refuse_without_the_store() -> None:
    async def ask(url: str) -> int:
        async with connected(url) as client:
            await client.send(chat(model="sim/echo", stream=False))
            return (await client.response()).status

    with valkey_server() as store:

        async def main() -> None:
            doors = [Door(limits=TWO, rates=SharedRates(store.url)) for _ in range(2)]
            models = Models(EchoModel())
            async with running_server(models, door=doors[0]) as a, running_server(models, door=doors[1]) as b:
                assert [await ask(url) for url in (a.url, b.url, a.url, b.url)] == [200, 200, 429, 429]
                store.stop()
                assert await ask(a.url) == 503  # what bounds costs must not fail open

        asyncio.run(main())


def test_tokens_are_shared() -> None:
    with valkey_server() as store:

        async def main() -> None:
            one, other = SharedRates(store.url), SharedRates(store.url)
            bounds = RateSettings(tokens_per_minute=50)
            one.spend("a", bounds, 60)
            await one.aclose()  # which waits for what is under way
            refused: Coroutine[Any, Any, Any] = other.ask("a", bounds)
            assert (await refused).failure is not None
            assert (await other.ask("b", bounds)).failure is None
            await other.aclose()

        asyncio.run(main())


def test_a_url_that_is_none_is_named() -> None:
    with pytest.raises(ConfigError, match=r"limits\.store"):
        SharedRates("nonsense")
