"""What clients do in the life of a stream, each with what must come of it: dropped, resumed, left, stopped.

Every life here is one client's; `live_round` has many of each at once.
"""

from __future__ import annotations

import asyncio
import json
import random
import secrets
import socket
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from benchmarks.rig.load import request_of
from benchmarks.rig.protocols import CHAT, MESSAGES, PROMPT, words
from benchmarks.rig.verify import fault_of, read_answer

PIECES = 60
BEATS = f"spread-{PIECES}"  # 0.6 s
LONG_PIECES = 400  # 4 s: still being made when a page has been loaded again, however busy we are
SILENT = "wait-1"
FLOODED = 20_000  # pieces, 7 MB
PATIENCE_S = 60.0
DETACH = {"x-headrace-on-disconnect": "detach"}
HI = [{"id": "1", "role": "user", "parts": [{"type": "text", "text": PROMPT}]}]


class Broken(Exception):
    """A promise was not kept."""


@dataclass(frozen=True, slots=True)
class Client:
    """Asks one server. prefix: of the models' names."""

    session: aiohttp.ClientSession
    port: int
    prefix: str
    chance: random.Random

    @asynccontextmanager
    async def streamed(self, method: str, path: str, **more: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        """A stream, hung up on leaving unless it was read to its end."""
        async with self.session.request(method, path, **more) as response:
            if response.status != 200:
                raise Broken(f"{method} {path} answered {response.status}: {(await response.text())[:200]}")
            yield response

    def chat(self, model: str) -> dict[str, Any]:
        """A streamed chat request of a client that may leave."""
        ask = {"model": self.prefix + model, "messages": MESSAGES, "stream": True}
        return {"json": ask, "headers": DETACH}

    async def told(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        """One small JSON answer."""
        async with self.session.request(method, path, **more) as response:
            if response.status != 200:
                raise Broken(f"{method} {path} answered {response.status}: {(await response.text())[:200]}")
            found: dict[str, Any] = await response.json()
            return found

    async def gone(self, path: str) -> None:
        """Nothing is found there any more."""
        async with self.session.get(path) as response:
            require(response.status == 404, f"GET {path} answered {response.status}")


@dataclass(slots=True)
class Heard:
    """What a client has of one stream, over all its connections. last: the id of the latest event."""

    last: str = ""
    texts: list[str] = field(default_factory=list)
    error: str = ""
    events: int = 0

    def take(self, id: str, data: str) -> None:
        """One more event."""
        self.last = id or self.last
        self.events += 1
        if data != "[DONE]":
            event = json.loads(data)
            self.texts.append(text_of(event))
            self.error = self.error or error_of(event)

    def require_whole(self, pieces: int) -> None:
        """Raises Broken unless the text is equal to what the far end said."""
        text = "".join(self.texts)
        require(
            text == "".join(words(pieces)), f"{len(text)} characters, error {self.error!r}: {text[-40:]!r}"
        )


def text_of(event: dict[str, Any]) -> str:
    """The text in an event of OpenAI chat, of OpenAI responses or of a UI message stream."""
    if event.get("choices"):
        return str(event["choices"][0]["delta"].get("content") or "")
    return str(event["delta"]) if event.get("type") in ("response.output_text.delta", "text-delta") else ""


def error_of(event: dict[str, Any]) -> str:
    """The code or the words of an error event, empty where it is none."""
    error = event.get("error")
    return str(error.get("code") or error.get("message")) if isinstance(error, dict) else ""


def require(kept: bool, what: str) -> None:
    """Raises Broken with `what` unless it was kept."""
    if not kept:
        raise Broken(what)


async def hear(response: aiohttp.ClientResponse, heard: Heard, most: int | None = None) -> bool:
    """Read events, up to `most`; whether the stream came to its end."""
    id = data = ""
    async for line in response.content:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name == "id":
            id = value
        elif name == "data":
            data = value
        elif not name and data:
            heard.take(id, data)
            id = data = ""
            if most is not None:
                most -= 1
                if most <= 0:
                    return False
    return True


async def comes_back(client: Client) -> None:
    """A client that drops and resumes by Last-Event-ID until it has all: its text is equal."""
    heard = Heard()
    async with client.streamed("POST", CHAT.path, **client.chat(BEATS)) as response:
        path = f"/v1/streams/{response.headers['x-headrace-stream-id']}"
        await hear(response, heard, client.chance.randint(1, 20))
    whole = False
    while not whole:
        async with client.streamed("GET", path, headers={"last-event-id": heard.last}) as response:
            whole = await hear(response, heard, client.chance.randint(10, 80))
    heard.require_whole(PIECES)


async def reads_later(client: Client) -> None:
    """A stream that nobody reads to its end is there afterwards, whole."""
    async with client.streamed("POST", CHAT.path, **client.chat(BEATS)) as response:
        path = f"/v1/streams/{response.headers['x-headrace-stream-id']}"
        await hear(response, Heard(), 1)
    while (status := (await client.told("GET", f"{path}/status"))["status"]) == "running":
        await asyncio.sleep(0.1)
    require(status == "completed", f"a detached stream ended {status}")
    heard = Heard()
    async with client.streamed("GET", path) as response:
        await hear(response, heard)
    heard.require_whole(PIECES)


async def stops(client: Client) -> None:
    """A running stream that is deleted ends cancelled, and says so to whoever reads it."""
    async with client.streamed("POST", CHAT.path, **client.chat(SILENT)) as response:
        path = f"/v1/streams/{response.headers['x-headrace-stream-id']}"
        await hear(response, Heard(), 1)
    status = (await client.told("DELETE", path))["status"]
    require(status == "cancelled", f"a deleted stream ended {status}")
    heard = Heard()
    async with client.streamed("GET", path) as response:
        await hear(response, heard)
    require(heard.error == "cancelled", f"a deleted stream said {heard.error!r}")


async def in_background(client: Client) -> None:
    """A response in the background: read, read on from where the first reader left, told, forgotten."""
    ask = {"model": client.prefix + BEATS, "input": PROMPT, "background": True}
    path = f"/v1/responses/{(await client.told('POST', '/v1/responses', json=ask))['id']}"
    heard = Heard()
    async with client.streamed("GET", path, params={"stream": "true"}) as response:
        await hear(response, heard, client.chance.randint(5, 40))
    after = {"stream": "true", "starting_after": str(heard.events - 1)}  # they are numbered from 0
    async with client.streamed("GET", path, params=after) as response:
        await hear(response, heard)
    heard.require_whole(PIECES)
    status = (await client.told("GET", path))["status"]
    require(status == "completed", f"a response in the background is {status}")
    await client.told("DELETE", path)
    await client.gone(path)


async def background_cancelled(client: Client) -> None:
    """A response in the background that is cancelled, then forgotten."""
    ask = {"model": client.prefix + SILENT, "input": PROMPT, "background": True}
    path = f"/v1/responses/{(await client.told('POST', '/v1/responses', json=ask))['id']}"
    status = (await client.told("POST", f"{path}/cancel"))["status"]
    require(status == "cancelled", f"a cancelled response is {status}")
    await client.told("DELETE", path)
    await client.gone(path)


async def page_comes_back(client: Client) -> None:
    """A web page that is loaded again while its answer is made: it has that from its beginning."""
    chat = secrets.token_hex(8)
    ask = {"id": chat, "messages": HI, "model": f"{client.prefix}spread-{LONG_PIECES}"}
    async with client.streamed("POST", "/api/ui/chat", json=ask, headers=DETACH) as response:
        await hear(response, Heard(), client.chance.randint(1, 8))
    path, heard = f"/api/ui/chat/{chat}/stream", Heard()
    async with client.streamed("GET", path) as response:
        await hear(response, heard)
    heard.require_whole(LONG_PIECES)
    async with client.session.get(path) as again:
        require(again.status == 204, f"a chat whose answer has ended resumed with {again.status}")


async def reads_slowly(client: Client) -> None:
    """A reader far slower than the model holds the model, and has all."""
    body = json.dumps({"model": f"{client.prefix}flood-{FLOODED}", "messages": MESSAGES, "stream": True})
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    connection.setblocking(False)
    await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", client.port))
    reader, writer = await asyncio.open_connection(sock=connection, limit=65536)
    writer.write(request_of(client.port, CHAT.path, body, "", "Connection: close"))
    parts: list[bytes] = []
    while part := await reader.read(65536):
        parts.append(part)
        await asyncio.sleep(0.02)  # 3 MB a second, of the 5 that come
    writer.close()
    raw = b"".join(parts)
    require(bool(raw), "a slow reader got nothing")
    wrong = fault_of(read_answer(raw), "".join(words(FLOODED)))
    require(not wrong, wrong)


Life = Callable[[Client], Awaitable[None]]
# how many clients of each live at once
LIVES: dict[Life, int] = {
    comes_back: 30,
    reads_later: 20,
    stops: 20,
    in_background: 15,
    background_cancelled: 15,
    page_comes_back: 20,
    reads_slowly: 3,
}


async def live_round(port: int, prefix: str, seen: Counter[str], broken: list[str]) -> None:
    """Every life once, as many of each at once as its row says. seen: how many came out as promised, by name;
    broken: what did not."""

    async def lived(life: Life, client: Client) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                await life(client)
        except (Broken, aiohttp.ClientError, OSError, KeyError, ValueError) as error:
            broken.append(f"{life.__name__}: {error!r}")
        else:
            seen[life.__name__] += 1

    chance = random.Random(seen.total())
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", connector=connector) as session:
        client = Client(session, port, prefix, chance)
        await asyncio.gather(*[lived(life, client) for life, count in LIVES.items() for _ in range(count)])
