"""Clients, the server between, and the scripted places behind it, connected for many exchanges."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from headrace.config import load_config
from headrace.dispatch.runtime import Runtime
from headrace.server.serve import running_server
from tests.matrix import script
from tests.matrix.clients import CLIENTS
from tests.matrix.clients.base import Talk
from tests.matrix.providers import PROVIDERS
from tests.matrix.said import Ask, Got, Said
from tests.matrix.upstream import Upstream, scripted_upstream

KEY = "the-places-own-key"


def config_text(upstream: Upstream, default: str) -> str:
    """A headrace.toml with a row for every place; default: the wire of the one that answers the nameless."""
    lines = [f'[aliases]\ndefault = "{default}_place/{script.MODEL}"\n']
    for wire, provider in PROVIDERS.items():
        lines += [
            f"[providers.{wire}_place]",
            f'wire = "{wire}"',
            f'base_url = "{upstream.url(wire)}{provider.base}"',
            f'api_key = "{KEY}"',
            f"quirks = {_table(provider.quirks)}\n",
        ]
    return "\n".join(lines)


def _table(fields: Mapping[str, object]) -> str:
    return "{" + ", ".join(f"{name} = {json.dumps(value)}" for name, value in fields.items()) + "}"


class Rig:
    """exchange: one request of an official client to one place, and what each side saw."""

    def __init__(self, upstream: Upstream, stack: AsyncExitStack, folder: Path) -> None:
        self.upstream = upstream
        self._stack = stack
        self._folder = folder
        self._servers: dict[str, str] = {}  # default place -> URL
        self._talks: dict[tuple[str, str], Talk] = {}
        self.last_body = b""  # of the request that reached a place last

    async def exchange(
        self, client: str, provider: str, scene: str, ask: Ask, *, streamed: bool = True
    ) -> tuple[Said, Got]:
        """What the client showed, and what reached the place."""
        default = provider if CLIENTS[client].unnamed else "openai_chat"
        talk = await self._talk(client, await self.server(default))
        self.upstream.answer = PROVIDERS[provider].answer(scene)
        async with asyncio.timeout(20):
            said = await talk(f"{provider}_place/{script.MODEL}", ask, streamed)
        path, body = self.upstream.last(provider)
        base = PROVIDERS[provider].base
        assert path.startswith(base)
        self.last_body = body
        return said, PROVIDERS[provider].read(path.removeprefix(base), body)

    async def refused(self, client: str, provider: str, ask: Ask, *, streamed: bool) -> Said | None:
        """What the client showed where the request did not reach the place; None where it did."""
        default = provider if CLIENTS[client].unnamed else "openai_chat"
        talk = await self._talk(client, await self.server(default))
        place = PROVIDERS[provider]
        self.upstream.answer = place.answer(ask.wants if ask.wants in place.scripts else "text")
        said = await talk(f"{provider}_place/{script.MODEL}", ask, streamed)
        reached, self.upstream.asked = bool(self.upstream.asked), []
        return None if reached else said

    async def server(self, default: str = "openai_chat") -> str:
        """The URL of a running server whose nameless requests go to the place of the wire `default`."""
        if default not in self._servers:
            file = self._folder / f"{default}.toml"
            file.write_text(config_text(self.upstream, default))
            runtime = Runtime(load_config(file))
            self._stack.push_async_callback(runtime.aclose)
            server = await self._stack.enter_async_context(running_server(runtime))
            self._servers[default] = server.url
        return self._servers[default]

    async def _talk(self, client: str, url: str) -> Talk:
        if (client, url) not in self._talks:
            lent = CLIENTS[client].connected(url)
            self._talks[client, url] = await self._stack.enter_async_context(lent)
        return self._talks[client, url]


@asynccontextmanager
async def connected_rig(folder: Path) -> AsyncIterator[Rig]:
    """A rig whose configuration files lie in `folder`."""
    async with AsyncExitStack() as stack:
        upstream = await stack.enter_async_context(scripted_upstream())
        yield Rig(upstream, stack, folder)
