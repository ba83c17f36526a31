"""Two servers, two processes, one Valkey: a stream of one is read, resumed and stopped through the other."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec
from tests.server.doubles import frames
from tests.server.raw import Response, chat, connected, request, unnumbered
from tests.store.servers import valkey_server

from headrace.testing.loopback import Peer, loopback

PATIENCE_S = 60.0  # two interpreters begin, and a node is taken for dead only after a while
EVENTS = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
DETACH = "X-Headrace-On-Disconnect: detach"


class Two(NamedTuple):
    """a, b: the servers' URLs. process: of a. peers: whoever calls the provider."""

    a: str
    b: str
    process: Process
    peers: asyncio.Queue[Peer]

    async def begin(self) -> tuple[str, Peer]:
        """A stream on `a` without its client, that has said two pieces: its id and the provider's end."""
        async with connected(self.a) as client:
            await client.send(chat(model="up/m").replace(b"\r\n\r\n", f"\r\n{DETACH}\r\n\r\n".encode(), 1))
            peer = await self.peers.get()
            peer.write(frames("one ", "two ", done=False))
            status, headers = await client.head()
            assert status == 200
            said = b""
            while b"id: 2\n" not in said:
                said += await client.chunk()
        return headers["x-headrace-stream-id"], peer


def run_two(tmp_path: Path, main: Callable[[Two], Coroutine[None, None, None]]) -> None:
    """Run `main` with two servers."""

    async def whole() -> None:
        peers: asyncio.Queue[Peer] = asyncio.Queue()

        async def provider(peer: Peer) -> None:
            await peer.request()
            peer.write(EVENTS)
            peers.put_nowait(peer)
            await peer.gone()

        with valkey_server() as valkey:
            async with asyncio.timeout(PATIENCE_S), loopback(provider) as upstream:
                config = tmp_path / "headrace.toml"
                config.write_text(
                    f'[providers.up]\nbase_url = "{upstream.url}/v1"\nauth = "none"\n'
                    f'[streams]\nlog = "valkey"\nurl = "{valkey.url}"\n'
                )
                async with node(config) as (a, process), node(config) as (b, _):
                    await main(Two(a, b, process, peers))

    asyncio.run(whole())


@asynccontextmanager
async def node(config: Path) -> AsyncIterator[tuple[str, Process]]:
    env = {**os.environ, "HEADRACE_CONFIG": str(config), "no_proxy": "*"}
    argv = (sys.executable, "-W", "error", "-m", "headrace", "serve", "--port", "0")
    process = await asyncio.create_subprocess_exec(*argv, env=env, stdout=PIPE, stderr=PIPE)
    assert process.stdout is not None
    try:
        found = re.search(r"http://127\.0\.0\.1:\d+", (await process.stdout.readline()).decode())
        assert found
        yield found[0], process
    finally:
        killed = process.returncode is not None
        if not killed:
            process.terminate()
        _, said = await process.communicate()
        assert killed or (process.returncode, said) == (0, b"")


async def get(url: str, id: str, after: int = 0, *, method: str = "GET") -> Response:
    async with connected(url) as client:
        await client.send(request(method, f"/v1/streams/{id}?after={after}"))
        status, headers = await client.head()
        if "content-length" in headers:
            return Response(status, headers, await client.reader.readexactly(int(headers["content-length"])))
        body = b""
        while size := int((await client.reader.readline()).strip(), 16):  # as long as it takes
            body += (await client.reader.readexactly(size + 2))[:-2]
        return Response(status, headers, body)


def test_a_stream_is_read_on_the_other_server_while_it_is_made(tmp_path: Path) -> None:
    async def main(two: Two) -> None:
        id, peer = await two.begin()
        late = asyncio.create_task(get(two.b, id, 1))
        peer.write(frames("three", "four"))
        from_b, from_a = await get(two.b, id), await get(two.a, id)
        assert from_b.body == from_a.body
        assert unnumbered(from_b.body) == frames("one ", "two ", "three", "four")
        assert from_b.headers["content-type"] == from_a.headers["content-type"]
        resumed = (await late).body
        assert from_b.body.endswith(resumed)
        assert resumed.startswith(b"id: 2\n")

    run_two(tmp_path, main)


def test_a_stop_through_the_other_server_reaches_the_provider(tmp_path: Path) -> None:
    async def main(two: Two) -> None:
        id, peer = await two.begin()
        live = asyncio.create_task(get(two.b, id))
        assert (await get(two.b, id, method="DELETE")).status == 200
        await peer.closed.wait()
        *_, error, done, end = unnumbered((await live).body).split(b"\n\n")
        assert msgspec.json.decode(error[6:])["error"]["code"] == "cancelled"
        assert (done, end) == (b"data: [DONE]", b"")

    run_two(tmp_path, main)


def test_readers_on_the_other_server_hear_of_a_server_that_died(tmp_path: Path) -> None:
    async def main(two: Two) -> None:
        id, _ = await two.begin()
        live = asyncio.create_task(get(two.b, id, 1))
        two.process.kill()
        await two.process.wait()
        *said, error, done, end = (await live).body.split(b"\n\n")
        assert [one[:6] for one in said] == [b"id: 2\n"]
        assert msgspec.json.decode(error[6:])["error"]["code"] == "interrupted"
        assert (done, end) == (b"data: [DONE]", b"")
        assert b"interrupted" in (await get(two.b, id)).body
        async with connected(two.b) as client:
            await client.send(request("GET", "/v1/streams"))
            (listed,) = msgspec.json.decode((await client.response()).body)["data"]
            assert (listed["id"], listed["status"], listed["last"]) == (id, "interrupted", 2)
            assert listed["error"]["code"] == "interrupted"

    run_two(tmp_path, main)
