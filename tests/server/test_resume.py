"""Clients that drop and servers that die: what was acknowledged is neither lost nor doubled."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from tests.server.conftest import Carrier
from tests.server.doubles import END, HandModel, Models
from tests.server.place import Place, place
from tests.server.raw import RawClient, connected, events, text_of
from tests.server.test_streams import MakeSessions, again, asked, began, detached, sessions, until

from headrace.core.chunk import TextDelta

__all__ = ["sessions"]

DROPS = 200
STREAMS = 50
_ID = re.compile(rb"(?m)^id: (\d+)$")


async def read_some(client: RawClient, enough: int) -> bytes:
    """Whole events of a response that has begun, at least `enough` bytes of them, or all there is."""
    got = b""
    while len(got) < enough and (part := await client.chunk()):
        got += part.removeprefix(b": ping\n")
    return got[: got.rfind(b"\n\n") + 2] if b"\n\n" in got else b""


def last_id(data: bytes, before: int) -> int:
    found = _ID.findall(data)
    return int(found[-1]) if found else before


def test_a_client_that_drops_and_comes_back_200_times_has_every_byte(
    direct: Carrier, sessions: MakeSessions
) -> None:
    chance = random.Random(20261125)
    pieces = [chance.choice("aé🌊 \n") * chance.randint(1, 40) for _ in range(4000)]

    async def main() -> None:
        model = HandModel()
        async with direct.serving(Models(model), sessions=sessions()) as served:
            async with connected(served.url) as client:
                await client.send(detached())
                id, source = await began(client, model, TextDelta(0, "so "))
                got = await read_some(client, 1)
                client.reset()
            last, drops = last_id(got, 0), 1

            async def speak() -> None:
                for at, text in enumerate(pieces):
                    source.say(text)
                    if at % 15 == 0:
                        await asyncio.sleep(0.002)

            speaking = asyncio.create_task(speak())
            while drops < DROPS:
                async with connected(served.url) as client:
                    await client.send(again(id, last))
                    assert (await client.head())[0] == 200
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(0.02):
                            got += await read_some(client, chance.randint(1, 4000))
                    client.reset()
                last, drops = last_id(got, last), drops + 1
            await speaking
            source.push(*END)
            source.end()
            got += (await asked(served, "GET", f"/v1/streams/{id}?after={last}")).body.removeprefix(
                b": ping\n"
            )
            whole = (await asked(served, "GET", f"/v1/streams/{id}")).body
            assert got == whole
            assert text_of(got) == "so " + "".join(pieces)

    direct.run(main())


class Server:
    """A `headrace serve` process with a stream log in a file."""

    def __init__(self, process: asyncio.subprocess.Process, url: str) -> None:
        self.process, self.url = process, url

    async def kill(self) -> None:
        self.process.kill()
        await self.process.wait()


@asynccontextmanager
async def server(folder: Path, up: Place) -> AsyncIterator[Server]:
    config = folder / "headrace.toml"
    config.write_text(
        f'[providers.up]\nbase_url = "{up.url}"\nauth = "none"\n'
        f'[streams]\nlog = "sqlite"\npath = "{folder / "streams.db"}"\n'
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "headrace", "serve", "--port", "0", "--config", str(config)),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "HOME": str(folder), "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(30):
            found = re.search(rb"http://[\d.]+:\d+", await process.stdout.readline())
        assert found
        yield Server(process, found[0].decode())
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


class Reading:
    """One client of a stream, and what it has had of it."""

    def __init__(self) -> None:
        self.id = ""
        self.got = b""
        self.whole = False

    async def read(self, url: str) -> None:
        async with connected(url, limit=2**20) as client:
            await client.send(detached(model="up/m"))
            status, headers = await client.head()
            assert status == 200
            self.id = headers["x-headrace-stream-id"]
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, ValueError):
                while part := await client.chunk():
                    self.got += part.removeprefix(b": ping\n")
                self.whole = True


def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    """Killed at a random moment of 50 streams: each has all that its client had, and a typed end."""
    chance = random.Random()

    async def main() -> None:
        async with place(pieces=150, beat_s=0.01) as up:
            readings = [Reading() for _ in range(STREAMS)]
            async with server(tmp_path, up) as first:
                tasks = [asyncio.create_task(reading.read(first.url)) for reading in readings]
                await until(lambda: all(reading.got for reading in readings))
                await asyncio.sleep(chance.uniform(0, 1.5))  # the moment is the experiment
                await first.kill()
                await asyncio.gather(*tasks)
            async with server(tmp_path, up) as second:
                for reading in readings:
                    await judge(second.url, reading, up)
                async with connected(second.url) as client:
                    await client.send(detached(model="up/m"))  # and it works
                    assert text_of((await client.response()).body) == up.text

    asyncio.run(main())


async def judge(url: str, reading: Reading, up: Place) -> None:
    """What the log has of a stream begins with all that its client had, and ends truly."""
    async with connected(url, limit=2**20) as client:
        await client.send(again(reading.id))
        kept = await client.response()
    assert kept.status == 200
    assert kept.body.startswith(reading.got)
    numbers = [int(number) for number in _ID.findall(kept.body)]
    assert numbers == list(range(1, len(numbers) + 1))
    async with connected(url, limit=2**20) as client:
        await client.send(again(reading.id, last_id(reading.got, 0)))
        rest = await client.response()
    told = msgspec.json.decode(kept.body.split(b"\n\n")[-3].split(b"data: ")[1])
    if "error" not in told:
        assert rest.body.removeprefix(b": ping\n") == kept.body.removeprefix(reading.got)
        assert text_of(kept.body) == up.text
        return
    assert not reading.whole
    assert told["error"]["code"] == "interrupted"
    if rest.status == 200:
        assert reading.got + rest.body == kept.body
    else:  # it had all there was
        assert (rest.status, rest.error["code"]) == (503, "interrupted")
    said = "".join(
        choice["delta"].get("content") or ""
        for event in events(kept.body)
        for choice in event.get("choices", ())
    )
    assert up.text.startswith(said)
    assert said
